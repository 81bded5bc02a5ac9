package codec

import (
	"math/rand/v2"

	"weir/sfu/media"
)

const (
	// vp9DescriptorSize is the size of the descriptors made here: the flags and a
	// picture id of 15 bits.
	vp9DescriptorSize = 3
	vp9MaxMedia       = MaxPayload - vp9DescriptorSize
)

// vp9Packetizer cuts VP9 frames into packets (RFC 9628 section 4), a superframe
// as one frame. There are no layers and no references: a frame alone does not
// tell them.
type vp9Packetizer struct {
	seq       uint64 // of the next packet
	pictureID uint16 // of the next frame
}

// newVP9Packetizer starts at a random picture id, for the reason that
// newVP8Packetizer does.
func newVP9Packetizer(seq uint64) Packetizer {
	return &vp9Packetizer{seq: seq, pictureID: uint16(rand.N[uint32](1 << 15))}
}

// Packetize implements [Packetizer]. The payloads of a frame are equal in size to
// within a byte.
func (z *vp9Packetizer) Packetize(f *media.Frame, emit func(media.Packet)) {
	rest := f.Data
	if len(rest) == 0 {
		return
	}
	count := (len(rest) + vp9MaxMedia - 1) / vp9MaxMedia
	buf := make([]byte, 0, len(rest)+count*vp9DescriptorSize)
	key := VP9Keyframe(f.Data)
	p := media.Packet{Time: uint64(timeBase + media.VP9.Ticks(f.PTS)), PTS: f.PTS, Start: true, Sync: key}
	for left := count; left > 0; left-- {
		size := (len(rest) + left - 1) / left
		at := len(buf)
		buf = z.appendDescriptor(buf, key, left == count, left == 1)
		buf = append(buf, rest[:size]...)
		rest = rest[size:]
		p.Seq = z.seq
		p.Marker = left == 1
		p.Payload = buf[at:len(buf):len(buf)]
		z.seq++
		emit(p)
		p.Start, p.Sync = false, false
	}
	z.pictureID = (z.pictureID + 1) & (1<<15 - 1)
}

// appendDescriptor appends I, P but for keyframes, B and E; M and the picture id.
func (z *vp9Packetizer) appendDescriptor(b []byte, key, start, end bool) []byte {
	flags := byte(0x80)
	if !key {
		flags |= 0x40
	}
	if start {
		flags |= 0x08
	}
	if end {
		flags |= 0x04
	}
	return append(b, flags, 0x80|byte(z.pictureID>>8), byte(z.pictureID))
}
