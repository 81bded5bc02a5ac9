package codec

import (
	"time"

	"weir/sfu/media"
)

// inspectOpus implements [Format].Inspect: each packet stands on its own
// (RFC 7587 section 4.2).
func inspectOpus(payload []byte) Position {
	some := len(payload) > 0
	return Position{Start: some, Sync: some}
}

// timeBase is added to the RTP time of packets that are made here, so that a
// frame slightly before the start of the stream does not underflow.
const timeBase = 1 << 32

// opusPacketizer makes packets of 20 ms of each frame, or one of it as it is.
type opusPacketizer struct {
	seq   uint64 // of the next packet
	clock opusClock
}

func newOpusPacketizer(seq uint64) Packetizer { return &opusPacketizer{seq: seq} }

// Packetize implements [Packetizer]. The marker bit stays clear: it would mean the
// start of a talk spurt (RFC 7587 section 4.1), which is not known here.
func (z *opusPacketizer) Packetize(f *media.Frame, emit func(media.Packet)) {
	if len(f.Data) == 0 {
		return
	}
	at, pts := z.clock.place(f.PTS), f.PTS
	splitOpus(f.Data, func(payload []byte, d time.Duration) {
		emit(media.Packet{
			Seq: z.seq, Time: uint64(timeBase + at), PTS: pts,
			Start: true, Sync: true, Payload: payload,
		})
		z.seq++
		z.clock.advance(at, d)
		at, pts = at+media.Opus.Ticks(d), pts+d
	})
}

// opusDepacketizer makes one frame of each packet. There is no gate after a
// loss: a decoder conceals it, and every frame can be decoded.
type opusDepacketizer struct {
	in  reorder
	out outlet
}

func newOpusDepacketizer(c Config) Depacketizer {
	return &opusDepacketizer{in: newReorder(c)}
}

// Depacketize implements [Depacketizer].
func (d *opusDepacketizer) Depacketize(p *media.Packet, emit func(media.Frame)) {
	d.in.push(p, func(p *media.Packet, lost uint64) { d.takePacket(p, lost, emit) })
}

// Flush implements [Depacketizer].
func (d *opusDepacketizer) Flush(emit func(media.Frame)) {
	d.in.flush(func(p *media.Packet, lost uint64) { d.takePacket(p, lost, emit) })
}

// takePacket gets the packets in order, with the number of those lost before each.
func (d *opusDepacketizer) takePacket(p *media.Packet, lost uint64, emit func(media.Frame)) {
	if lost > 0 {
		d.out.missing()
	} else if p.Discontinuity {
		d.out.follows()
	}
	if n := len(p.Payload); n > 0 {
		d.out.putFrame(p.PTS, true, p.Payload[:n:n], emit)
	}
}

// SetWindow implements [Depacketizer].
func (d *opusDepacketizer) SetWindow(w time.Duration) { d.in.window = w }

// NeedsSync implements [Depacketizer].
func (d *opusDepacketizer) NeedsSync() bool { return false }

// Losses implements [Depacketizer].
func (d *opusDepacketizer) Losses() Losses {
	l := d.out.losses
	l.Packets = d.in.lost
	return l
}
