package load

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestParseExpect(t *testing.T) {
	for text, want := range map[string]string{ // "": an error
		"loss<0.1%,p99<20ms":                "loss<0.1% p99<20ms",
		" loss <= 0 % , p50 < 1s ":          "loss<=0% p50<1000ms",
		"max<1500us":                        "max<1.5ms",
		"max<1500µs":                        "max<1.5ms",
		"cpu_per_packet<5µs":                "cpu_per_packet<5us",
		"cpu_per_packet<=0.01ms":            "cpu_per_packet<=10us",
		"rss_per_viewer<1MB":                "rss_per_viewer<1000kB",
		"packets>=1000,packets=1000":        "packets>=1000 packets=1000",
		"join_p50<1s,join_p95<2s":           "join_p50<1000ms join_p95<2000ms",
		"keyframe_p50>1ms,keyframe_p95>2ms": "keyframe_p50>1ms keyframe_p95>2ms",
		"":                                  " ",
		"loss":                              "",
		"loss<":                             "",
		"loss<1":                            "",
		"loss<1ms":                          "",
		"p99<20":                            "",
		"p99<-1ms":                          "",
		"p99<xms":                           "",
		"p99<NaNms":                         "",
		"p98<1ms":                           "",
		"p99<1ms,":                          "",
		"p99<<1ms":                          "",
		"packets>1k":                        "",
	} {
		got, err := ParseExpect(text)
		var words []string
		for _, e := range got {
			words = append(words, e.String())
		}
		if (err != nil) != (want == "") || strings.Join(words, " ") != strings.TrimSpace(want) {
			t.Errorf("%q: %q, %v; want %q", text, words, err, want)
		}
	}
}

func TestJudge(t *testing.T) {
	for text, want := range map[string]bool{
		"p50<10ms": false, "p50<=10ms": true, "p50=10ms": true, "p50>=10ms": true, "p50>10ms": false,
		"p99<1s": false, "p99>0ms": false, // not measured
		"cpu_per_packet<1s": false,
	} {
		e, err := ParseExpect(strings.Replace(text, "cpu_per_packet<1s", "cpu_per_packet<9ms", 1))
		if err != nil {
			t.Fatal(err)
		}
		r := &Report{Latency: Latency{P50: 10, P99: unknown}}
		judge(r, e)
		if met := r.Verdict == VerdictPass; met != want || met == (r.Missed() != "") {
			t.Errorf("%s: %s, %q", text, r.Verdict, r.Missed())
		}
	}
	r := &Report{Failed: 1, Failures: []string{"why"}}
	judge(r, nil)
	if r.Verdict != VerdictFail || !strings.Contains(r.Missed(), "why") {
		t.Errorf("a viewer failed: %s, %q", r.Verdict, r.Missed())
	}
	if raw, err := json.Marshal(Report{LossPercent: unknown}); err != nil || !bytes.Contains(raw, []byte(`"loss_percent":null`)) {
		t.Errorf("%s, %v", raw, err)
	}
}

func TestTimes(t *testing.T) {
	got := timesOf([]int64{3e6, 0, 1e6, 2e6})
	if got.P50 != 2 || got.P95 != 3 || got.Max.known() || got.Vain != 1 {
		t.Errorf("%+v", got)
	}
	if got := timesOf(nil); got.P50.known() {
		t.Errorf("%+v", got)
	}
}
