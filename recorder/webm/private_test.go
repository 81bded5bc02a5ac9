package webm

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"weir/sfu/media"
)

// TestPrivateLater: the header takes a CodecPrivate that comes after the sound, and is
// one that can be read before, after and between.
func TestPrivateLater(t *testing.T) {
	tracks := []TrackEntry{{Codec: media.AV1, PrivateLater: true}, {Codec: media.Opus}}
	for _, n := range []int{1, 20, 126, 127, 128, privateRoom - 6, privateRoom - 4} {
		w, f := newWriter(t, Config{}, tracks)
		feed(t, w, []fed{{1, Block{Data: opus(0, 20)}}})
		if got := mustReadAll(t, f.b); got.headers[0].Tracks[0].CodecPrivate != nil {
			t.Fatalf("it is there before: %x", got.headers[0].Tracks[0].CodecPrivate)
		}
		private := bytes.Repeat([]byte{0xEC}, n)
		for _, bad := range [][]byte{nil, make([]byte, privateRoom-3)} {
			if err := w.SetPrivate(0, bad); !errors.Is(err, ErrFrame) {
				t.Errorf("%d bytes: %v", len(bad), err)
			}
		}
		if err := w.SetPrivate(1, private); !errors.Is(err, ErrTrack) {
			t.Errorf("for sound: %v", err)
		}
		if err := w.SetPrivate(0, private); err != nil {
			t.Fatal(err)
		}
		if err := w.SetPrivate(0, private); !errors.Is(err, ErrTrack) {
			t.Errorf("a second time: %v", err)
		}
		if err := w.SetSize(0, 320, 240); err != nil {
			t.Fatal(err)
		}
		feed(t, w, []fed{{0, Block{Time: 3 * time.Second, Sync: true, Data: []byte{1, 2, 3}}}})
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		got := mustReadAll(t, f.b)
		if e := got.headers[0].Tracks[0]; !bytes.Equal(e.CodecPrivate, private) || e.Width != 320 || len(got.frames) != 2 {
			t.Errorf("%d bytes became %d, %d wide, %d frames", n, len(e.CodecPrivate), e.Width, len(got.frames))
		}
		if r, err := Verify(bytes.NewReader(f.b), int64(len(f.b))); err != nil || !r.Clean || len(r.Faults) > 0 {
			t.Errorf("%d bytes: %v, %v", n, r.Faults, err)
		}
	}
	// What a crash leaves ahead of the picture is a file of sound.
	w, f := newWriter(t, Config{}, tracks)
	feed(t, w, []fed{{1, Block{Data: opus(0, 20)}}, {1, Block{Time: 20 * time.Millisecond, Data: opus(1, 20)}}})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	crashed := &repairMem{b: f.b}
	if _, err := Repair(crashed, int64(len(f.b))); err != nil {
		t.Fatal(err)
	}
	if got := mustReadAll(t, crashed.b); len(got.headers[0].Tracks) != 1 || len(got.frames) != 2 {
		t.Errorf("%+v, %d frames", got.headers, len(got.frames))
	}
}
