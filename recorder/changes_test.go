package recorder

import (
	"bytes"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// changing publishes pictures of a codec, a keyframe each, whose bytes change makes
// other ones, and returns the recordings.
func changing(t *testing.T, c media.Codec, n int, change func(n int, data []byte) []byte) []Recording {
	t.Helper()
	r, hub := newTest(t, t.TempDir())
	publish(t, hub, "a", []media.TrackInfo{{ID: "video", Codec: c}}, func(b *broadcast) {
		for i := range n {
			data := change(i, sfutest.Frame(c, i, true, 500))
			b.writers["video"].WriteFrame(media.Frame{PTS: time.Duration(i) * videoStep, Sync: true, Data: data})
			time.Sleep(videoStep)
		}
	})
	list, _, err := r.Recordings(Query{})
	if err != nil {
		t.Fatal(err)
	}
	frames := int64(0)
	for _, rec := range list {
		frames += rec.Tracks[0].Frames
	}
	if frames != int64(n) {
		t.Errorf("%d of %d pictures are recorded", frames, n)
	}
	return list
}

// wider returns a keyframe of sfutest with another width in its sequence header: the
// lowest bit of it is another one.
func wider(c media.Codec, data []byte) []byte {
	at, bit := 2+5, byte(0x02) // AV1, max_frame_width_minus_1: behind the OBU's header, 37 bits
	if c == media.H264 {
		at, bit = 4+4+2, 0x10 // pic_width_in_mbs_minus1: behind the length and 4 bytes, 9 bits
	}
	data = bytes.Clone(data)
	data[at] ^= bit
	return data
}

// deeper returns a keyframe of AV1 that claims 10 bits.
func deeper(data []byte) []byte {
	data = bytes.Clone(data)
	data[2+8] ^= 0x02 // high_bitdepth
	return data
}

// TestOtherHeadersInOneFile: keyframes with other sequence headers, of another size,
// are in one recording, however often they change; the sidecar tells the sizes.
func TestOtherHeadersInOneFile(t *testing.T) {
	for _, c := range []media.Codec{media.AV1, media.H264} {
		t.Run(c.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				format, _ := codec.For(c)
				list := changing(t, c, 300, func(n int, data []byte) []byte {
					width, _, _ := format.FrameSize(data)
					if n%2 == 0 {
						return data
					}
					other := wider(c, data)
					if w, _, ok := format.FrameSize(other); !ok || w == width {
						t.Fatalf("the other picture is as wide: %d", w)
					}
					return other
				})
				if len(list) != 1 || len(list[0].Tracks[0].Sizes) != 299 {
					t.Errorf("%d recordings, %d sizes; want one with 299", len(list), len(list[0].Tracks[0].Sizes))
				}
			})
		})
	}
}

// TestOtherSamplesInAnotherFile: pictures of another bit depth begin another recording,
// but not as often as they change.
func TestOtherSamplesInAnotherFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if list := changing(t, media.AV1, 300, func(n int, data []byte) []byte {
			if n < 150 {
				return data
			}
			return deeper(data)
		}); len(list) != 2 {
			t.Errorf("%d recordings, want 2", len(list))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		list := changing(t, media.AV1, 300, func(n int, data []byte) []byte { // 12 s
			if n%2 == 0 {
				return data
			}
			return deeper(data)
		})
		if len(list) < 2 || len(list) > 3 {
			t.Errorf("%d recordings, want one each 5 s", len(list))
		}
	})
}

// TestLayersInHeader: a spatial layer that begins between keyframes, or with one, is
// told by the header, and by the sidecar where it begins.
func TestLayersInHeader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, hub := newTest(t, dir)
		// A frame of VP9 that refers to smaller ones: 1280x720.
		upper := []byte{0x86, 0x00, 0x40, 0x00, 0x02, 0x7f, 0x81, 0x67, 0xa0}
		picture := func(n int, layers bool) []byte {
			lower := sfutest.Frame(media.VP9, n, n == 0, 500)
			if !layers {
				return lower
			}
			const index = 0xc0 | 1<<3 | 1 // two frames, sizes of two bytes
			return append(append(lower, upper...), index, byte(500&0xff), byte(500>>8), byte(len(upper)), 0, index)
		}
		publish(t, hub, "a", []media.TrackInfo{{ID: "video", Codec: media.VP9}}, func(b *broadcast) {
			for n := range 50 {
				b.writers["video"].WriteFrame(media.Frame{PTS: time.Duration(n) * videoStep, Sync: n == 0, Data: picture(n, n >= 25)})
				time.Sleep(videoStep)
			}
		})
		rec, file := only(t, r, dir)
		v := rec.Tracks[0]
		if v.Width != sfutest.Width || len(v.Sizes) != 1 || v.Sizes[0] != (Size{AtMS: 1000, Width: 1280, Height: 720}) {
			t.Errorf("the sidecar tells %+v", v)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if size := []byte{0xb0, 0x82, 1280 >> 8, 1280 & 0xff, 0xba, 0x82, 720 >> 8, 720 & 0xff}; !bytes.Contains(raw, size) {
			t.Error("the header does not tell the largest layer")
		}
	})
}
