package webm

import (
	"math/rand/v2"
	"testing"
)

// TestThinKeepsItsPromises thins random indices to random sizes.
func TestThinKeepsItsPromises(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	thinned := 0
	for range 2000 {
		var cues []cue
		at := int64(random.IntN(5000))
		for range 1 + random.IntN(300) {
			cues = append(cues, cue{ms: at})
			at += int64(random.IntN(1 + random.IntN(6000)))
		}
		n := random.IntN(100)
		out := thin(cues, n)
		if len(out) > n || len(cues) <= n && len(out) != len(cues) {
			t.Fatalf("%d of %d cues for room for %d", len(out), len(cues), n)
		}
		if len(out) == 0 {
			if least := spread(nil, cues, maxCueStep); n > 0 && len(least) <= n {
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
			original[cues[i].ms] = cues[i+1].ms
		}
		for i := range out[1:] {
			if gap := out[i+1].ms - out[i].ms; gap > maxCueStep && original[out[i].ms] != out[i+1].ms {
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
	if cuesHead != voidHead {
		t.Fatal("the head of the Cues cannot replace that of a Void")
	}
	for _, c := range []cue{{track: 1}, {ticks: maxCueTicks, position: 1<<48 - 1, track: 126}} {
		for n := range 3 {
			b, err := renderCues([]cue{c, c, c}[:n])
			if err != nil || len(b) != cuesHead+n*cueBytes {
				t.Errorf("%d cues take %d bytes, %v", n, len(b), err)
			}
			if _, err := scan(b, 0, len(b)); err != nil {
				t.Error(err)
			}
		}
	}
}
