package admin_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"weir/sfu"
	"weir/signaling/admin"
	"weir/signaling/session"
)

func TestMetrics(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var sent float64
	h := newMux(t, admin.Config{Hub: hub, Metrics: func() []admin.Metric {
		sent++
		return []admin.Metric{
			{Name: "weir_sent_total", Help: "What was sent.", Counter: true, Series: []admin.Series{{Value: sent}}},
			{Name: "weir_mode", Help: "A \\ and\na new line.", Series: []admin.Series{
				{Labels: []admin.Label{{Name: "mode", Value: `"a\b"`}, {Name: "other", Value: "c\nd"}}, Value: 1},
				{Labels: []admin.Label{{Name: "mode", Value: "é"}}, Value: 0.25},
				{Labels: []admin.Label{{Name: "mode", Value: ""}}, Value: 12345678},
			}},
			{Name: "weir_odd", Help: "", Series: []admin.Series{
				{Labels: []admin.Label{{Name: "n", Value: "1"}}, Value: math.Inf(1)}, {Labels: []admin.Label{{Name: "n", Value: "2"}}, Value: math.NaN()},
			}},
			{Name: "weir_none", Help: "No samples now."},
		}
	}})
	for _, value := range []string{"1", "2"} {
		w := scrape(t, h)
		for _, want := range []string{
			"# HELP weir_sent_total What was sent.\n# TYPE weir_sent_total counter\nweir_sent_total " + value + "\n",
			`# HELP weir_mode A \\ and\na new line.
# TYPE weir_mode gauge
weir_mode{mode=""} 1.2345678e+07
weir_mode{mode="é"} 0.25
weir_mode{mode="\"a\\b\"",other="c\nd"} 1
`,
			"# TYPE weir_odd gauge\nweir_odd{n=\"1\"} +Inf\nweir_odd{n=\"2\"} NaN\n",
			// Of the process and the runtime.
			"\nprocess_resident_memory_bytes ", "\nprocess_open_fds ", "\nprocess_cpu_seconds_total ", "\ngo_goroutines ",
		} {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("no %q in:\n%s", want, w.Body)
			}
		}
		if kind := w.Header().Get("Content-Type"); w.Code != 200 || !strings.HasPrefix(kind, "text/plain; version=0.0.4; charset=utf-8") || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("status %d, %v", w.Code, w.Header())
		}
	}
	get[object](t, h, "POST", "/metrics", 405)
	get[object](t, newMux(t, admin.Config{Hub: hub}), "GET", "/api/v1/metrics", 404)

	// Without figures there is nothing to ask for.
	if w := scrape(t, newMux(t, admin.Config{Hub: hub})); w.Code != 404 {
		t.Errorf("without metrics: status %d", w.Code)
	}
}

// TestMetricThatCannotBe: what has no place in the format does not take the others
// with it.
func TestMetricThatCannotBe(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := scrape(t, newMux(t, admin.Config{Hub: hub, Metrics: func() []admin.Metric {
		return []admin.Metric{
			{Name: "weir not a name", Series: []admin.Series{{Value: 1}}},
			{Name: "weir_twice", Series: []admin.Series{{Value: 1}, {Value: 2}}},
			{Name: "weir_good", Series: []admin.Series{{Value: 3}}},
		}
	}}))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "\nweir_good 3\n") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

func scrape(t *testing.T, h http.Handler) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	return w
}

// TestSessionMetrics: the sessions of the registry are counted at each request.
func TestSessionMetrics(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var sessions session.Registry
	h := newMux(t, admin.Config{Hub: hub, Sessions: &sessions, Metrics: func() []admin.Metric { return nil }})
	about := session.About{Role: session.Viewer, Transport: session.WebSocket}
	for _, want := range []string{"0", "1", "2"} {
		body := scrape(t, h).Body.String()
		for _, line := range []string{
			`weir_sessions{role="viewer",transport="websocket"} ` + want,
			`weir_sessions{role="viewer",transport="webrtc"} 0`, `weir_sessions{role="publisher",transport="webrtc"} 0`,
		} {
			if !strings.Contains(body, "\n"+line+"\n") {
				t.Errorf("no %q in:\n%s", line, body)
			}
		}
		if _, err := sessions.Begin(about, nil, nil, func(error) {}); err != nil {
			t.Fatal(err)
		}
	}
}
