package webm_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/webmtest"
)

// TestCutAnywhere cuts an open file at many places and requires every block that
// is whole.
func TestCutAnywhere(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{IndexReserve: 500}, webmtest.AVTracks())
	frames := webmtest.Interleaved(8 * time.Second)
	ends := make([]int64, len(frames)) // where each block ends
	for i, fr := range frames {
		if err := w.WriteFrame(fr.Track, fr.Block); err != nil {
			t.Fatal(err)
		}
		ends[i] = w.Stats().Bytes
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	header := f.Ends[0]
	for n := range 500 {
		at := header + random.IntN(len(f.B)-header+1)
		if n == 0 {
			at = len(f.B)
		}
		whole := 0
		for whole < len(ends) && ends[whole] <= int64(at) {
			whole++
		}
		o, err := webmtest.ReadOracle(f.B[:at], true)
		if err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		webmtest.Compare(t, o.Blocks(), frames[:whole])
	}
}

// TestCrashInFinish stops Finish after each of its positioned writes.
func TestCrashInFinish(t *testing.T) {
	frames := webmtest.Interleaved(8 * time.Second)
	for name, reserve := range map[string]int{"index in front": 500, "index at the end": -1} {
		t.Run(name, func(t *testing.T) {
			tracks := append(webmtest.AVTracks(), webmtest.AVTracks()...) // two of them silent
			w, whole := webmtest.NewWriter(t, webm.Config{IndexReserve: reserve}, tracks)
			webmtest.Feed(t, w, frames)
			if err := w.Finish(); err != nil {
				t.Fatal(err)
			}
			total := len(whole.Patches)
			if total < 8+2+3 {
				t.Fatalf("only %d positioned writes", total)
			}
			for n := 1; n <= total; n++ {
				w, f := webmtest.NewWriter(t, webm.Config{IndexReserve: reserve}, tracks)
				f.Sealed = n
				webmtest.Feed(t, w, frames)
				if err := w.Finish(); err != nil {
					t.Fatal(err)
				}
				o, err := webmtest.ReadOracle(f.B, false)
				if err != nil {
					t.Fatalf("after %d of %d writes: %v", n, total, err)
				}
				webmtest.Compare(t, o.Blocks(), frames)
				if d := o.Segment.Info.Duration; d != 0 && (d < 7999 || d > 8001) {
					t.Fatalf("after %d of %d writes: duration %v", n, total, d)
				}
			}
		})
	}
}

// TestFileFails lets the file fail at each of its first calls, in three ways.
func TestFileFails(t *testing.T) {
	frames := webmtest.Interleaved(40 * time.Second)
	run := func(f *webmtest.MemFile) (w *webm.Writer, err error) {
		if w, err = webm.NewWriter(f, webm.Config{}, webmtest.AVTracks()); err != nil {
			return nil, err
		}
		for i, fr := range frames {
			if err = w.WriteFrame(fr.Track, fr.Block); err != nil {
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
		for _, f := range []*webmtest.MemFile{{FailAt: n}, {FailAt: n, Half: true}, {FailAt: n, Short: true}} {
			name := fmt.Sprintf("call %d, half %v, short %v", n, f.Half, f.Short)
			w, err := run(f)
			if !errors.Is(err, layout.ErrWrite) || !f.Short && !errors.Is(err, webmtest.ErrDisk) {
				t.Fatalf("%s: %v", name, err)
			}
			if f.Calls != n {
				t.Fatalf("%s: %d calls", name, f.Calls)
			}
			if w == nil {
				continue
			}
			calls, content := f.Calls, bytes.Clone(f.B)
			for what, again := range map[string]error{
				"WriteFrame": w.WriteFrame(0, frames[0].Block), "Flush": w.Flush(),
				"SetSize": w.SetSize(webmtest.VideoTrack, 1, 1), "Finish": w.Finish(),
			} {
				if !errors.Is(again, err) {
					t.Fatalf("%s: then %s: %v", name, what, again)
				}
			}
			w.Stats()
			if f.Calls != calls || !bytes.Equal(f.B, content) {
				t.Fatalf("%s: the file was written to again", name)
			}
			if _, err := webmtest.ReadOracle(f.B, true); err != nil {
				t.Fatalf("%s: the file left behind: %v", name, err)
			}
		}
	}
}
