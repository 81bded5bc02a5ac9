package load

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"strings"
	"testing"
	"time"
)

// TestJoins: viewers come, are connected and leave, and what that costs is told.
func TestJoins(t *testing.T) {
	c := config(newServer(t))
	c.PID, c.Joins = os.Getpid(), 30
	c.Expect = expect(t, "joins_per_core>0, cpu_per_join<10s")
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	j := r.Joins
	if r.Joined != 30 || r.Failed != 0 || r.LostStreams != 0 || j == nil || j.Done != 30 || j.Connected.Vain != 0 ||
		j.PerSecond <= 0 || j.Connected.P50 <= 0 || j.CPUPerJoin <= 0 || j.PerCore <= 0 {
		t.Errorf("%+v; %+v", r, j)
	}
	if product := j.PerCore * j.CPUPerJoin; product < 999 || product > 1001 {
		t.Errorf("%v ms for a join are %v joins a second", j.CPUPerJoin, j.PerCore)
	}
	if r.Verdict != VerdictPass {
		t.Errorf("verdict %s: %s", r.Verdict, r.Missed())
	}
	// Nobody stayed, so nothing can be said of the media.
	judge(r, expect(t, "loss<=0%, p99<1s, keyframe_p95<1s"))
	if met := len(r.Checks) - strings.Count(r.Missed(), "was expected"); met != 2 {
		t.Errorf("%d expectations are met: %+v", met, r.Checks)
	}
	var table strings.Builder
	if err := r.WriteTable(&table); err != nil || !strings.Contains(table.String(), "30 joined and left, 0 failed") || strings.Contains(table.String(), "latency") {
		t.Errorf("%v: %s", err, table.String())
	}
}

// TestJoinsInterrupted: what was found until then is told, and nobody failed.
func TestJoinsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c := config(newServer(t))
	c.PID, c.Joins = os.Getpid(), maxJoins
	c.Progress = func(text string) {
		if strings.HasSuffix(text, "have joined and left") {
			cancel()
		}
	}
	r, err := Run(ctx, c)
	if err != nil {
		t.Fatal(err)
	}
	if !r.Interrupted || r.Failed != 0 || r.Joins.Done < joinsToTell || r.Joins.Done != r.Joined {
		t.Errorf("%+v; %+v", r, r.Joins)
	}
}

// TestJoinsRefused: a server that takes no viewers, and a process that is not
// there.
func TestJoinsRefused(t *testing.T) {
	c := config(newServer(t))
	c.PID, c.Joins, c.WHEP = os.Getpid(), 2, "http://127.0.0.1:1/{name}"
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no viewer could join") {
		t.Errorf("no viewer: %v", err)
	}
	c.PID = 1<<30 - 1
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "no such process") {
		t.Errorf("no process: %v", err)
	}
}

// TestGoroutines: those of a Go server are counted, and nothing else is taken for
// an answer.
func TestGoroutines(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/other/debug/pprof/goroutine", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("hello")) })
	h := httptest.NewServer(mux)
	defer h.Close()
	for _, url := range []string{h.URL, h.URL + "/"} {
		if n, err := goroutines(t.Context(), h.Client(), url); err != nil || n < 3 {
			t.Errorf("%s: %v goroutines, %v", url, n, err)
		}
	}
	for _, url := range []string{h.URL + "/other", h.URL + "/none", "http://127.0.0.1:1"} {
		if n, err := goroutines(t.Context(), h.Client(), url); err == nil || n.known() || !strings.Contains(err.Error(), "--profiles") {
			t.Errorf("%s: %v goroutines, %v", url, n, err)
		}
	}
	c := config(newServer(t))
	c.PID, c.Viewers, c.Duration = os.Getpid(), 1, time.Second
	for url, counted := range map[string]bool{h.URL: true, h.URL + "/none": false} {
		c.Profiles = url
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if s := r.Server; s.Goroutines.known() != counted || (s.Error == "") != counted || s.CPUPerPacket <= 0 {
			t.Errorf("%s: %+v", url, s)
		}
	}
}
