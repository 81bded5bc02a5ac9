package codec

import (
	"bytes"
	"math/rand"
	"testing"
	"time"

	"weir/sfu/media"
)

const ms = time.Millisecond

func TestFor(t *testing.T) {
	for _, c := range append([]media.Codec{media.VP8, media.Opus}, newCodecs...) {
		f, ok := For(c)
		if !ok || f.Inspect == nil || f.NewPacketizer == nil || f.NewDepacketizer == nil ||
			(f.FrameSize == nil) != (c.Kind() == media.Audio) || (f.FrameDuration == nil) != (c.Kind() == media.Video) || (f.Channels == nil) != (c.Kind() == media.Video) {
			t.Errorf("For(%v) = %v, %v", c, f, ok)
		}
	}
	for _, c := range []media.Codec{0, 200, 255} {
		if _, ok := For(c); ok {
			t.Errorf("For(%d) is known", uint8(c))
		}
	}
}

// vp8Frame returns a frame of random bytes behind a valid header: at least 10
// bytes for a keyframe, at least 1 else.
func vp8Frame(rng *rand.Rand, size int, keyframe bool) []byte {
	b := make([]byte, size)
	rng.Read(b)
	if keyframe {
		copy(b, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01})
	} else {
		b[0] |= 1
	}
	return b
}

// encode writes the descriptor that d describes; the tests' own counterpart to
// ParseVP8Descriptor.
func (d VP8Descriptor) encode() []byte {
	set := func(on bool, bit byte) byte {
		if on {
			return bit
		}
		return 0
	}
	var ext []byte
	if d.HasPictureID && d.LongID {
		ext = append(ext, 0x80|byte(d.PictureID>>8), byte(d.PictureID))
	} else if d.HasPictureID {
		ext = append(ext, byte(d.PictureID))
	}
	if d.HasTL0PicIdx {
		ext = append(ext, d.TL0PicIdx)
	}
	if d.HasTID || d.HasKeyIdx {
		ext = append(ext, d.TID<<6|set(d.LayerSync, 0x20)|d.KeyIdx)
	}
	flags := set(d.HasPictureID, 0x80) | set(d.HasTL0PicIdx, 0x40) | set(d.HasTID, 0x20) | set(d.HasKeyIdx, 0x10)
	first := set(flags != 0, 0x80) | set(d.Discardable, 0x20) | set(d.StartOfPart, 0x10) | d.Partition
	if flags == 0 {
		return []byte{first}
	}
	return append([]byte{first, flags}, ext...)
}

// sink collects what a Depacketizer emits.
type sink struct{ frames []media.Frame }

func (s *sink) emit(f media.Frame) { s.frames = append(s.frames, f) }

// pts returns the PTS of all frames, by which the tables name them.
func (s *sink) pts() []time.Duration {
	var p []time.Duration
	for _, f := range s.frames {
		p = append(p, f.PTS)
	}
	return p
}

// packetizeAll returns the packets of all frames, each arriving at its PTS.
func packetizeAll(z Packetizer, frames []media.Frame) [][]media.Packet {
	all := make([][]media.Packet, len(frames))
	for i := range frames {
		z.Packetize(&frames[i], func(p media.Packet) {
			p.Arrival = p.PTS
			all[i] = append(all[i], p)
		})
	}
	return all
}

func wantFrame(t *testing.T, got media.Frame, want media.Frame) {
	t.Helper()
	if got.PTS != want.PTS || got.Sync != want.Sync || got.Gap != want.Gap {
		t.Errorf("frame PTS %v Sync %v Gap %v, want %v %v %v",
			got.PTS, got.Sync, got.Gap, want.PTS, want.Sync, want.Gap)
	}
	if !bytes.Equal(got.Data, want.Data) {
		t.Errorf("frame at %v: %d bytes differ from the %d sent", got.PTS, len(got.Data), len(want.Data))
	}
}
