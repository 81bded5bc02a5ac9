package repair_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/repair"
	"weir/recorder/webm/walk"
	"weir/recorder/webm/webmtest"
)

// repaired returns b after Repair, which must succeed; and requires that it is
// clean then and that a second Repair writes nothing.
func repaired(t testing.TB, b []byte) ([]byte, repair.Report) {
	t.Helper()
	f := &webmtest.RepairMem{B: bytes.Clone(b)}
	r, err := repair.Repair(f, int64(len(b)))
	if err != nil {
		t.Fatalf("Repair: %v; %+v", err, r)
	}
	checkClean(t, f.B)
	return f.B, r
}

func checkClean(t testing.TB, b []byte) repair.Report {
	t.Helper()
	f := &webmtest.RepairMem{B: bytes.Clone(b)}
	r, err := repair.Repair(f, int64(len(b)))
	if err != nil || !r.Clean || f.Calls > 0 || !bytes.Equal(f.B, b) {
		t.Fatalf("Repair of a clean file: %v, %d calls, %+v", err, f.Calls, r)
	}
	return r
}

// unfinished returns an open file with all of frames flushed, the same file finished,
// and where each block ends.
func unfinished(t testing.TB, c webm.Config, tracks []ebml.TrackEntry, frames []webmtest.Fed) (open, finished []byte, ends []int64) {
	t.Helper()
	w, f := webmtest.NewWriter(t, c, tracks)
	for i, fr := range frames {
		if err := w.WriteFrame(fr.Track, fr.Block); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		ends = append(ends, w.Stats().Bytes)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	open = bytes.Clone(f.B)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return open, f.B, ends
}

// TestRepairIsLikeFinish requires of a file that was not finished what Finish makes
// of it, to the byte.
func TestRepairIsLikeFinish(t *testing.T) {
	var frames []webmtest.Fed
	for _, f := range webmtest.Interleaved(60 * time.Second) { // in whole milliseconds, as the file
		f.Time = f.Time.Round(time.Millisecond)
		frames = append(frames, f)
	}
	frames = frames[:len(frames)-len(frames)%3]
	for name, reserve := range map[string]int{"in front": 0, "thinned": 700, "at the end": -1, "of 5": layout.CuesHead + 5*layout.CueBytes} {
		for _, tracks := range [][]ebml.TrackEntry{webmtest.AVTracks(), append(webmtest.AVTracks(), webmtest.AVTracks()...)} {
			open, finished, _ := unfinished(t, webm.Config{IndexReserve: reserve}, tracks, frames)
			checkClean(t, finished)
			got, r := repaired(t, open)
			if !bytes.Equal(got, finished) {
				for i := range got {
					if i >= len(finished) || got[i] != finished[i] {
						t.Fatalf("index %s: byte %d of %d differs (%d)", name, i, len(got), len(finished))
					}
				}
			}
			if r.Cut != 0 || r.Clean || r.Indexed || r.Frames != int64(len(frames)) || len(r.Faults) < 3 {
				t.Errorf("index %s: %+v", name, r)
			}
		}
	}
}

// TestRepairCutAnywhere cuts a file at many places, finished or not, and requires
// each block that is whole.
func TestRepairCutAnywhere(t *testing.T) {
	frames := webmtest.Interleaved(2 * time.Second)
	random := rand.New(rand.NewPCG(5, 6))
	for name, c := range map[string]webm.Config{"": {IndexReserve: 500}, "index at the end": {IndexReserve: -1}} {
		open, finished, ends := unfinished(t, c, webmtest.AVTracks(), frames)
		for n := range 1000 {
			b := open
			if n%2 == 1 {
				b = finished
			}
			start := ends[0] - 300
			at := start + random.Int64N(int64(len(b))-start+1)
			whole := 0
			for whole < len(ends) && ends[whole] <= at {
				whole++
			}
			if whole == 0 {
				continue
			}
			got, r := repaired(t, b[:at])
			if r.Frames != int64(whole) || r.Bytes+r.Cut != at {
				t.Fatalf("%s cut at %d: %+v, want %d blocks", name, at, r, whole)
			}
			webmtest.Compare(t, mustReadBlocks(t, got), frames[:whole])
			seg := webmtest.CheckFinished(t, got)
			if seg.Find(0x1C53BB6B) == nil {
				t.Fatalf("%s cut at %d: no cues", name, at)
			}
			end := frames[whole-1].Time.Seconds()*1000 + 40
			if d := webmtest.MustRead(t, got).Segment.Info.Duration; d < end-40 || d > end+1000 {
				t.Fatalf("%s cut at %d: duration %v, want %v", name, at, d, end)
			}
		}
	}
}

func mustReadBlocks(t testing.TB, b []byte) []webmtest.Got {
	t.Helper()
	o := webmtest.MustRead(t, b)
	return o.Blocks()
}

// TestRepairIsKilled stops a Repair at each of its writes, before it or in the
// middle of it, and requires that another one leads to the same file. If no write
// is torn, the file that is left plays.
func TestRepairIsKilled(t *testing.T) {
	frames := webmtest.Interleaved(8 * time.Second)
	tracks := append(webmtest.AVTracks(), webmtest.AVTracks()...)
	for name, c := range map[string]webm.Config{"index in front": {IndexReserve: 500}, "index at the end": {IndexReserve: -1}} {
		open, finished, ends := unfinished(t, c, tracks, frames)
		flipped := bytes.Clone(open)
		for i := ends[40]; i < ends[41]; i++ { // not a block any longer
			flipped[i] = 0
		}
		for what, b := range map[string][]byte{
			"open": open[:ends[300]+20], "finished": finished[:ends[300]+20], "damaged": flipped[:ends[300]+20],
		} {
			want, _ := repaired(t, b)
			plays := func(b []byte, n int) {
				o, err := webmtest.ReadOracle(b, n == 1) // its end is still there at first
				if err != nil {
					t.Fatalf("%s %s: stopped at call %d: %v", name, what, n, err)
				}
				webmtest.Compare(t, o.Blocks(), frames[:301])
			}
			if what == "damaged" {
				plays = nil
			}
			if n := killed(t, name+" "+what, b, want, 0, plays); n < 8 {
				t.Errorf("%s %s: only %d stops", name, what, n)
			}
			for _, torn := range []int{2, 3, 8} {
				killed(t, name+" "+what, b, want, torn, nil)
			}
		}
	}
}

// killed stops a Repair of b at each call, and returns at how many.
func killed(t *testing.T, name string, b, want []byte, torn int, check func(b []byte, call int)) int {
	t.Helper()
	for n := 1; ; n++ {
		f := &webmtest.RepairMem{B: bytes.Clone(b), FailAt: n, Torn: torn}
		_, err := repair.Repair(f, int64(len(b)))
		if err == nil {
			return n - 1
		}
		if !errors.Is(err, layout.ErrWrite) || !errors.Is(err, webmtest.ErrDisk) {
			t.Fatal(err)
		}
		if check != nil {
			check(f.B, n)
		}
		again := &webmtest.RepairMem{B: f.B}
		if r, err := repair.Repair(again, int64(len(f.B))); err != nil || !bytes.Equal(again.B, want) {
			t.Fatalf("%s: stopped at call %d, 1/%d: %v %+v", name, n, torn, err, r)
		}
	}
}

// TestRepairDecodes cuts what a camera gave and requires that ffmpeg decodes what
// Repair makes of it.
func TestRepairDecodes(t *testing.T) {
	frames := webmtest.RealFrames(t)
	open, _, ends := unfinished(t, webm.Config{}, webmtest.RealTracks(), frames)
	random := rand.New(rand.NewPCG(11, 12))
	for range 12 {
		at := ends[3] + random.Int64N(ends[len(ends)-1]-ends[3])
		whole := 0
		for ends[whole] <= at {
			whole++
		}
		b, _ := repaired(t, open[:at])
		name := webmtest.OnDisk(t, b)
		if complaint := decode(t, name); complaint != "" {
			t.Errorf("cut at %d: %s", at, complaint)
		}
		p := webmtest.Probe(t, name)
		p.Agree(t, frames[:whole])
		if d := webmtest.Seconds(t, p.Format.Duration); d < frames[whole-1].Time.Seconds() || d > frames[whole-1].Time.Seconds()+0.2 {
			t.Errorf("cut at %d: duration %v", at, d)
		}
	}
}

// TestRepairFails requires that nothing is done to what is no file, is several
// files, or cannot be read.
func TestRepairFails(t *testing.T) {
	open, finished, ends := unfinished(t, webm.Config{}, webmtest.AVTracks(), webmtest.Interleaved(time.Second))
	for name, tc := range map[string]struct {
		b   []byte
		err error
	}{
		"empty":           {nil, ebml.ErrNotWebM},
		"text":            {[]byte("hello, world, hello"), ebml.ErrNotWebM},
		"no Segment":      {open[:40], ebml.ErrHeader},
		"header cut":      {open[:200], ebml.ErrHeader},
		"two files":       {webmtest.Join(finished, open), walk.ErrSegments},
		"live, two files": {webmtest.Join(open, finished), walk.ErrSegments},
	} {
		f := &webmtest.RepairMem{B: bytes.Clone(tc.b)}
		if _, err := repair.Repair(f, int64(len(tc.b))); !errors.Is(err, tc.err) || f.Calls > 0 || !bytes.Equal(f.B, tc.b) {
			t.Errorf("%s: %v, %d calls", name, err, f.Calls)
		}
		if _, err := repair.Rewrite(bytes.NewReader(tc.b), int64(len(tc.b)), webmtest.Discard{}); !errors.Is(err, tc.err) {
			t.Errorf("%s: Rewrite: %v", name, err)
		}
	}
	if _, err := repair.Verify(bytes.NewReader(open), int64(len(open))+5000); !errors.Is(err, walk.ErrRead) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shorter than its size: %v", err)
	}
	for n := 1; n < 6; n++ {
		to := &webmtest.MemFile{FailAt: n}
		if _, err := repair.Rewrite(bytes.NewReader(open[:ends[20]]), ends[20], to); !errors.Is(err, layout.ErrWrite) {
			t.Errorf("copying fails at call %d: %v", n, err)
		}
	}
}

// TestRepairEmpty requires that a file without a block is left without an index.
func TestRepairEmpty(t *testing.T) {
	_, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	for _, n := range []int{f.Ends[0], f.Ends[0] - 100} {
		if b, r := repaired(t, f.B[:n]); r.Frames != 0 || webmtest.MustSegment(t, b).Find(0x1C53BB6B) != nil {
			t.Errorf("%+v", r)
		}
	}
}
