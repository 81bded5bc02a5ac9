package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"weir/cmd/weir/load"
)

// TestBench: the table is measured with servers and loads of its own, and the
// history gets one line more.
func TestBench(t *testing.T) {
	dir, temp := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temp)
	binary := filepath.Join(dir, "weir")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var progress bytes.Buffer
	b := bench{
		binary: binary, rounds: 1, duration: time.Second, history: filepath.Join(dir, "history.jsonl"), progress: &progress,
		loads: []benchLoad{
			{name: "few", args: []string{"--viewers", "1", "--bitrate", "500k"}, count: true},
			{name: "many", args: []string{"--viewers", "4", "--bitrate", "500k"}, most: 1500 * time.Millisecond, count: true},
			{name: "joins", args: []string{"--joins", "20", "--bitrate", "500k"}},
		},
		rows: []benchRow{
			{"goroutines", "goroutines of a viewer", "", 100, false, func(r reports) load.Figure {
				return perViewer(r["few"], r["many"], func(s *load.Server) load.Figure { return s.Goroutines })
			}},
			{"packets", "packets received", "", 1e9, true, func(r reports) load.Figure { return load.Figure(r["many"].Received.Packets) }},
			{"joins", "joins", "", 20, true, func(r reports) load.Figure { return load.Figure(r["joins"].Joins.Done) }},
		},
	}
	// What an older weir wrote stays as it is.
	const older = `{"commit":"old","medians":{"other":1}}` + "\n"
	if err := os.WriteFile(b.history, []byte(older), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.compare(t.Context(), &out); err != nil {
		t.Fatalf("%v\n%s%s", err, progress.String(), out.String())
	}
	if text := out.String(); !strings.Contains(text, "1 of 3 figures were missed: packets received\n") {
		t.Errorf("the table:\n%s", text)
	}
	data, err := os.ReadFile(b.history)
	if err != nil {
		t.Fatal(err)
	}
	line, ok := strings.CutPrefix(string(data), older)
	var e benchEntry
	if err := json.Unmarshal([]byte(line), &e); err != nil || !ok || strings.Count(line, "\n") != 1 {
		t.Fatalf("%v: %s", err, data)
	}
	if e.Medians["joins"] != 20 || e.Medians["packets"] < 100 || !(e.Medians["goroutines"] > 0) || e.Rounds != 1 || e.DurationMS != 1000 ||
		time.Since(e.Time).Abs() > time.Hour || e.Go != runtime.Version() || e.CPU == "" || e.Kernel == "unknown" || e.Commit == "" {
		t.Errorf("%+v", e)
	}
	if left, err := filepath.Glob(filepath.Join(temp, "*")); err != nil || len(left) > 0 {
		t.Errorf("%q are left, %v", left, err)
	}
}

// TestBenchFails: what cannot be measured ends it, with what the server or the
// load said.
func TestBenchFails(t *testing.T) {
	for want, b := range map[string]bench{
		"no such file": {binary: filepath.Join(t.TempDir(), "weir"), loads: []benchLoad{{name: "a"}}},
		// A program that ends at once, whatever it is told.
		"ended before it was ready": {binary: "/bin/true", loads: []benchLoad{{name: "a"}}},
	} {
		b.rounds, b.progress = 1, &bytes.Buffer{}
		var out bytes.Buffer
		if err := b.compare(t.Context(), &out); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "round 1, a") {
			t.Errorf("%v; want %q", err, want)
		}
		if out.Len() > 0 {
			t.Errorf("there is a table of nothing:\n%s", out.String())
		}
	}
	for want, args := range map[string][]string{
		"--rounds is 0":     {"--rounds", "0"},
		"--duration is 1ms": {"--duration", "1ms"},
		`not "stray"`:       {"stray"},
	} {
		if status, _, stderr := weir(t, append([]string{"bench"}, args...)...); status != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %q", args, status, stderr)
		}
	}
}

// TestBenchLost: lost packets are an error, missed figures are not.
func TestBenchLost(t *testing.T) {
	if lost := lostPackets([]reports{{"a": {}}, {"a": {}}}); len(lost) != 0 {
		t.Errorf("%q were lost", lost)
	}
	lossy := &load.Report{Received: load.Received{Expected: 100, Lost: 3, Gaps: 1, Skipped: 2, Dropped: 1}}
	lost := lostPackets([]reports{{"a": {}}, {"a": lossy}})
	if len(lost) != 1 || lost[0] != "round 2, a: 3 of 100 (1 gaps, 2 left out by the server, 1 dropped by the load generator)" {
		t.Errorf("%q", lost)
	}
}

// TestBenchJudges: medians, either way of being asked, and what is unknown.
func TestBenchJudges(t *testing.T) {
	var unknown load.Figure
	if err := json.Unmarshal([]byte("null"), &unknown); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		asked    load.Figure
		atLeast  bool
		measured []load.Figure
		median   load.Figure
		missed   bool
	}{
		{"reached", 2, false, []load.Figure{9, 1, 2}, 2, false},
		{"missed", 2, false, []load.Figure{1, 9, 3}, 3, true},
		{"of two", 2, false, []load.Figure{3, 1}, 2, false},
		{"more is better", 5, true, []load.Figure{1, 5, 6}, 5, false},
		{"too few", 5, true, []load.Figure{9, 4, 1}, 4, true},
		{"once unknown", 5, false, []load.Figure{1, unknown, 1}, 1, true},
	} {
		var rounds []reports
		for _, f := range tt.measured {
			rounds = append(rounds, reports{"x": {Server: &load.Server{CPUPerPacket: f}}})
		}
		r := judgeRows([]benchRow{{"k", tt.name, "", tt.asked, tt.atLeast, cpuPerPacket("x")}}, rounds)[0]
		if r.median != tt.median || r.missed != tt.missed {
			t.Errorf("%s: median %v, missed %v", tt.name, r.median, r.missed)
		}
	}
}

// TestBenchRows: every row reads loads that are run, and has a name of its own.
func TestBenchRows(t *testing.T) {
	round := reports{}
	for i, l := range benchLoads {
		round[l.name] = &load.Report{Viewers: i, Server: &load.Server{}, Joins: &load.Joins{}}
	}
	keys := map[string]bool{}
	for _, row := range benchRows {
		row.value(round) // panics for a load that is not there
		if row.asked <= 0 || keys[row.key] {
			t.Errorf("%+v", row)
		}
		keys[row.key] = true
	}
}
