package sfutest

import (
	"testing"

	"weir/sfu/codec"
	"weir/sfu/media"
)

func TestFramesAreWhatTheyClaim(t *testing.T) {
	for _, size := range []int{0, MinFrame, 100, 5000} {
		for _, n := range []int{0, 1, 77, 1 << 20} {
			key := VP8Frame(n, true, size)
			if w, h, ok := codec.VP8Size(key); !ok || w != Width || h != Height {
				t.Errorf("keyframe %d of %d bytes has size %d x %d, %v", n, size, w, h, ok)
			}
			inter := VP8Frame(n, false, size)
			if codec.VP8Keyframe(inter) {
				t.Errorf("inter frame %d of %d bytes is a keyframe", n, size)
			}
			for _, frame := range [][]byte{key, inter} {
				if got, intact := VP8Number(frame); got != n || !intact {
					t.Errorf("frame %d of %d bytes reads as %d, intact %v", n, size, got, intact)
				}
				frame[len(frame)-1]++
				if got, intact := VP8Number(frame); intact && got == n {
					t.Errorf("frame %d of %d bytes: damage goes unseen", n, size)
				}
			}
			sound := OpusFrame(n, size)
			if got, intact := OpusNumber(sound); got != n || !intact {
				t.Errorf("sound %d of %d bytes reads as %d, intact %v", n, size, got, intact)
			}
			if d := codec.OpusDuration(sound); media.Opus.Ticks(d) != 960 {
				t.Errorf("sound lasts %v, want 20ms", d)
			}
		}
	}
}
