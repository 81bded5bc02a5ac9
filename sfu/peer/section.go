package peer

import "weir/sfu/peer/sdp"

// noType is no payload type.
const noType = sdp.NoType

// section is an m-section of a publisher as it was negotiated: by what its packets
// are told from those of the others, and what is to be fed back of them.
type section struct {
	mid     string
	payload uint8 // type of its packets
	repair  uint8 // type of their retransmissions (RFC 4588), or noType

	nack bool // the client sends lost packets again
	fir  bool // it makes a keyframe for a FIR, but not for a PLI

	rids     []string          // of its encodings (RFC 8851), none if there is but one
	layers   []uint32          // their SSRCs, from a client that names no rids (a=ssrc-group:SIM)
	declared map[uint32]uint32 // SSRCs that the offer names, to that which they retransmit, or 0
}

// extensions are the numbers of the header extensions by which packets tell what
// they belong to (RFC 9143 section 15, RFC 8852); 0: not negotiated.
type extensions struct{ mid, rid, repaired uint8 }

// negotiated returns what was negotiated by the sections of an offer, in their order.
func negotiated(o *sdp.Offer) ([]section, extensions) {
	var all []section
	for _, m := range o.Media {
		all = append(all, section{
			mid: m.MID, payload: m.PayloadType, repair: m.RepairType, nack: m.NACK, fir: m.FIR,
			rids: m.RIDs, layers: m.Layers, declared: m.Declared,
		})
	}
	e := o.Extensions()
	return all, extensions{mid: e.MID, rid: e.RID, repaired: e.RepairedRID}
}
