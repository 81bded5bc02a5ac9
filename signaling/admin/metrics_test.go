package admin_test

import (
	"math"
	"net/http/httptest"
	"testing"

	"weir/sfu"
	"weir/signaling/admin"
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
			{Name: "weir_sent_total", Help: "What was sent.", Counter: true, Samples: []admin.Sample{{Value: sent}}},
			{Name: "weir_mode", Help: "A \\ and\na new line.", Samples: []admin.Sample{
				{Labels: []admin.Label{{Name: "mode", Value: `"a\b"`}, {Name: "other", Value: "c\nd"}}, Value: 1},
				{Labels: []admin.Label{{Name: "mode", Value: "é"}}, Value: 0.25},
				{Labels: []admin.Label{{Name: "mode", Value: ""}}, Value: 12345678},
			}},
			{Name: "weir_odd", Help: "", Samples: []admin.Sample{{Value: math.Inf(1)}, {Value: math.NaN()}}},
			{Name: "weir_none", Help: "No samples now."},
		}
	}})
	for _, value := range []string{"1", "2"} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
		want := `# HELP weir_sent_total What was sent.
# TYPE weir_sent_total counter
weir_sent_total ` + value + `
# HELP weir_mode A \\ and\na new line.
# TYPE weir_mode gauge
weir_mode{mode="\"a\\b\"",other="c\nd"} 1
weir_mode{mode="é"} 0.25
weir_mode{mode=""} 1.2345678e+07
# HELP weir_odd 
# TYPE weir_odd gauge
weir_odd +Inf
weir_odd NaN
# HELP weir_none No samples now.
# TYPE weir_none gauge
`
		if got := w.Body.String(); w.Code != 200 || got != want {
			t.Errorf("status %d: %s\nwant: %s", w.Code, got, want)
		}
		if w.Header().Get("Content-Type") != "text/plain; version=0.0.4; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%v", w.Header())
		}
	}
	get[object](t, h, "POST", "/metrics", 405)
	get[object](t, newMux(t, admin.Config{Hub: hub}), "GET", "/api/v1/metrics", 404)

	// Without figures there is nothing to ask for.
	w := httptest.NewRecorder()
	newMux(t, admin.Config{Hub: hub}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if w.Code != 404 {
		t.Errorf("without metrics: status %d", w.Code)
	}
}
