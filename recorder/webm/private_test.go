package webm_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/repair"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

// TestPrivateLater: the header takes a CodecPrivate that comes after the sound, and is
// one that can be read before, after and between.
func TestPrivateLater(t *testing.T) {
	tracks := []ebml.TrackEntry{{Codec: media.AV1, PrivateLater: true}, {Codec: media.Opus}}
	for _, n := range []int{1, 20, 126, 127, 128, layout.PrivateRoom - 6, layout.PrivateRoom - 4} {
		w, f := webmtest.NewWriter(t, webm.Config{}, tracks)
		webmtest.Feed(t, w, []webmtest.Fed{{Track: 1, Block: webm.Block{Data: webmtest.Opus(0, 20)}}})
		if got := webmtest.MustReadAll(t, f.B); got.Headers[0].Tracks[0].CodecPrivate != nil {
			t.Fatalf("it is there before: %x", got.Headers[0].Tracks[0].CodecPrivate)
		}
		private := bytes.Repeat([]byte{0xEC}, n)
		for _, bad := range [][]byte{nil, make([]byte, layout.PrivateRoom-3)} {
			if err := w.SetPrivate(0, bad); !errors.Is(err, webm.ErrFrame) {
				t.Errorf("%d bytes: %v", len(bad), err)
			}
		}
		if err := w.SetPrivate(1, private); !errors.Is(err, webm.ErrTrack) {
			t.Errorf("for sound: %v", err)
		}
		if err := w.SetPrivate(0, private); err != nil {
			t.Fatal(err)
		}
		if err := w.SetPrivate(0, private); !errors.Is(err, webm.ErrTrack) {
			t.Errorf("a second time: %v", err)
		}
		if err := w.SetSize(0, 320, 240); err != nil {
			t.Fatal(err)
		}
		webmtest.Feed(t, w, []webmtest.Fed{{Track: 0, Block: webm.Block{Time: 3 * time.Second, Sync: true, Data: []byte{1, 2, 3}}}})
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		got := webmtest.MustReadAll(t, f.B)
		if e := got.Headers[0].Tracks[0]; !bytes.Equal(e.CodecPrivate, private) || e.Width != 320 || len(got.Frames) != 2 {
			t.Errorf("%d bytes became %d, %d wide, %d frames", n, len(e.CodecPrivate), e.Width, len(got.Frames))
		}
		if r, err := repair.Verify(bytes.NewReader(f.B), int64(len(f.B))); err != nil || !r.Clean || len(r.Faults) > 0 {
			t.Errorf("%d bytes: %v, %v", n, r.Faults, err)
		}
	}
	// What a crash leaves ahead of the picture is a file of sound.
	w, f := webmtest.NewWriter(t, webm.Config{}, tracks)
	webmtest.Feed(t, w, []webmtest.Fed{{Track: 1, Block: webm.Block{Data: webmtest.Opus(0, 20)}}, {Track: 1, Block: webm.Block{Time: 20 * time.Millisecond, Data: webmtest.Opus(1, 20)}}})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	crashed := &webmtest.RepairMem{B: f.B}
	if _, err := repair.Repair(crashed, int64(len(f.B))); err != nil {
		t.Fatal(err)
	}
	if got := webmtest.MustReadAll(t, crashed.B); len(got.Headers[0].Tracks) != 1 || len(got.Frames) != 2 {
		t.Errorf("%+v, %d frames", got.Headers, len(got.Frames))
	}
}
