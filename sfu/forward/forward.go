package forward

import (
	"github.com/pion/rtp"

	"weir/sfu/media"
)

// squeeze is by how much the time of a burst is shortened: a 2.5 Mbit/s stream
// caught up with at 60 Mbit/s.
const squeeze = 24

// maxSegments is how many segments are remembered to answer NACKs. A viewer asks
// for packets of the last second; segments are as far apart as keyframes.
const maxSegments = 4

// firstTurn is added to extended sequence numbers, so that they never become
// negative.
const firstTurn = 1 << 32

// Verdict says what is to be done with a packet.
type Verdict uint8

// The verdicts.
const (
	Send    Verdict = iota
	Waiting         // drop: no decoder can start here
	Old             // drop: it belongs before the first packet that was sent
)

// Config says what a viewer negotiated for a track. Seq and Time should be
// random (RFC 3550 section 5.1).
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
}

// segment is a stretch of the source that is sent without a skip.
type segment struct {
	firstOut uint64 // the viewer's sequence number, extended
	firstSeq uint64 // the source's
	from     uint64 // source time of the first packet
	edge     uint64 // source time of the live edge when the segment began
}

// New returns a forwarder that waits for a packet where a decoder can start.
func New(c Config) *Forwarder {
	return &Forwarder{config: c, waiting: true, next: firstTurn + uint64(c.Seq)}
}

// Lagged says that packets are missing before the next one: nothing is sent
// until a decoder can start anew.
func (f *Forwarder) Lagged() { f.waiting = true }

// NeedsSync says that nothing is sent before the next packet where a decoder can
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
	}
	s := &f.segments[0]
	if p.Seq < s.firstSeq {
		return rtp.Header{}, Old
	}
	out := s.firstOut + (p.Seq - s.firstSeq)
	f.next = max(f.next, out+1)
	return f.header(s, p), Send
}

// begin starts a segment at p.
func (f *Forwarder) begin(p *media.Packet, edge uint64) {
	copy(f.segments[1:], f.segments[:])
	f.segments[0] = segment{firstOut: f.next, firstSeq: p.Seq, from: p.Time, edge: max(edge, p.Time)}
	f.n = min(f.n+1, maxSegments)
	f.waiting = false
}

// Resend returns the header with which p was sent, to answer a NACK for the
// viewer's sequence number seq.
func (f *Forwarder) Resend(seq uint16, p *media.Packet) (rtp.Header, bool) {
	s, out, ok := f.segmentOf(seq)
	if !ok || s.firstSeq+(out-s.firstOut) != p.Seq {
		return rtp.Header{}, false
	}
	return f.header(s, p), true
}

// Source returns the source's sequence number of the packet that the viewer knows
// as seq.
func (f *Forwarder) Source(seq uint16) (uint64, bool) {
	s, out, ok := f.segmentOf(seq)
	if !ok {
		return 0, false
	}
	return s.firstSeq + (out - s.firstOut), true
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
		if out >= f.segments[i].firstOut {
			return &f.segments[i], out, true
		}
	}
	return nil, 0, false
}

func (f *Forwarder) header(s *segment, p *media.Packet) rtp.Header {
	return rtp.Header{
		Version:        2,
		Marker:         p.Marker,
		PayloadType:    f.config.PayloadType,
		SequenceNumber: uint16(s.firstOut + (p.Seq - s.firstSeq)),
		Timestamp:      uint32(s.squeezed(p.Time)) + f.config.Time,
		SSRC:           f.config.SSRC,
	}
}

// squeezed maps the source times from..edge to the last part of that stretch,
// and leaves what follows as it is. Frames keep their order and differ: they are
// at least squeeze ticks apart at any frame rate up to 3,750 a second.
func (s *segment) squeezed(time uint64) uint64 {
	if time >= s.edge {
		return time
	}
	time = max(time, s.from)
	return s.edge - (s.edge-time)/squeeze
}

// Timestamp maps a source time at the live edge to the viewer's, for sender
// reports.
func (f *Forwarder) Timestamp(time uint64) uint32 { return uint32(time) + f.config.Time }
