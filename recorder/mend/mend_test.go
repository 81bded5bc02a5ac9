package mend

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// How far apart pictures and packets of sound are.
const step, soundStep = 40 * time.Millisecond, 20 * time.Millisecond

// TestFillSoundKeepsTheFile: a file with holes is replaced and kept; one without is left
// alone, and so is one whose other name is taken.
func TestFillSoundKeepsTheFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.webm")
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := webm.NewWriter(f, webm.Config{}, []ebml.TrackEntry{{Codec: media.VP8}, {Codec: media.Opus}})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		at := time.Duration(n) * step
		if err := w.WriteFrame(0, webm.Block{Time: at, Sync: n%25 == 0, Data: sfutest.VP8Frame(n, n%25 == 0, 100)}); err != nil {
			t.Fatal(err)
		}
		if n%25 < 10 {
			for i := range 2 {
				err = w.WriteFrame(1, webm.Block{Time: at + time.Duration(i)*soundStep, Data: sfutest.OpusFrame(n, 50)})
				if err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	was, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	report, filled, kept, err := FillSound(file)
	if err != nil || filled.Holes != 4 || filled.Duration != 4*600*time.Millisecond-step || report.Frames != 180 || kept != file+origSuffix {
		t.Fatalf("%+v, %+v, %s, %v", report, filled, kept, err)
	}
	if b, err := os.ReadFile(kept); err != nil || string(b) != string(was) {
		t.Errorf("what is kept is another file: %v", err)
	}
	now, err := Verify(file)
	if err != nil || !now.Clean || now.Frames != 180 || now.Filler != filled.Frames || now.Duration < 3980*time.Millisecond {
		t.Errorf("%+v, %v", now, err)
	}
	if report, filled, kept, err := FillSound(file); err != nil || !report.Clean || filled.Frames != 0 || kept != "" {
		t.Errorf("once more: %+v, %+v, %q, %v", report, filled, kept, err)
	}
	if err := os.WriteFile(file, was, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := FillSound(file); err == nil {
		t.Error("what was kept before is overwritten")
	}
	if left, _ := filepath.Glob(file + "*"); len(left) != 2 {
		t.Errorf("files: %v", left)
	}
}
