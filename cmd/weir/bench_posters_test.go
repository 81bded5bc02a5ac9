package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"weir/cmd/weir/load"
	"weir/sfu/sfutest"
)

// TestBenchPosters: servers with and without posters are measured in turn.
func TestBenchPosters(t *testing.T) {
	dir := t.TempDir()
	binary, keyframe := filepath.Join(dir, "weir"), filepath.Join(dir, "keyframe.vp8")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	if err := os.WriteFile(keyframe, sfutest.Keyframe180, 0o644); err != nil {
		t.Fatal(err)
	}
	var progress, out bytes.Buffer
	b := bench{binary: binary, rounds: 2, duration: 3 * time.Second, progress: &progress}
	if err := (posterBench{b, keyframe, 3, 0}).comparePosters(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s%s", err, progress.String(), out.String())
	}
	want := "round 1 of 2: posters\nround 1 of 2: no posters\nround 2 of 2: no posters\nround 2 of 2: posters\n"
	if progress.String() != want {
		t.Errorf("the order is\n%s", progress.String())
	}
	if !regexp.MustCompile(`\nposters of 3 streams: 0 % of a core \(asked: 2\), p99 of latency [-+][0-9.]+ ms \(asked: \+1\), medians of 2 pairs\n`).MatchString(out.String()) {
		t.Errorf("the table:\n%s", out.String())
	}
}

// TestPosterShare: the first pictures, which come at once, are not counted.
func TestPosterShare(t *testing.T) {
	start := time.Now()
	c := posterCosts{first: posterCost{start, 2.5, 50}, last: posterCost{start.Add(100 * time.Second), 4.3, 86}}
	if share, taken := c.share(); taken != 36 || share < 1.799 || share > 1.801 {
		t.Errorf("%v %%, %d", share, taken)
	}
	report := &load.Report{Server: &load.Server{}}
	var out bytes.Buffer
	if err := writePosters(&out, []posterRound{{on: report, off: report, share: 1.8, taken: 36}}, 50); err != nil || !strings.Contains(out.String(), "posters of 50 streams: 1.80 % of a core") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
