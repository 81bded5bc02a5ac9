package forward

import (
	"time"

	"github.com/pion/rtp"

	"weir/sfu/media"
)

// squeeze is by how much the distance to the live edge is shortened. A frame 2 s behind
// is labelled 83 ms behind: less than a receiver's own delay. Frames that leave at once
// still differ: they are at least squeeze ticks apart at any frame rate up to 3,750 a
// second.
const squeeze = 24

// maxSteps is how many steps of the live edge are remembered to answer NACKs: the
// edge moves with each frame, and a viewer asks for packets of the last second.
const maxSteps = 64

// maxSegments is how many segments are remembered to answer NACKs. A viewer asks
// for packets of the last second; segments are as far apart as keyframes.
const maxSegments = 4

// aheadPause is how long after what was Ahead of a packet no more is sent, but to a
// joiner: where each picture is a keyframe it would fill the segments.
const aheadPause = 500 * time.Millisecond

// firstTurn is added to extended sequence numbers, so that they never become
// negative.
const firstTurn = 1 << 32

// Verdict is what is to be done with a packet.
type Verdict uint8

// The verdicts.
const (
	Send      Verdict = iota
	Waiting           // drop: no decoder can start here
	Old               // drop: it belongs before the first packet that was sent
	SendAhead         // send what is Ahead of it first, see Forwarder.Ahead
)

// Config is what a viewer negotiated for a track. Seq and Time should be random (RFC
// 3550 section 5.1).
type Config struct {
	SSRC        uint32
	PayloadType uint8
	Seq         uint16 // of the first packet
	Time        uint32 // added to the source's timestamps
}

// Forwarder makes the headers of one track for one viewer. It is not safe for
// concurrent use; see [New].
type Forwarder struct {
	config   Config
	waiting  bool
	next     uint64               // extended sequence number for the next new packet
	segments [maxSegments]segment // newest first
	n        int                  // segments in use

	edge    uint64 // source time from which on times are the source's own
	reached uint64 // highest source time that was sent, up to edge
	steps   []step // how what is before edge was labelled; a circle, once it is full
	taken   uint64 // steps so far
}

// segment is a stretch of the source that is sent without a skip.
type segment struct {
	firstOut uint64 // the viewer's sequence number, extended
	firstSeq uint64 // the source's

	ahead  uint64        // how many numbers before firstOut are what was Ahead of the first packet
	began  time.Duration // when that one arrived
	goesOn bool          // nothing was skipped before it: packets that are late may be of the one before
}

// step says where the live edge was when the frame of the source time from was sent,
// and what followed up to the next step.
type step struct{ from, edge uint64 }

// New returns a forwarder that waits for a packet where a decoder can start.
func New(c Config) *Forwarder {
	return &Forwarder{config: c, waiting: true, next: firstTurn + uint64(c.Seq)}
}

// Lagged notes that packets are missing before the next one: nothing is sent until a
// decoder can start anew.
func (f *Forwarder) Lagged() { f.waiting = true }

// NeedsSync reports whether nothing is sent before the next packet where a decoder can
// start.
func (f *Forwarder) NeedsSync() bool { return f.waiting }

// Forward returns the header for p if it is to be sent. edge is the source time
// of the newest packet of the track.
func (f *Forwarder) Forward(p *media.Packet, edge uint64) (rtp.Header, Verdict) {
	if f.waiting {
		if !p.Sync {
			return rtp.Header{}, Waiting
		}
		f.begin(p, edge)
	} else if len(p.Ahead) > 0 {
		f.insert(p)
	}
	s := &f.segments[0]
	for i := 1; p.Seq < s.firstSeq; i++ {
		if !s.goesOn || i == f.n {
			return rtp.Header{}, Old
		}
		s = &f.segments[i]
	}
	out := s.firstOut + (p.Seq - s.firstSeq)
	f.next = max(f.next, out+1)
	verdict := Send
	if s.ahead > 0 && p.Seq == s.firstSeq && s == &f.segments[0] {
		verdict = SendAhead
	}
	label := p.Time
	if label < f.edge {
		f.follow(p.Time, edge)
		label = f.labelled(p.Time)
	}
	return f.header(s, p, label), verdict
}

// Ahead returns the header for the payload p.Ahead[i], after Forward has returned
// SendAhead for p.
func (f *Forwarder) Ahead(p *media.Packet, i int) rtp.Header {
	return f.aheadHeader(&f.segments[0], p, len(p.Ahead)-i)
}

// aheadHeader is header for the payload that is so many packets ahead of p.
func (f *Forwarder) aheadHeader(s *segment, p *media.Packet, distance int) rtp.Header {
	h := f.header(s, p, f.labelled(p.Time))
	h.SequenceNumber -= uint16(distance)
	h.Marker = false
	return h
}

// begin starts a segment at p.
func (f *Forwarder) begin(p *media.Packet, edge uint64) {
	f.push(segment{firstOut: f.next, firstSeq: p.Seq}, p)
	f.waiting = false
	if f.reached = p.Time; edge > p.Time {
		f.step(p.Time, edge)
	}
}

// follow notes where the live edge is now that the frame of that time is sent, unless
// some of the frame has been sent already.
func (f *Forwarder) follow(time, edge uint64) {
	if time <= f.reached {
		return
	}
	f.reached = time
	if edge > f.edge {
		f.step(time, edge)
	}
}

// step adds a step.
func (f *Forwarder) step(time, edge uint64) {
	if f.steps == nil {
		f.steps = make([]step, maxSteps) // once, and only for a viewer that has begun behind
	}
	f.steps[f.taken%maxSteps] = step{time, edge}
	f.taken++
	f.edge = edge
}

// insert begins a segment at p that goes on from the last one, with room for what is
// Ahead of p. There is none if packets behind p have left already.
func (f *Forwarder) insert(p *media.Packet) {
	s := f.segments[0]
	newest := s.firstSeq + (f.newest() - s.firstOut)
	if p.Seq <= newest || s.ahead > 0 && p.Arrival-s.began < aheadPause {
		return
	}
	s.firstOut, s.firstSeq, s.goesOn = s.firstOut+(p.Seq-s.firstSeq), p.Seq, true
	f.push(s, p)
}

// push makes s the newest segment. Its first packet is p, behind what is Ahead of it.
func (f *Forwarder) push(s segment, p *media.Packet) {
	s.ahead, s.began = uint64(len(p.Ahead)), p.Arrival
	s.firstOut += s.ahead
	copy(f.segments[1:], f.segments[:])
	f.segments[0] = s
	f.n = min(f.n+1, maxSegments)
}

// Resend returns what was sent as the viewer's sequence number seq, to answer a NACK
// for it: p, or what is Ahead of p. p is the packet that Source names.
func (f *Forwarder) Resend(seq uint16, p *media.Packet) (h rtp.Header, payload []byte, ok bool) {
	s, out, ok := f.segmentOf(seq)
	switch {
	case !ok || f.forgotten(p.Time):
		return rtp.Header{}, nil, false
	case out < s.firstOut:
		distance := int(s.firstOut - out)
		if p.Seq != s.firstSeq || distance > len(p.Ahead) {
			return rtp.Header{}, nil, false
		}
		return f.aheadHeader(s, p, distance), p.Ahead[len(p.Ahead)-distance], true
	case s.firstSeq+(out-s.firstOut) != p.Seq:
		return rtp.Header{}, nil, false
	}
	return f.header(s, p, f.labelled(p.Time)), p.Payload, true
}

// Source returns the source's sequence number of the packet that the viewer knows
// as seq, or ahead of which it was.
func (f *Forwarder) Source(seq uint16) (uint64, bool) {
	s, out, ok := f.segmentOf(seq)
	if !ok {
		return 0, false
	}
	return s.firstSeq + (max(out, s.firstOut) - s.firstOut), true
}

// Index returns the number of the packet that was last sent as seq: seq, and 65536
// for each time that the sequence numbers have begun anew. No two packets have the
// same one. It is what SRTP calls the packet's index (RFC 3711 section 3.3.1).
func (f *Forwarder) Index(seq uint16) uint64 { return f.newest() - f.Behind(seq) - firstTurn }

// Behind returns how far behind the newest packet that was sent seq is.
func (f *Forwarder) Behind(seq uint16) uint64 { return uint64(uint16(f.newest()) - seq) }

// newest returns the extended number of the newest packet that was sent.
func (f *Forwarder) newest() uint64 { return f.next - 1 }

// segmentOf finds the segment in which seq was sent, and seq extended.
func (f *Forwarder) segmentOf(seq uint16) (s *segment, out uint64, ok bool) {
	// The number asked for lies before next, by less than one turn.
	out = f.newest() - f.Behind(seq)
	for i := range f.n {
		if out >= f.segments[i].firstOut-f.segments[i].ahead {
			return &f.segments[i], out, true
		}
	}
	return nil, 0, false
}

// header returns p's header with a time that labelled has returned: apart, so that a
// header is made in place.
func (f *Forwarder) header(s *segment, p *media.Packet, label uint64) rtp.Header {
	return rtp.Header{
		Version:        2,
		Marker:         p.Marker,
		PayloadType:    f.config.PayloadType,
		SequenceNumber: uint16(s.firstOut + (p.Seq - s.firstSeq)),
		Timestamp:      uint32(label) + f.config.Time,
		SSRC:           f.config.SSRC,
	}
}

// labelled maps the time of a frame to the one that the viewer is told. A frame behind
// the live edge is moved towards where that was when the frame was sent, and what is
// not has its own time. The order stays: the edge only moves on, and the frames do.
func (f *Forwarder) labelled(time uint64) uint64 {
	if time >= f.edge {
		return time
	}
	kept := min(f.taken, maxSteps)
	for i := range kept {
		s := &f.steps[(f.taken-1-i)%maxSteps]
		if time < s.from && i < kept-1 {
			continue
		}
		if time >= s.edge {
			return time
		}
		return s.edge - (s.edge-max(time, s.from))/squeeze // a picture may be shown before its keyframe
	}
	return time
}

// forgotten reports whether it is not known any more how a time was labelled.
func (f *Forwarder) forgotten(time uint64) bool {
	return f.taken > maxSteps && time < f.steps[f.taken%maxSteps].from
}

// Timestamp maps a source time at the live edge to the viewer's, for sender
// reports.
func (f *Forwarder) Timestamp(time uint64) uint32 { return uint32(time) + f.config.Time }
