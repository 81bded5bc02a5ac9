package layout_test

import (
	"math/rand/v2"
	"testing"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/webmtest"
)

// TestThinKeepsItsPromises thins random indices to random sizes.
func TestThinKeepsItsPromises(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	thinned := 0
	for range 2000 {
		var cues []layout.Cue
		at := int64(random.IntN(5000))
		for range 1 + random.IntN(300) {
			cues = append(cues, layout.Cue{MS: at})
			at += int64(random.IntN(1 + random.IntN(6000)))
		}
		n := random.IntN(100)
		out := layout.Thin(cues, n)
		if len(out) > n || len(cues) <= n && len(out) != len(cues) {
			t.Fatalf("%d of %d cues for room for %d", len(out), len(cues), n)
		}
		if len(out) == 0 {
			if least := layout.Spread(nil, cues, layout.MaxCueStep); n > 0 && len(least) <= n {
				t.Fatalf("%d cues would fit into room for %d", len(least), n)
			}
			continue
		}
		if len(out) < len(cues) {
			thinned++
		}
		if out[0] != cues[0] || out[len(out)-1] != cues[len(cues)-1] {
			t.Fatal("the first or the last cue is missing")
		}
		original := map[int64]int64{} // to each time the next one
		for i := range cues[1:] {
			original[cues[i].MS] = cues[i+1].MS
		}
		for i := range out[1:] {
			if gap := out[i+1].MS - out[i].MS; gap > layout.MaxCueStep && original[out[i].MS] != out[i+1].MS {
				t.Fatalf("a gap of %d ms", gap)
			}
		}
	}
	if thinned < 100 {
		t.Errorf("only %d of 2000 were thinned", thinned)
	}
}

// TestCueHasItsLength holds cueBytes and cuesHead against what is rendered.
func TestCueHasItsLength(t *testing.T) {
	if layout.CuesHead != ebml.VoidHead {
		t.Fatal("the head of the Cues cannot replace that of a Void")
	}
	for _, c := range []layout.Cue{{Track: 1}, {Ticks: layout.MaxCueTicks, Position: 1<<48 - 1, Track: 126}} {
		for n := range 3 {
			b, err := layout.RenderCues([]layout.Cue{c, c, c}[:n])
			if err != nil || len(b) != layout.CuesHead+n*layout.CueBytes {
				t.Errorf("%d cues take %d bytes, %v", n, len(b), err)
			}
			if _, err := webmtest.Scan(b, 0, len(b)); err != nil {
				t.Error(err)
			}
		}
	}
}
