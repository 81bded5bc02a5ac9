package codec

import (
	"time"

	"weir/sfu/media"
)

const (
	// maxOpusPacket is how much sound one RTP packet made here holds if it can hold
	// less: what WebRTC clients send and expect (RFC 7587 section 4.2). The 60 ms
	// packets of MediaRecorder would cost 40 ms of delay, and with one lost packet
	// three times the sound.
	maxOpusPacket = 20 * time.Millisecond
	// opusTolerance is how far from where the sound before ends a packet may be
	// without a gap or an overlap: files and MediaRecorder round to milliseconds
	// and are 1 or 2 off.
	opusTolerance = 5 * time.Millisecond
)

// splitOpus calls emit for each part of an Opus packet: of 20 ms and MaxPayload
// bytes at most, as far as its frames allow. Frames are not changed (RFC 6716
// section 3.2: they stand on their own), only how many are in a packet. A packet
// that is malformed comes out as it is, unless it is too large for a datagram.
func splitOpus(packet []byte, emit func(payload []byte, duration time.Duration)) {
	total := OpusDuration(packet)
	if total <= maxOpusPacket && len(packet) <= MaxPayload {
		emit(packet, total)
		return
	}
	frames := opusFrames(packet)
	if len(frames) == 0 {
		if len(packet) <= MaxPayload {
			emit(packet, total)
		}
		return
	}
	each := opusFrameDuration(packet[0])
	most := max(1, int(maxOpusPacket/each))
	for len(frames) > 0 {
		n, size := 1, opusPart(frames[0])
		for n < min(most, len(frames)) && size+opusPart(frames[n]) <= MaxPayload {
			size += opusPart(frames[n])
			n++
		}
		emit(joinOpus(packet[0], frames[:n]), time.Duration(n)*each)
		frames = frames[n:]
	}
}

// opusPart is the most that a frame takes in a packet of several, in bytes.
func opusPart(frame []byte) int { return len(frame) + 2 }

// joinOpus makes a packet of frames that were taken out of one with that TOC: one
// frame as code 0, several as code 3 with their sizes (RFC 6716 sections 3.2.2
// and 3.2.5).
func joinOpus(toc byte, frames [][]byte) []byte {
	packet := []byte{toc &^ opusCodeMask}
	if len(frames) > 1 {
		const variable = 0x80
		packet = []byte{toc | 3, variable | byte(len(frames))}
		for _, f := range frames[:len(frames)-1] {
			packet = appendOpusFrameSize(packet, len(f))
		}
	}
	for _, f := range frames {
		packet = append(packet, f...)
	}
	return packet
}

// appendOpusFrameSize writes what opusFrameSize reads.
func appendOpusFrameSize(b []byte, size int) []byte {
	if size < 252 {
		return append(b, byte(size))
	}
	first := 252 + size&3 // so that the rest is a multiple of 4
	return append(b, byte(first), byte((size-first)/4))
}

// opusClock makes the times of packets follow each other without gap or overlap
// where the frames' own times are rounded.
type opusClock struct {
	started bool
	end     int64 // ticks where the last packet's sound ends
}

// place returns where a frame that is to be shown at pts begins, in ticks.
func (c *opusClock) place(pts time.Duration) int64 {
	at := media.Opus.Ticks(pts)
	if off := at - c.end; c.started && max(off, -off) <= media.Opus.Ticks(opusTolerance) {
		return c.end
	}
	return at
}

// advance notes a packet with that much sound at the place at.
func (c *opusClock) advance(at int64, d time.Duration) {
	c.started, c.end = true, at+media.Opus.Ticks(d)
}
