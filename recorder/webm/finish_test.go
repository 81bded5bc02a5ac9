package webm

import (
	"errors"
	"testing"
	"time"

	"weir/sfu/media"
)

func TestIndexIsInFront(t *testing.T) {
	b := written(t, Config{}, avTracks(), interleaved(20*time.Second))
	seg := checkFinished(t, b)
	cues, first := seg.find(0x1C53BB6B), seg.find(0x1F43B675)
	if cues == nil || cues.at > first.at {
		t.Fatal("no cues ahead of the first cluster")
	}
	if free := seg.find(uint32(voidID)); free == nil || free.end() != first.at {
		t.Error("the room for cues does not end with a Void")
	}
}

func TestIndexGoesToTheEnd(t *testing.T) {
	for _, reserve := range []int{-1, 1, 9, 40, 60, cuesHead + 6*cueBytes} {
		b := written(t, Config{IndexReserve: reserve}, avTracks(), interleaved(60*time.Second))
		seg := checkFinished(t, b)
		cues := seg.find(0x1C53BB6B)
		if cues == nil || cues != seg.children[len(seg.children)-1] {
			t.Fatalf("reserve %d: cues are not at the end", reserve)
		}
		if n := len(cues.children); n != 60 {
			t.Errorf("reserve %d: %d cues of 60", reserve, n)
		}
	}
}

func TestIndexIsThinned(t *testing.T) {
	frames := interleaved(60 * time.Second)
	for _, room := range []int{7, 10, 20, 30, 59, 60, 61} {
		b := written(t, Config{IndexReserve: cuesHead + room*cueBytes}, avTracks(), frames)
		seg := checkFinished(t, b)
		cues := seg.find(0x1C53BB6B)
		if cues.at > seg.find(0x1F43B675).at {
			t.Errorf("room for %d: cues are at the end", room)
			continue
		}
		if n := len(cues.children); n > room || n <= room/2 && room < 60 {
			t.Errorf("room for %d: %d cues", room, n)
		}
		prev := int64(0)
		for _, c := range cues.children {
			at := uintAt(b, c.find(0xB3))
			if at-prev > maxCueStep {
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
	frames := interleaved(4 * time.Second)
	for reserve := 0; reserve < 200; reserve++ {
		c := Config{IndexReserve: reserve}
		checkFinished(t, written(t, c, avTracks(), frames))
	}
}

func TestAudioOnly(t *testing.T) {
	var frames []fed
	for i := range 50 * 21 {
		frames = append(frames, ms(audioTrack, i*20, true))
	}
	for name, tracks := range map[string][]TrackEntry{
		"declared alone":           avTracks()[:1],
		"with a video that is not": avTracks(),
	} {
		b := written(t, Config{}, tracks, frames)
		seg := checkFinished(t, b)
		if n := len(seg.find(0x1C53BB6B).children); n != 5 {
			t.Errorf("%s: %d cues in 21 s", name, n)
		}
		o := mustRead(t, b)
		compare(t, o.blocks(), frames)
		if n := len(o.Segment.Tracks.TrackEntry); n != 1 {
			t.Errorf("%s: %d tracks", name, n)
		}
	}
}

func TestAudioCuesAreNotDenser(t *testing.T) {
	var frames []fed
	for i := range 50 * 21 {
		frames = append(frames, ms(audioTrack, i*20, true))
	}
	seg := checkFinished(t, written(t, Config{MaxCluster: 100 * time.Millisecond}, avTracks(), frames))
	if n := len(seg.find(0x1C53BB6B).children); n != 5 {
		t.Errorf("%d cues in 21 s", n)
	}
}

func TestVideoOnly(t *testing.T) {
	var frames []fed
	for _, f := range interleaved(5 * time.Second) {
		if f.track == videoTrack {
			frames = append(frames, f)
		}
	}
	b := written(t, Config{}, avTracks(), frames)
	checkFinished(t, b)
	o := mustRead(t, b)
	compare(t, o.blocks(), frames)
	if e := o.Segment.Tracks.TrackEntry; len(e) != 1 || e[0].CodecID != "V_VP8" || e[0].TrackNumber != 2 {
		t.Errorf("tracks %+v", e)
	}
}

// TestLateVideo requires that the index is the video's although sound came first.
func TestLateVideo(t *testing.T) {
	var frames []fed
	for i := range 50 * 20 {
		frames = append(frames, ms(audioTrack, i*20, true))
		if i >= 600 && i%5 == 0 {
			frames = append(frames, ms(videoTrack, i*20, i%100 == 0))
		}
	}
	b := written(t, Config{}, avTracks(), frames)
	seg := checkFinished(t, b)
	o := mustRead(t, b)
	compare(t, o.blocks(), frames)
	cues := seg.find(0x1C53BB6B).children
	if len(cues) != 4 || uintAt(b, cues[0].find(0xB3)) != 12000 {
		t.Errorf("%d cues", len(cues))
	}
}

func TestVideoWithoutKeyframe(t *testing.T) {
	b := written(t, Config{}, avTracks(), []fed{ms(1, 0, false), ms(1, 33, false), ms(1, 6000, false)})
	seg := checkFinished(t, b)
	if seg.find(0x1C53BB6B) != nil {
		t.Error("cues lead to where no decoder can start")
	}
}

func TestEmptyFile(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	checkFinished(t, f.b)
	o := mustRead(t, f.b)
	if len(o.Segment.Tracks.TrackEntry) != 2 || o.Segment.Info.Duration != 0 {
		t.Errorf("%+v", o.Segment)
	}
}

func TestNothingAfterFinish(t *testing.T) {
	w, f := newWriter(t, Config{}, []TrackEntry{{Codec: media.Opus}, {Codec: media.VP8}})
	feed(t, w, interleaved(2*time.Second))
	for range 3 {
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
	}
	calls := f.calls
	if err := w.WriteFrame(0, Block{Data: []byte{1}}); !errors.Is(err, ErrFinished) {
		t.Errorf("WriteFrame: %v", err)
	}
	if err := w.SetSize(videoTrack, 9, 9); !errors.Is(err, ErrFinished) {
		t.Errorf("SetSize: %v", err)
	}
	if err := w.Flush(); err != nil {
		t.Errorf("Flush: %v", err)
	}
	if f.calls != calls {
		t.Error("the file was written to after Finish")
	}
	checkFinished(t, f.b)
}
