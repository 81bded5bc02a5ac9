package webm

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"time"
)

// repairMem is a RepairFile in memory that can fail.
type repairMem struct {
	b      []byte
	calls  int
	failAt int // the call that fails, counted from one; 0 for none
	torn   int // the part of the failing write that reaches the file: one of so many; 0 for nothing
}

func (f *repairMem) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(f.b)) {
		return 0, io.EOF
	}
	n := copy(p, f.b[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *repairMem) fails() bool {
	f.calls++
	return f.failAt > 0 && f.calls >= f.failAt
}

func (f *repairMem) WriteAt(p []byte, at int64) (int, error) {
	var err error
	if f.fails() {
		if f.torn == 0 || f.calls > f.failAt {
			return 0, errDisk
		}
		p, err = p[:len(p)/f.torn], errDisk
	}
	if at > int64(len(f.b)) {
		return 0, errors.New("write behind the end of the file")
	}
	if more := at + int64(len(p)) - int64(len(f.b)); more > 0 {
		f.b = append(f.b, make([]byte, more)...)
	}
	return copy(f.b[at:], p), err
}

func (f *repairMem) Truncate(n int64) error {
	if f.fails() {
		return errDisk
	}
	if n > int64(len(f.b)) {
		return errors.New("truncate behind the end of the file")
	}
	f.b = f.b[:n]
	return nil
}

// repaired returns b after Repair, which must succeed; and requires that it is
// clean then and that a second Repair writes nothing.
func repaired(t testing.TB, b []byte) ([]byte, Report) {
	t.Helper()
	f := &repairMem{b: bytes.Clone(b)}
	r, err := Repair(f, int64(len(b)))
	if err != nil {
		t.Fatalf("Repair: %v; %+v", err, r)
	}
	checkClean(t, f.b)
	return f.b, r
}

func checkClean(t testing.TB, b []byte) Report {
	t.Helper()
	f := &repairMem{b: bytes.Clone(b)}
	r, err := Repair(f, int64(len(b)))
	if err != nil || !r.Clean || f.calls > 0 || !bytes.Equal(f.b, b) {
		t.Fatalf("Repair of a clean file: %v, %d calls, %+v", err, f.calls, r)
	}
	return r
}

// unfinished returns an open file with all of frames flushed, the same file finished,
// and where each block ends.
func unfinished(t testing.TB, c Config, tracks []TrackEntry, frames []fed) (open, finished []byte, ends []int64) {
	t.Helper()
	w, f := newWriter(t, c, tracks)
	for i, fr := range frames {
		if err := w.WriteFrame(fr.track, fr.Block); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		ends = append(ends, w.Stats().Bytes)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	open = bytes.Clone(f.b)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return open, f.b, ends
}

// TestRepairIsLikeFinish requires of a file that was not finished what Finish makes
// of it, to the byte.
func TestRepairIsLikeFinish(t *testing.T) {
	var frames []fed
	for _, f := range interleaved(60 * time.Second) { // in whole milliseconds, as the file
		f.Time = f.Time.Round(time.Millisecond)
		frames = append(frames, f)
	}
	frames = frames[:len(frames)-len(frames)%3]
	for name, reserve := range map[string]int{"in front": 0, "thinned": 700, "at the end": -1, "of 5": cuesHead + 5*cueBytes} {
		for _, tracks := range [][]TrackEntry{avTracks(), append(avTracks(), avTracks()...)} {
			open, finished, _ := unfinished(t, Config{IndexReserve: reserve}, tracks, frames)
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
	frames := interleaved(2 * time.Second)
	random := rand.New(rand.NewPCG(5, 6))
	for name, c := range map[string]Config{"": {IndexReserve: 500}, "index at the end": {IndexReserve: -1}} {
		open, finished, ends := unfinished(t, c, avTracks(), frames)
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
			compare(t, mustReadBlocks(t, got), frames[:whole])
			seg := checkFinished(t, got)
			if seg.find(0x1C53BB6B) == nil {
				t.Fatalf("%s cut at %d: no cues", name, at)
			}
			end := frames[whole-1].Time.Seconds()*1000 + 40
			if d := mustRead(t, got).Segment.Info.Duration; d < end-40 || d > end+1000 {
				t.Fatalf("%s cut at %d: duration %v, want %v", name, at, d, end)
			}
		}
	}
}

func mustReadBlocks(t testing.TB, b []byte) []got {
	t.Helper()
	o := mustRead(t, b)
	return o.blocks()
}

// TestRepairIsKilled stops a Repair at each of its writes, before it or in the
// middle of it, and requires that another one leads to the same file. If no write
// is torn, the file that is left plays.
func TestRepairIsKilled(t *testing.T) {
	frames := interleaved(8 * time.Second)
	tracks := append(avTracks(), avTracks()...)
	for name, c := range map[string]Config{"index in front": {IndexReserve: 500}, "index at the end": {IndexReserve: -1}} {
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
				o, err := readOracle(b, n == 1) // its end is still there at first
				if err != nil {
					t.Fatalf("%s %s: stopped at call %d: %v", name, what, n, err)
				}
				compare(t, o.blocks(), frames[:301])
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
		f := &repairMem{b: bytes.Clone(b), failAt: n, torn: torn}
		_, err := Repair(f, int64(len(b)))
		if err == nil {
			return n - 1
		}
		if !errors.Is(err, ErrWrite) || !errors.Is(err, errDisk) {
			t.Fatal(err)
		}
		if check != nil {
			check(f.b, n)
		}
		again := &repairMem{b: f.b}
		if r, err := Repair(again, int64(len(f.b))); err != nil || !bytes.Equal(again.b, want) {
			t.Fatalf("%s: stopped at call %d, 1/%d: %v %+v", name, n, torn, err, r)
		}
	}
}

// TestRepairDecodes cuts what a camera gave and requires that ffmpeg decodes what
// Repair makes of it.
func TestRepairDecodes(t *testing.T) {
	frames := realFrames(t)
	open, _, ends := unfinished(t, Config{}, realTracks(), frames)
	random := rand.New(rand.NewPCG(11, 12))
	for range 12 {
		at := ends[3] + random.Int64N(ends[len(ends)-1]-ends[3])
		whole := 0
		for ends[whole] <= at {
			whole++
		}
		b, _ := repaired(t, open[:at])
		name := onDisk(t, b)
		if complaint := decode(t, name); complaint != "" {
			t.Errorf("cut at %d: %s", at, complaint)
		}
		p := probe(t, name)
		p.agree(t, frames[:whole])
		if d := seconds(t, p.Format.Duration); d < frames[whole-1].Time.Seconds() || d > frames[whole-1].Time.Seconds()+0.2 {
			t.Errorf("cut at %d: duration %v", at, d)
		}
	}
}

// TestRepairFails requires that nothing is done to what is no file, is several
// files, or cannot be read.
func TestRepairFails(t *testing.T) {
	open, finished, ends := unfinished(t, Config{}, avTracks(), interleaved(time.Second))
	for name, tc := range map[string]struct {
		b   []byte
		err error
	}{
		"empty":           {nil, ErrNotWebM},
		"text":            {[]byte("hello, world, hello"), ErrNotWebM},
		"no Segment":      {open[:40], ErrHeader},
		"header cut":      {open[:200], ErrHeader},
		"two files":       {join(finished, open), ErrSegments},
		"live, two files": {join(open, finished), ErrSegments},
	} {
		f := &repairMem{b: bytes.Clone(tc.b)}
		if _, err := Repair(f, int64(len(tc.b))); !errors.Is(err, tc.err) || f.calls > 0 || !bytes.Equal(f.b, tc.b) {
			t.Errorf("%s: %v, %d calls", name, err, f.calls)
		}
		if _, err := Rewrite(bytes.NewReader(tc.b), int64(len(tc.b)), discard{}); !errors.Is(err, tc.err) {
			t.Errorf("%s: Rewrite: %v", name, err)
		}
	}
	if _, err := Verify(bytes.NewReader(open), int64(len(open))+5000); !errors.Is(err, ErrRead) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("shorter than its size: %v", err)
	}
	for n := 1; n < 6; n++ {
		to := &memFile{failAt: n}
		if _, err := Rewrite(bytes.NewReader(open[:ends[20]]), ends[20], to); !errors.Is(err, ErrWrite) {
			t.Errorf("copying fails at call %d: %v", n, err)
		}
	}
}

// TestRepairEmpty requires that a file without a block is left without an index.
func TestRepairEmpty(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	for _, n := range []int64{w.layout.end, w.layout.end - 100} {
		if b, r := repaired(t, f.b[:n]); r.Frames != 0 || mustSegment(t, b).find(0x1C53BB6B) != nil {
			t.Errorf("%+v", r)
		}
	}
}
