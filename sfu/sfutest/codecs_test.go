package sfutest

import (
	"bytes"
	"testing"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// TestFramesOfAllCodecs: frames are what they claim, tell their number, and come
// through a packetizer and a depacketizer as they are.
func TestFramesOfAllCodecs(t *testing.T) {
	for _, c := range []media.Codec{media.Opus, media.VP8, media.VP9, media.AV1, media.H264} {
		format, _ := codec.For(c)
		z, d := format.NewPacketizer(0), format.NewDepacketizer(codec.Config{})
		for n := range 40 {
			key := n%10 == 0
			size := 50 + n*100
			if c == media.Opus {
				size = 50 + n // no packet has more than 1275
			}
			data := Frame(c, n, key, size)
			if got, intact := Number(c, data); got != n || !intact {
				t.Fatalf("%v frame %d reads as %d, intact %v", c, n, got, intact)
			}
			var frames []media.Frame
			f := media.Frame{PTS: c.Duration(int64(n) * 3000), Data: data}
			z.Packetize(&f, func(p media.Packet) { d.Depacketize(&p, func(f media.Frame) { frames = append(frames, f) }) })
			if len(frames) != 1 || !bytes.Equal(frames[0].Data, data) || frames[0].Sync != (key || c == media.Opus) {
				t.Fatalf("%v frame %d of %d bytes: %d frames come out", c, n, len(data), len(frames))
			}
			if format.FrameSize != nil {
				if w, h, ok := format.FrameSize(data); ok != key || ok && (w != Width || h != Height) {
					t.Errorf("%v frame %d: %dx%d, %v", c, n, w, h, ok)
				}
			}
			if format.CodecPrivate != nil {
				if private, ok := format.CodecPrivate(data); ok != key || ok && len(private) == 0 {
					t.Errorf("%v frame %d: CodecPrivate % x, %v", c, n, private, ok)
				}
			}
			data[len(data)-1]++
			if _, intact := Number(c, data); intact {
				t.Errorf("%v frame %d: damage goes unseen", c, n)
			}
		}
	}
}
