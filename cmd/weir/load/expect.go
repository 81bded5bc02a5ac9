package load

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Expectation is a bound on one figure of a report: "p99<20ms".
type Expectation struct {
	metric *metric
	op     string
	value  float64 // in the metric's unit
}

// metric is a figure that can be expected something of.
type metric struct {
	name     string
	unit     string
	needsPID bool
	// value is the figure in that unit; NaN if it was not measured.
	value func(*Report) float64
}

// metrics are all figures, in the order of the help.
var metrics = []metric{
	{"loss", "%", false, func(r *Report) float64 { return float64(r.LossPercent) }},
	{"p50", "ms", false, func(r *Report) float64 { return float64(r.Latency.P50) }},
	{"p95", "ms", false, func(r *Report) float64 { return float64(r.Latency.P95) }},
	{"p99", "ms", false, func(r *Report) float64 { return float64(r.Latency.P99) }},
	{"max", "ms", false, func(r *Report) float64 { return float64(r.Latency.Max) }},
	{"join_p50", "ms", false, func(r *Report) float64 { return float64(r.Join.P50) }},
	{"join_p95", "ms", false, func(r *Report) float64 { return float64(r.Join.P95) }},
	{"keyframe_p50", "ms", false, func(r *Report) float64 { return float64(r.Keyframe.P50) }},
	{"keyframe_p95", "ms", false, func(r *Report) float64 { return float64(r.Keyframe.P95) }},
	{"cpu_per_packet", "us", true, func(r *Report) float64 { return r.server(func(s *Server) Figure { return s.CPUPerPacket }) }},
	{"rss_per_viewer", "kB", true, func(r *Report) float64 { return r.server(func(s *Server) Figure { return s.RSSPerViewer }) }},
	{"cpu_per_join", "ms", true, func(r *Report) float64 { return r.joins(func(j *Joins) Figure { return j.CPUPerJoin }) }},
	{"joins_per_core", "", true, func(r *Report) float64 { return r.joins(func(j *Joins) Figure { return j.PerCore }) }},
	{"packets", "", false, func(r *Report) float64 { return float64(r.Received.Packets) }},
}

// units are the units of a metric's unit, and how many of that one they are.
var units = map[string]map[string]float64{
	"%":  {"%": 1},
	"ms": {"ms": 1, "s": 1000, "us": 0.001, "µs": 0.001, "μs": 0.001},
	"us": {"us": 1, "µs": 1, "μs": 1, "ms": 1000},
	"kB": {"kB": 1, "KB": 1, "MB": 1000},
	"":   {"": 1},
}

// operators, the longer ones first.
var operators = []string{"<=", ">=", "<", ">", "="}

// ParseExpect reads expectations: "NAME OP VALUE", separated by commas. OP is one
// of < <= > >= =; spaces do not matter.
func ParseExpect(text string) ([]Expectation, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	var all []Expectation
	for part := range strings.SplitSeq(text, ",") {
		e, err := parseExpectation(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	return all, nil
}

func parseExpectation(text string) (Expectation, error) {
	at := strings.IndexAny(text, "<>=")
	if at < 0 {
		return Expectation{}, fmt.Errorf("%q has none of < <= > >= =; write for example p99<20ms", text)
	}
	name := strings.TrimSpace(text[:at])
	i := slices.IndexFunc(metrics, func(m metric) bool { return m.name == name })
	if i < 0 {
		return Expectation{}, fmt.Errorf("%q names no known figure; there are %s", text, MetricNames())
	}
	e := Expectation{metric: &metrics[i]}
	for _, e.op = range operators {
		if strings.HasPrefix(text[at:], e.op) {
			break
		}
	}
	raw := strings.TrimSpace(text[at+len(e.op):])
	digits := strings.TrimRight(raw, "%abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZµμ")
	unit := raw[len(digits):]
	factor, ok := units[e.metric.unit][unit]
	if !ok {
		return Expectation{}, fmt.Errorf("%q has the unit %q; %s is given in %s", text, unit, name, e.metric.unitName())
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
	if err != nil || value < 0 || math.IsInf(value, 0) || math.IsNaN(value) {
		return Expectation{}, fmt.Errorf("%q ends with no number of at least 0", text)
	}
	e.value = value * factor
	return e, nil
}

// MetricNames lists the figures that can be expected something of.
func MetricNames() string {
	names := make([]string, len(metrics))
	for i, m := range metrics {
		names[i] = m.name
	}
	return strings.Join(names, ", ")
}

func (m *metric) unitName() string {
	if m.unit == "" {
		return "plain numbers"
	}
	return m.unit
}

// String returns e as it can be parsed again.
func (e Expectation) String() string {
	return e.metric.name + e.op + strconv.FormatFloat(e.value, 'f', -1, 64) + e.metric.unit
}

// met reports whether a figure is as expected. One that was not measured is not.
func (e Expectation) met(got float64) bool {
	switch e.op {
	case "<":
		return got < e.value
	case "<=":
		return got <= e.value
	case ">":
		return got > e.value
	case ">=":
		return got >= e.value
	default:
		return got == e.value
	}
}

// judge compares a report with the expectations.
func judge(r *Report, expect []Expectation) {
	r.Verdict = VerdictNone
	if len(expect) > 0 {
		r.Verdict = VerdictPass
	}
	for _, e := range expect {
		got := e.metric.value(r)
		check := Check{Expected: e.String(), Got: Figure(got), Unit: e.metric.unit, Met: e.met(got)}
		r.Checks = append(r.Checks, check)
		if !check.Met {
			r.Verdict = VerdictFail
		}
	}
	// Viewers that are not there make every figure look better than it is.
	if r.Failed > 0 || r.Ended > 0 || r.Silent > 0 || r.LostStreams > 0 || r.Interrupted && len(expect) > 0 {
		r.Verdict = VerdictFail
	}
}
