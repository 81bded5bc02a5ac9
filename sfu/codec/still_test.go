package codec

import (
	"bytes"
	"slices"
	"testing"

	"weir/sfu/media"
)

const rawH264 = " -pix_fmt yuv420p -bsf:v h264_metadata=aud=insert"

// stillClips are the clips of TestStill: encoders that use what a decoder keeps from
// picture to picture.
var stillClips = []struct {
	name     string
	codec    media.Codec
	args     string
	decoders []string
	none     []int // frames of which no other can be made
	// behind says that some pictures are ones to which no other refers: the one before
	// it is shown again.
	behind bool
}{
	{"VP8", media.VP8, "-c:v libvpx -deadline realtime -cpu-used 4 -b:v 150k -g 12 -error-resilient default", []string{"vp8", "libvpx"}, nil, false},
	{"VP9", media.VP9, "-c:v libvpx-vp9 -deadline realtime -cpu-used 5 -b:v 150k -g 12 -lag-in-frames 0 -aq-mode 3", []string{"vp9", "libvpx-vp9"}, nil, false},
	{"AV1", media.AV1, "-c:v libaom-av1 -usage realtime -cpu-used 8 -b:v 150k -g 12 -lag-in-frames 0 -aq-mode 3", []string{"libdav1d", "libaom-av1"}, []int{0, 12}, false},
	{"AV1 in layers", media.AV1, "-c:v libsvtav1 -preset 12 -g 12 -svtav1-params pred-struct=1:lp=1", []string{"libdav1d", "libaom-av1"}, []int{0, 12}, true},
	{"H264 Baseline", media.H264, "-c:v libx264 -profile:v baseline -preset ultrafast -tune zerolatency -g 12" + rawH264, []string{"h264"}, nil, false},
	{"H264 Main", media.H264, "-c:v libx264 -profile:v main -coder 0 -refs 3 -preset fast -bf 0 -weightp 2 -g 12 -slices 3 -rc-lookahead 0" + rawH264, []string{"h264"}, nil, false},
	{"H264 High", media.H264, "-c:v libx264 -profile:v high -tune zerolatency -g 12" + rawH264, nil, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19}, false},
}

// TestStill: a decoder shows the last picture again, however often, and makes the same
// pictures of all frames that follow.
func TestStill(t *testing.T) {
	for _, e := range stillClips {
		t.Run(e.name, func(t *testing.T) {
			ext := "ivf"
			if e.codec == media.H264 {
				ext = "h264"
			}
			const count = 20
			frames, _ := encodeSize(t, e.codec, e.args, ext, 98, 66, count)
			format, _ := For(e.codec)
			still := format.NewStill()
			var shown []media.Frame
			var none, of []int // of: which picture is wanted
			for i, f := range frames {
				still.Saw(f.Data)
				shown, of = append(shown, f), append(of, i)
				again := still.Repeat()
				if again == nil {
					none = append(none, i)
					continue
				}
				if len(again) > 200 {
					t.Fatalf("it takes %d bytes", len(again))
				}
				// No decoder here minds, but Firefox's does.
				if e.codec == media.VP8 && int(again[0])>>5|int(again[1])<<3|int(again[2])<<11 >= len(again)-vp8TagSize {
					t.Fatal("there is no partition of residues")
				}
				for range i % 4 {
					shown, of = append(shown, media.Frame{Data: again}), append(of, i)
				}
			}
			if !slices.Equal(none, e.none) {
				t.Errorf("none can be made of %v", none)
			}
			if len(e.decoders) == 0 {
				return
			}
			pictures := decodeBy(t, e.decoders[0], e.codec, frames)
			for _, decoder := range e.decoders {
				got := decodeBy(t, decoder, e.codec, shown)
				if len(got) != len(shown) || len(pictures) != count {
					t.Fatalf("%s makes %d pictures of %d", decoder, len(got), len(shown))
				}
				for k, i := range of {
					again := k > 0 && of[k-1] == i
					if got[k] != pictures[i] && !(again && e.behind && got[k] == pictures[i-1]) {
						t.Errorf("%s: picture %d is not that of frame %d", decoder, k, i)
					}
				}
			}
		})
	}
}

// TestStillOfDamage: of what is no frame none is made, and nothing panics.
func TestStillOfDamage(t *testing.T) {
	for _, c := range []media.Codec{media.VP8, media.VP9, media.AV1, media.H264} {
		format, _ := For(c)
		for _, data := range [][]byte{nil, {0}, {0xff}, {0, 0, 0}, bytes.Repeat([]byte{0xff}, 100), bytes.Repeat([]byte{0}, 100)} {
			still := format.NewStill()
			still.Saw(data)
			if again := still.Repeat(); again != nil {
				t.Errorf("%v: % x makes % x", c, data, again)
			}
		}
	}
}

// TestStillOfGiant: a picture that no camera sends is not shown again: each of its
// macroblocks would cost time.
func TestStillOfGiant(t *testing.T) {
	for _, side := range []uint16{640, 16383} {
		keyframe := []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, byte(side), byte(side >> 8), byte(side), byte(side >> 8), 0, 0, 0, 0, 0, 0}
		s := &vp8Still{}
		s.Saw(keyframe)
		if made := s.Repeat() != nil; made != (side == 640) {
			t.Errorf("%d pixels wide: made %v", side, made)
		}
	}
}
