package webm

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestCutAnywhere cuts an open file at many places and requires every block that
// is whole.
func TestCutAnywhere(t *testing.T) {
	w, f := newWriter(t, Config{IndexReserve: 500}, avTracks())
	frames := interleaved(8 * time.Second)
	ends := make([]int64, len(frames)) // where each block ends
	for i, fr := range frames {
		if err := w.WriteFrame(fr.track, fr.Block); err != nil {
			t.Fatal(err)
		}
		ends[i] = w.Stats().Bytes
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	header := int(w.layout.end)
	for n := range 500 {
		at := header + random.IntN(len(f.b)-header+1)
		if n == 0 {
			at = len(f.b)
		}
		whole := 0
		for whole < len(ends) && ends[whole] <= int64(at) {
			whole++
		}
		o, err := readOracle(f.b[:at], true)
		if err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		compare(t, o.blocks(), frames[:whole])
	}
}

// TestCrashInFinish stops Finish after each of its positioned writes.
func TestCrashInFinish(t *testing.T) {
	frames := interleaved(8 * time.Second)
	for name, reserve := range map[string]int{"index in front": 500, "index at the end": -1} {
		t.Run(name, func(t *testing.T) {
			tracks := append(avTracks(), avTracks()...) // two of them silent
			w, whole := newWriter(t, Config{IndexReserve: reserve}, tracks)
			feed(t, w, frames)
			if err := w.Finish(); err != nil {
				t.Fatal(err)
			}
			total := len(whole.patches)
			if total < 8+2+3 {
				t.Fatalf("only %d positioned writes", total)
			}
			for n := 1; n <= total; n++ {
				w, f := newWriter(t, Config{IndexReserve: reserve}, tracks)
				f.sealed = n
				feed(t, w, frames)
				if err := w.Finish(); err != nil {
					t.Fatal(err)
				}
				o, err := readOracle(f.b, false)
				if err != nil {
					t.Fatalf("after %d of %d writes: %v", n, total, err)
				}
				compare(t, o.blocks(), frames)
				if d := o.Segment.Info.Duration; d != 0 && (d < 7999 || d > 8001) {
					t.Fatalf("after %d of %d writes: duration %v", n, total, d)
				}
			}
		})
	}
}

// TestFileFails lets the file fail at each of its first calls, in three ways.
func TestFileFails(t *testing.T) {
	frames := interleaved(40 * time.Second)
	run := func(f *memFile) (w *Writer, err error) {
		if w, err = NewWriter(f, Config{}, avTracks()); err != nil {
			return nil, err
		}
		for i, fr := range frames {
			if err = w.WriteFrame(fr.track, fr.Block); err != nil {
				return w, err
			}
			if i%100 == 99 {
				if err = w.Flush(); err != nil {
					return w, err
				}
			}
		}
		return w, w.Finish()
	}
	for n := 1; n <= 70; n++ {
		for _, f := range []*memFile{{failAt: n}, {failAt: n, half: true}, {failAt: n, short: true}} {
			name := fmt.Sprintf("call %d, half %v, short %v", n, f.half, f.short)
			w, err := run(f)
			if !errors.Is(err, ErrWrite) || !f.short && !errors.Is(err, errDisk) {
				t.Fatalf("%s: %v", name, err)
			}
			if f.calls != n {
				t.Fatalf("%s: %d calls", name, f.calls)
			}
			if w == nil {
				continue
			}
			calls, content := f.calls, bytes.Clone(f.b)
			for what, again := range map[string]error{
				"WriteFrame": w.WriteFrame(0, frames[0].Block), "Flush": w.Flush(),
				"SetSize": w.SetSize(videoTrack, 1, 1), "Finish": w.Finish(),
			} {
				if !errors.Is(again, err) {
					t.Fatalf("%s: then %s: %v", name, what, again)
				}
			}
			w.Stats()
			if f.calls != calls || !bytes.Equal(f.b, content) {
				t.Fatalf("%s: the file was written to again", name)
			}
			if _, err := readOracle(f.b, true); err != nil {
				t.Fatalf("%s: the file left behind: %v", name, err)
			}
		}
	}
}
