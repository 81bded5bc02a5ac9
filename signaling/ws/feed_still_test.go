package ws

import (
	"slices"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestFeedStill: while there is sound and no picture, who watches goes on with what it
// has, and is told; who comes when nobody can start with a picture any more gets the
// sound alone, and both with the next keyframe.
func TestFeedStill(t *testing.T) {
	h := newHandFeed(t, "a/still")
	h.run(2*time.Second, true, true)
	before := h.main.live.Stills()
	h.run(4*time.Second, true, false)
	if h.ring.paused {
		t.Error("paused after 4 s")
	}
	h.run(26*time.Second, true, false)
	if n := h.main.live.Stills() - before; before != 0 || n < 250 || n > 300 {
		t.Errorf("in 30 s the picture is shown again %d times, and %d times while it moved", n, before)
	}
	if got := h.ring.next(&h.at); !got.paused || got.newest < h.b.at-feedLatest {
		t.Errorf("after 30 s: paused %v, it has come to %v of %v", got.paused, got.newest, h.b.at)
	}
	late := position{}
	if got := h.ring.next(&late); got.mime != soundMIME || !got.some || got.paused {
		t.Errorf("who comes then gets %q, a unit: %v, paused: %v", got.mime, got.some, got.paused)
	}
	h.run(time.Second, true, true)
	if got := h.ring.next(&late); got.mime != bothMIME || !got.begins || !got.unit.Key || got.paused {
		t.Errorf("and with the next keyframe %q, a keyframe: %v, paused: %v", got.mime, got.unit.Key, got.paused)
	}
	if !slices.Equal(h.mimes, []string{bothMIME}) || h.hole {
		t.Errorf("who was there got %q, a hole: %v", h.mimes, h.hole)
	}
}

// TestFeedWithoutStill: where the picture cannot be shown again, all go over to the
// sound alone, though not for a moment's trouble; and back once, when pictures come
// steadily, not with each picture of a screen that stands still.
func TestFeedWithoutStill(t *testing.T) {
	h := newHandFeedOf(t, "a/none", sfutest.Clip{KeyEvery: 1, Codec: media.AV1})
	check := func(when string, want ...bool) {
		t.Helper()
		var got []bool
		for _, mime := range h.mimes {
			got = append(got, mime == soundMIME)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q", when, h.mimes)
		}
	}
	h.run(2*time.Second, true, true)
	h.run(1200*time.Millisecond, true, false)
	h.run(time.Second, true, true)
	check("after a moment without a picture", false)
	for range 3 {
		h.run(2*time.Second-sfutest.VideoInterval, true, false)
		h.run(sfutest.VideoInterval, true, true)
	}
	check("with a picture each 2 s", false)
	h.run(3*time.Second, true, false)
	check("after 3 s without", false, true)
	for range 10 {
		h.run(sfutest.VideoInterval, true, true)
		h.run(3*time.Second-sfutest.VideoInterval, true, false)
	}
	check("with a picture each 3 s", false, true)
	h.run(time.Second, true, true)
	check("with pictures again", false, true, false)
	if h.units < 5 {
		t.Errorf("%d units since", h.units)
	}
}

// vp9Keyframe returns the beginning of a keyframe of profile 2, of 10 bits or 12, with
// what follows it (VP9 section 6.2).
func vp9Keyframe(twelve bool, n int) []byte {
	depth := byte(0)
	if twelve {
		depth = 0x80
	}
	// bit_depth, color_space 1, color_range 0; 640 and 360 less one, shifted by 5 bits.
	const w, h = 639, 359
	return append([]byte{0x92, 0x49, 0x83, 0x42, depth | 1<<4 | w>>13, w >> 5 & 0xff, w&0x1f<<3 | h>>13, h >> 5 & 0xff, h & 0x1f << 3},
		sfutest.Frame(media.VP9, n, false, 500)...)
}

// TestFeedOtherProfile: when profile or bit depth change, all who watch begin anew with
// the keyframe, and with a type that names them; another size changes nothing.
func TestFeedOtherProfile(t *testing.T) {
	h := newHandFeedOf(t, "a/profile", sfutest.Clip{KeyEvery: 10, Codec: media.VP9})
	h.run(time.Second, true, true)
	h.runWith(time.Second, true, func(n int) []byte {
		data := h.b.clip.Video(n).Frame.Data
		if n%10 == 0 {
			data = slices.Clone(data)
			data[5]-- // of the width
		}
		return data
	})
	for _, twelve := range []bool{false, true} {
		h.runWith(2*time.Second, true, func(n int) []byte {
			if n%20 != 0 {
				return sfutest.Frame(media.VP9, n, false, 500)
			}
			return vp9Keyframe(twelve, n)
		})
		// The sound of that time comes with it: none of it is missing.
		if silence := h.main.live.Silence(); silence > 0 {
			t.Errorf("%d pieces of sound are missing", silence)
		}
	}
	want := []string{`codecs="vp9,opus"`, `codecs="vp09.02.10.10,opus"`, `codecs="vp09.02.10.12,opus"`}
	if !slices.EqualFunc(h.mimes, want, strings.HasSuffix) {
		t.Errorf("%q, want %q", h.mimes, want)
	}
	if h.units < 20 || h.hole {
		t.Errorf("%d units since the last, a hole: %v", h.units, h.hole)
	}
}
