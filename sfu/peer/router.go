package peer

import (
	"slices"

	"github.com/pion/rtp"
)

// maxRoutes bounds the SSRCs of a client that are kept in mind: video in six layers,
// sound, and their retransmissions are 14.
const maxRoutes = 16

// router tells what the packets of a publisher belong to (RFC 9143 section 9.2). It
// only computes.
type router struct {
	// set once
	names     extensions
	receivers []*receiver

	table []route // owned by the socket's reader
	clock uint64  // counts packets, for route.used
}

// route is where the packets of an SSRC go.
type route struct {
	ssrc        uint32
	retransmits bool // it retransmits those of another one (RFC 4588)
	turn        int  // of encoding.turn, when it became known
	to          *encoding
	used        uint64 // when a packet of it came last
}

// known returns the route of an SSRC that has one, or nil. It is good until the next
// call of add.
func (r *router) known(ssrc uint32) *route {
	for i := range r.table {
		if at := &r.table[i]; at.ssrc == ssrc {
			r.clock++
			at.used = r.clock
			return at
		}
	}
	return nil
}

// add gives an SSRC a route. The one that was idle longest makes room, if there are
// too many.
func (r *router) add(next route) *route {
	r.clock++
	next.used = r.clock
	if len(r.table) < maxRoutes {
		r.table = append(r.table, next)
		return &r.table[len(r.table)-1]
	}
	oldest := &r.table[0]
	for i := range r.table {
		if at := &r.table[i]; at.used < oldest.used {
			oldest = at
		}
	}
	*oldest = next
	return oldest
}

// find returns the encoding that a packet belongs to whose SSRC has no route, and
// whether it is a retransmission. It returns nil if that cannot be told: by the
// packet's MID, else by the SSRCs of the offer, else by a payload type that only one
// section has; and which encoding of a section by the RID, else by the offer.
func (r *router) find(h *rtp.Header) (to *encoding, retransmitted bool) {
	in := r.receiverOf(h)
	if in == nil {
		return nil, false
	}
	s := &in.section
	retransmitted = h.PayloadType == s.repair
	if !retransmitted && h.PayloadType != s.payload && r.byType(h.PayloadType) != nil {
		return nil, false // the packet contradicts itself
	}
	if name := r.nameOf(h, retransmitted); len(s.rids) > 0 && len(name) > 0 {
		return in.byRID(string(name)), retransmitted
	}
	if of, ok := s.declared[h.SSRC]; ok {
		if repairs := of != 0; repairs != retransmitted {
			return nil, false
		}
		if retransmitted {
			return in.bySSRC(of), true
		}
	}
	return in.bySSRC(h.SSRC), retransmitted
}

// nameOf returns the RID of the encoding that a packet is of, or retransmits.
func (r *router) nameOf(h *rtp.Header, retransmitted bool) []byte {
	if retransmitted {
		if name := h.GetExtension(r.names.repaired); len(name) > 0 {
			return name
		}
	}
	return h.GetExtension(r.names.rid)
}

// receiverOf returns the section that a packet belongs to, or nil.
func (r *router) receiverOf(h *rtp.Header) *receiver {
	if mid := h.GetExtension(r.names.mid); len(mid) > 0 {
		return r.first(func(in *receiver) bool {
			return in.section.mid == string(mid) || in.section.mid == "" // the only one may have no name
		})
	}
	declared := func(in *receiver) bool { _, ok := in.section.declared[h.SSRC]; return ok }
	if in := r.first(declared); in != nil {
		return in
	}
	return r.byType(h.PayloadType)
}

func (r *router) first(is func(*receiver) bool) *receiver {
	if i := slices.IndexFunc(r.receivers, is); i >= 0 {
		return r.receivers[i]
	}
	return nil
}

// byType returns the only section with a payload type, or nil.
func (r *router) byType(pt uint8) *receiver {
	var found *receiver
	for _, in := range r.receivers {
		if in.section.payload == pt || in.section.repair == pt {
			if found != nil {
				return nil
			}
			found = in
		}
	}
	return found
}
