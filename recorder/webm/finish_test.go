package webm_test

import (
	"errors"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

func TestIndexIsInFront(t *testing.T) {
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), webmtest.Interleaved(20*time.Second))
	seg := webmtest.CheckFinished(t, b)
	cues, first := seg.Find(0x1C53BB6B), seg.Find(0x1F43B675)
	if cues == nil || cues.At > first.At {
		t.Fatal("no cues ahead of the first cluster")
	}
	if free := seg.Find(uint32(ebml.VoidID)); free == nil || free.End() != first.At {
		t.Error("the room for cues does not end with a Void")
	}
}

func TestIndexGoesToTheEnd(t *testing.T) {
	for _, reserve := range []int{-1, 1, 9, 40, 60, layout.CuesHead + 6*layout.CueBytes} {
		b := webmtest.Written(t, webm.Config{IndexReserve: reserve}, webmtest.AVTracks(), webmtest.Interleaved(60*time.Second))
		seg := webmtest.CheckFinished(t, b)
		cues := seg.Find(0x1C53BB6B)
		if cues == nil || cues != seg.Children[len(seg.Children)-1] {
			t.Fatalf("reserve %d: cues are not at the end", reserve)
		}
		if n := len(cues.Children); n != 60 {
			t.Errorf("reserve %d: %d cues of 60", reserve, n)
		}
	}
}

func TestIndexIsThinned(t *testing.T) {
	frames := webmtest.Interleaved(60 * time.Second)
	for _, room := range []int{7, 10, 20, 30, 59, 60, 61} {
		b := webmtest.Written(t, webm.Config{IndexReserve: layout.CuesHead + room*layout.CueBytes}, webmtest.AVTracks(), frames)
		seg := webmtest.CheckFinished(t, b)
		cues := seg.Find(0x1C53BB6B)
		if cues.At > seg.Find(0x1F43B675).At {
			t.Errorf("room for %d: cues are at the end", room)
			continue
		}
		if n := len(cues.Children); n > room || n <= room/2 && room < 60 {
			t.Errorf("room for %d: %d cues", room, n)
		}
		prev := int64(0)
		for _, c := range cues.Children {
			at := webmtest.UintAt(b, c.Find(0xB3))
			if at-prev > layout.MaxCueStep {
				t.Errorf("room for %d: nothing between %d and %d ms", room, prev, at)
			}
			prev = at
		}
		if prev != 59000 {
			t.Errorf("room for %d: the last cue is at %d ms of 60000", room, prev)
		}
	}
}

// TestIndexFillsItsRoom goes through all amounts of room left over.
func TestIndexFillsItsRoom(t *testing.T) {
	frames := webmtest.Interleaved(4 * time.Second)
	for reserve := 0; reserve < 200; reserve++ {
		c := webm.Config{IndexReserve: reserve}
		webmtest.CheckFinished(t, webmtest.Written(t, c, webmtest.AVTracks(), frames))
	}
}

func TestAudioOnly(t *testing.T) {
	var frames []webmtest.Fed
	for i := range 50 * 21 {
		frames = append(frames, webmtest.Ms(webmtest.AudioTrack, i*20, true))
	}
	for name, tracks := range map[string][]ebml.TrackEntry{
		"declared alone":           webmtest.AVTracks()[:1],
		"with a video that is not": webmtest.AVTracks(),
	} {
		b := webmtest.Written(t, webm.Config{}, tracks, frames)
		seg := webmtest.CheckFinished(t, b)
		if n := len(seg.Find(0x1C53BB6B).Children); n != 5 {
			t.Errorf("%s: %d cues in 21 s", name, n)
		}
		o := webmtest.MustRead(t, b)
		webmtest.Compare(t, o.Blocks(), frames)
		if n := len(o.Segment.Tracks.TrackEntry); n != 1 {
			t.Errorf("%s: %d tracks", name, n)
		}
	}
}

func TestAudioCuesAreNotDenser(t *testing.T) {
	var frames []webmtest.Fed
	for i := range 50 * 21 {
		frames = append(frames, webmtest.Ms(webmtest.AudioTrack, i*20, true))
	}
	seg := webmtest.CheckFinished(t, webmtest.Written(t, webm.Config{MaxCluster: 100 * time.Millisecond}, webmtest.AVTracks(), frames))
	if n := len(seg.Find(0x1C53BB6B).Children); n != 5 {
		t.Errorf("%d cues in 21 s", n)
	}
}

func TestVideoOnly(t *testing.T) {
	var frames []webmtest.Fed
	for _, f := range webmtest.Interleaved(5 * time.Second) {
		if f.Track == webmtest.VideoTrack {
			frames = append(frames, f)
		}
	}
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), frames)
	webmtest.CheckFinished(t, b)
	o := webmtest.MustRead(t, b)
	webmtest.Compare(t, o.Blocks(), frames)
	if e := o.Segment.Tracks.TrackEntry; len(e) != 1 || e[0].CodecID != "V_VP8" || e[0].TrackNumber != 2 {
		t.Errorf("tracks %+v", e)
	}
}

// TestLateVideo requires that the index is the video's although sound came first.
func TestLateVideo(t *testing.T) {
	var frames []webmtest.Fed
	for i := range 50 * 20 {
		frames = append(frames, webmtest.Ms(webmtest.AudioTrack, i*20, true))
		if i >= 600 && i%5 == 0 {
			frames = append(frames, webmtest.Ms(webmtest.VideoTrack, i*20, i%100 == 0))
		}
	}
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), frames)
	seg := webmtest.CheckFinished(t, b)
	o := webmtest.MustRead(t, b)
	webmtest.Compare(t, o.Blocks(), frames)
	cues := seg.Find(0x1C53BB6B).Children
	if len(cues) != 4 || webmtest.UintAt(b, cues[0].Find(0xB3)) != 12000 {
		t.Errorf("%d cues", len(cues))
	}
}

func TestVideoWithoutKeyframe(t *testing.T) {
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), []webmtest.Fed{webmtest.Ms(1, 0, false), webmtest.Ms(1, 33, false), webmtest.Ms(1, 6000, false)})
	seg := webmtest.CheckFinished(t, b)
	if seg.Find(0x1C53BB6B) != nil {
		t.Error("cues lead to where no decoder can start")
	}
}

func TestEmptyFile(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	webmtest.CheckFinished(t, f.B)
	o := webmtest.MustRead(t, f.B)
	if len(o.Segment.Tracks.TrackEntry) != 2 || o.Segment.Info.Duration != 0 {
		t.Errorf("%+v", o.Segment)
	}
}

func TestNothingAfterFinish(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, []ebml.TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}})
	webmtest.Feed(t, w, webmtest.Interleaved(2*time.Second))
	for range 3 {
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	calls := f.Calls
	if err := w.WriteFrame(0, webm.Block{Data: []byte{1}}); !errors.Is(err, webm.ErrFinished) {
		t.Errorf("WriteFrame: %v", err)
	}
	if err := w.SetSize(webmtest.VideoTrack, 9, 9); !errors.Is(err, webm.ErrFinished) {
		t.Errorf("SetSize: %v", err)
	}
	if err := w.Flush(); err != nil {
		t.Errorf("Flush: %v", err)
	}
	if f.Calls != calls {
		t.Error("the file was written to after Finish")
	}
	webmtest.CheckFinished(t, f.B)
}
