package codec

import (
	"math/rand/v2"

	"weir/sfu/media"
)

const (
	// vp8DescriptorSize is the size of the descriptors made here: X, I, and a
	// picture id of 15 bits.
	vp8DescriptorSize = 4
	vp8MaxMedia       = MaxPayload - vp8DescriptorSize
	vp8PictureIDMask  = 1<<15 - 1
)

// vp8Packetizer cuts VP8 frames into packets (RFC 7741 section 4). There is no
// TL0PICIDX or TID: a frame alone does not tell its temporal layer.
type vp8Packetizer struct {
	seq       uint64 // of the next packet
	pictureID uint16 // of the next frame
}

// newVP8Packetizer starts at a random picture id, so that a packetizer that
// takes the place of another one does not repeat the ids of frames that a viewer
// has just seen.
func newVP8Packetizer(seq uint64) Packetizer {
	return &vp8Packetizer{seq: seq, pictureID: uint16(rand.N[uint32](1 << 15))}
}

// Packetize implements [Packetizer]. The payloads of a frame are equal in size
// to within a byte: a small last packet would cost as much header as a full one
// and tell a congestion controller nothing.
func (z *vp8Packetizer) Packetize(f *media.Frame, emit func(media.Packet)) {
	rest := f.Data
	if len(rest) == 0 {
		return
	}
	count := (len(rest) + vp8MaxMedia - 1) / vp8MaxMedia
	buf := make([]byte, 0, len(rest)+count*vp8DescriptorSize)
	p := media.Packet{
		Time:  uint64(timeBase + media.VP8.Ticks(f.PTS)),
		PTS:   f.PTS,
		Start: true,
		Sync:  VP8Keyframe(f.Data),
	}
	for left := count; left > 0; left-- {
		size := (len(rest) + left - 1) / left
		at := len(buf)
		buf = z.appendDescriptor(buf, left == count)
		buf = append(buf, rest[:size]...)
		rest = rest[size:]
		p.Seq = z.seq
		p.Marker = left == 1
		p.Payload = buf[at:len(buf):len(buf)]
		z.seq++
		emit(p)
		p.Start, p.Sync = false, false
	}
	z.pictureID = (z.pictureID + 1) & vp8PictureIDMask
}

// appendDescriptor appends X, S for the first packet, PID 0; I; M, picture id.
func (z *vp8Packetizer) appendDescriptor(b []byte, first bool) []byte {
	flags := byte(0x80)
	if first {
		flags |= 0x10
	}
	return append(b, flags, 0x80, 0x80|byte(z.pictureID>>8), byte(z.pictureID))
}
