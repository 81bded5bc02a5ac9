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

// opusPacketizer makes one packet of each frame.
type opusPacketizer struct {
	seq uint64 // of the next packet
}

func newOpusPacketizer(seq uint64) Packetizer { return &opusPacketizer{seq: seq} }

// Packetize implements [Packetizer]. The marker bit stays clear: it would mean
// the start of a talk spurt (RFC 7587 section 4.1), which nobody knows here.
func (z *opusPacketizer) Packetize(f *media.Frame, emit func(media.Packet)) {
	if len(f.Data) > MaxPayload {
		z.split(f, emit)
		return
	}
	if len(f.Data) > 0 {
		z.put(f.PTS, f.Data, emit)
	}
}

// split makes one packet of each Opus frame in f.Data: an Opus packet cannot be
// fragmented (RFC 7587 section 4.2), but one that holds several frames, like the
// 60 ms packets of MediaRecorder, can be taken apart. A single frame stays
// whole; it is 1276 bytes at most. What is malformed is dropped.
func (z *opusPacketizer) split(f *media.Frame, emit func(media.Packet)) {
	frames := opusFrames(f.Data)
	step := opusFrameDuration(f.Data[0])
	for i, frame := range frames {
		payload := make([]byte, 1+len(frame))
		payload[0] = f.Data[0] &^ opusCodeMask // code 0: one frame
		copy(payload[1:], frame)
		z.put(f.PTS+time.Duration(i)*step, payload, emit)
	}
}

func (z *opusPacketizer) put(pts time.Duration, payload []byte, emit func(media.Packet)) {
	p := media.Packet{
		Seq:     z.seq,
		Time:    uint64(timeBase + media.Opus.Ticks(pts)),
		PTS:     pts,
		Start:   true,
		Sync:    true,
		Payload: payload,
	}
	z.seq++
	emit(p)
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
	d.in.push(p, func(p *media.Packet, lost uint64) { d.take(p, lost, emit) })
}

// Flush implements [Depacketizer].
func (d *opusDepacketizer) Flush(emit func(media.Frame)) {
	d.in.flush(func(p *media.Packet, lost uint64) { d.take(p, lost, emit) })
}

// take gets the packets in order, with the number of those lost before each.
func (d *opusDepacketizer) take(p *media.Packet, lost uint64, emit func(media.Frame)) {
	if lost > 0 {
		d.out.missing()
	}
	if n := len(p.Payload); n > 0 {
		d.out.put(p.PTS, true, p.Payload[:n:n], emit)
	}
}

// NeedsSync implements [Depacketizer].
func (d *opusDepacketizer) NeedsSync() bool { return false }

// Losses implements [Depacketizer].
func (d *opusDepacketizer) Losses() Losses {
	l := d.out.losses
	l.Packets = d.in.lost
	return l
}
