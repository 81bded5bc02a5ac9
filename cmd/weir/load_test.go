package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/cmd/weir/load"
	"weir/sfu/sfutest"
)

// runLoadCommand runs `weir load` on a server, for 3 s with 5 viewers.
func runLoadCommand(t *testing.T, url string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	args = append([]string{"weir", "load", "--whip", url + "/whip/{name}", "--whep", url + "/whep/{name}",
		"--viewers", "5", "--duration", "3s", "--bitrate", "1M", "--pid", fmt.Sprint(os.Getpid())}, args...)
	status = run(t.Context(), args, &out, &err)
	return status, out.String(), err.String()
}

// TestLoad: what is sent to viewers of the whole server arrives, and the exit
// status says whether it was as expected.
func TestLoad(t *testing.T) {
	s := startServer(t)
	t.Run("as expected", func(t *testing.T) {
		status, stdout, stderr := runLoadCommand(t, s.url, "--json", "--expect", "loss<=0%,packets>=100,keyframe_p95<10s")
		if status != 0 || stderr != "" {
			t.Fatalf("status %d: %s\n%s", status, stderr, stdout)
		}
		var r load.Report
		if err := json.Unmarshal([]byte(stdout), &r); err != nil {
			t.Fatalf("%v: %s", err, stdout)
		}
		got := r.Received
		if r.Joined != 5 || got.Lost != 0 || got.Skipped != 0 || got.Packets != got.Expected || got.Packets < 4*r.Sent.Packets ||
			r.Verdict != load.VerdictPass || len(r.Checks) != 3 || r.Server == nil || r.Server.PID != os.Getpid() {
			t.Errorf("%s", stdout)
		}
	})
	t.Run("missed", func(t *testing.T) {
		status, stdout, stderr := runLoadCommand(t, s.url, "--expect", "loss<=0%,packets<10")
		last := stderr[strings.LastIndex(strings.TrimSpace(stderr), "\n")+1:]
		if status != 1 || !strings.HasPrefix(last, "weir: packets<10 was expected, but it is ") {
			t.Errorf("status %d: %s", status, stderr)
		}
		for _, part := range []string{"loss<=0%: 0%, ok", "MISSED", "verdict", "latency", "µs a packet"} {
			if !strings.Contains(stdout, part) {
				t.Errorf("stdout does not tell %q:\n%s", part, stdout)
			}
		}
	})
	t.Run("keyframes that are pictures", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "keyframe.vp8")
		if err := os.WriteFile(file, sfutest.Keyframe180, 0o644); err != nil {
			t.Fatal(err)
		}
		status, stdout, stderr := runLoadCommand(t, s.url, "--json", "--name", "pictures", "--keyframe", file)
		var r load.Report
		if err := json.Unmarshal([]byte(stdout), &r); err != nil || status != 0 {
			t.Fatalf("status %d, %v: %s%s", status, err, stderr, stdout)
		}
		if got := r.Received; got.Lost != 0 || got.Unstamped != 0 || got.Packets != got.Expected || r.Latency.Samples != uint64(got.Packets) || r.Keyframe.Vain != 0 {
			t.Errorf("%s", stdout)
		}
		if posters := s.app.posters; posters.Spent() <= 0 || posters.Outcomes()[0].Count != 1 {
			t.Errorf("the server has made %+v of them in %v", posters.Outcomes(), posters.Spent())
		}
	})
	if files, err := filepath.Glob(filepath.Join(s.dataDir, "recordings", "load-1", "*.webm*")); err != nil || len(files) != 2 {
		t.Errorf("the server recorded %q, %v; want two broadcasts", files, err)
	}
}

// TestLoadRefused: what cannot be done is told in one sentence.
func TestLoadRefused(t *testing.T) {
	for want, args := range map[string][]string{
		`no number`:               {"--expect", "p99<ms"},
		`there are loss, p50`:     {"--expect", "p98<1ms"},
		"needs --pid":             {"--expect", "cpu_per_packet<5us"},
		`--bitrate is "much"`:     {"--bitrate", "much"},
		`--audio-bitrate is "-1"`: {"--audio-bitrate", "-1"},
		"--streams is 0":          {"--streams", "0"},
		`--whip is "x"`:           {"--whip", "x"},
		"--keyframe none cannot be read (no such file or directory)": {"--keyframe", "none"},
		"--keyframe is a file that is no keyframe of VP8":            {"--keyframe", "load_test.go"},
		`not "stray"`:        {"stray"},
		"connection refused": {"--whip", "http://127.0.0.1:1/{name}"},
	} {
		status, stdout, stderr := weir(t, append([]string{"load"}, args...)...)
		if status != 1 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, want) {
			t.Errorf("%q: status %d, %q, %q", args, status, stdout, stderr)
		}
	}
}
