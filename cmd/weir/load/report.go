package load

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Verdicts of a report.
const (
	VerdictPass = "pass"
	VerdictFail = "fail" // an expectation was missed, or not all viewers and streams were there
	VerdictNone = "none" // all were there, and nothing was expected
)

// Report is what a run found. Figures that could not be measured are null.
type Report struct {
	Streams     int      `json:"streams"`
	Viewers     int      `json:"viewers"` // in all
	Joined      int      `json:"joined"`  // that were connected
	Failed      int      `json:"failed"`  // that were not
	Ended       int      `json:"ended"`   // that the server ended before we did
	Silent      int      `json:"silent"`  // that were connected and received nothing in the window
	LostStreams int      `json:"lost_streams"`
	Failures    []string `json:"failures"` // why, each reason once

	WindowMS    int64 `json:"window_ms"` // all below but the joins is of this time, with all viewers there
	Interrupted bool  `json:"interrupted"`

	Sent        Sent     `json:"sent"`
	Received    Received `json:"received"`
	LossPercent Figure   `json:"loss_percent"` // lost / expected
	Latency     Latency  `json:"latency_ms"`
	Join        Times    `json:"join_ms"`     // from the offer to the first packet
	Keyframe    Times    `json:"keyframe_ms"` // from the offer to the first whole keyframe

	Joins     *Joins    `json:"joins"`  // null without --joins
	Server    *Server   `json:"server"` // null without --pid
	Generator Generator `json:"generator"`
	// OthersCPU is what neither the server, if it is known, nor this program used,
	// in percent of one core: with much of it, latency says little.
	OthersCPU Figure `json:"others_cpu_percent"`

	Checks  []Check `json:"checks"`
	Verdict string  `json:"verdict"`
}

// Sent is what the publishers sent.
type Sent struct {
	Packets          int64 `json:"packets"`
	Frames           int64 `json:"frames"`
	Keyframes        int64 `json:"keyframes"`
	KeyframeRequests int64 `json:"keyframe_requests"` // PLI and FIR that came
	Nacked           int64 `json:"nacked"`            // packets that were asked for again
}

// Received is what the viewers received.
type Received struct {
	Packets       int64 `json:"packets"`  // of those that were sent in the window, each once
	Expected      int64 `json:"expected"` // sent in the window, times viewers
	Lost          int64 `json:"lost"`     // the difference, half a second later; all ways to be lost
	Gaps          int64 `json:"gaps"`     // that are missing in the server's sequence numbers
	Skipped       int64 `json:"skipped"`  // left out by the server without a gap
	Bytes         int64 `json:"bytes"`    // of SRTP
	Duplicates    int64 `json:"duplicates"`
	Dropped       int64 `json:"dropped"`       // of the lost ones, by our own sockets
	Authenticated int64 `json:"authenticated"` // decrypted whole, since the start
	Undecryptable int64 `json:"undecryptable"`
	UnknownType   int64 `json:"unknown_type"` // payload types that were not negotiated
	// Unstamped packets lack the publisher's number and time. If there are any,
	// all figures are of the server's packets, by its sequence numbers.
	Unstamped int64 `json:"unstamped"`

	numbered int64 // packets, by the server's sequence numbers
}

// Latency is the time from a publisher's socket to a viewer's.
type Latency struct {
	Samples  uint64 `json:"samples"`
	P50      Figure `json:"p50"`
	P95      Figure `json:"p95"`
	P99      Figure `json:"p99"`
	Max      Figure `json:"max"`
	Negative int64  `json:"negative"` // samples below 0: the clocks differ
}

// Times are the times of all viewers; those that had to wait in vain count as
// infinite, which is null.
type Times struct {
	P50  Figure `json:"p50"`
	P95  Figure `json:"p95"`
	Max  Figure `json:"max"`
	Vain int    `json:"vain"`
}

// Server is what the server's process used.
type Server struct {
	PID          int    `json:"pid"`
	CPUPercent   Figure `json:"cpu_percent"`       // of one core
	CPUPerPacket Figure `json:"cpu_us_per_packet"` // of those that the viewers received
	RSSBefore    int64  `json:"rss_before_kb"`     // before the first viewer
	RSSRamp      int64  `json:"rss_ramp_kb"`       // when all were there
	RSSEnd       int64  `json:"rss_end_kb"`
	RSSPerViewer Figure `json:"rss_kb_per_viewer"` // slope while they came
	Goroutines   Figure `json:"goroutines"`        // at the end; null without --profiles
	Error        string `json:"error,omitempty"`
}

// Generator is what this program used itself.
type Generator struct {
	CPUPercent      Figure `json:"cpu_percent"`              // of one core
	CPUPerPacket    Figure `json:"cpu_us_per_packet"`        // all of it, by packets received
	ViewerPerPacket Figure `json:"viewer_cpu_us_per_packet"` // of the thread that receives
}

// Check is an expectation and what came of it.
type Check struct {
	Expected string `json:"expected"`
	Got      Figure `json:"got"`
	Unit     string `json:"unit"`
	Met      bool   `json:"met"`
}

// Figure is a number that may be unknown: NaN or infinite, null in JSON.
type Figure float64

// MarshalJSON implements json.Marshaler. Six digits are more than any figure is
// good for.
func (f Figure) MarshalJSON() ([]byte, error) {
	if !f.known() {
		return []byte("null"), nil
	}
	return json.Marshal(math.Round(float64(f)*1e6) / 1e6)
}

// UnmarshalJSON implements json.Unmarshaler: null is unknown.
func (f *Figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = unknown
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

func (f Figure) known() bool { return !math.IsNaN(float64(f)) && !math.IsInf(float64(f), 0) }

// String returns f with as many digits as are of use.
func (f Figure) String() string {
	switch a := math.Abs(float64(f)); {
	case !f.known():
		return "-"
	case a >= 100 || a == math.Trunc(a):
		return fmt.Sprintf("%.0f", float64(f))
	case a >= 10:
		return fmt.Sprintf("%.1f", float64(f))
	default:
		return fmt.Sprintf("%.2f", float64(f))
	}
}

var unknown = Figure(math.NaN())

// ratio is a/b, or unknown.
func ratio[A, B int64 | int | float64 | time.Duration](a A, b B) Figure {
	if b == 0 {
		return unknown
	}
	return Figure(float64(a) / float64(b))
}

// server returns a figure of the server, or NaN.
func (r *Report) server(of func(*Server) Figure) float64 {
	if r.Server == nil {
		return math.NaN()
	}
	return float64(of(r.Server))
}

// joins returns a figure of the joins, or NaN.
func (r *Report) joins(of func(*Joins) Figure) float64 {
	if r.Joins == nil {
		return math.NaN()
	}
	return float64(of(r.Joins))
}

// Missed tells in one sentence which figures were not as expected; "" if none.
func (r *Report) Missed() string {
	if r.Verdict != VerdictFail {
		return ""
	}
	var parts []string
	for _, c := range r.Checks {
		if !c.Met {
			parts = append(parts, fmt.Sprintf("%s was expected, but it is %v%s", c.Expected, c.Got, c.Unit))
		}
	}
	for _, n := range []struct {
		count int
		what  string
	}{{r.Failed, "viewers could not join"}, {r.Ended, "viewers were ended by the server"}, {r.Silent, "viewers received nothing"}, {r.LostStreams, "streams were lost"}} {
		if n.count > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n.count, n.what))
		}
	}
	if r.Interrupted {
		parts = append(parts, "it was interrupted")
	}
	if r.Failed > 0 && len(r.Failures) > 0 {
		parts = append(parts, r.Failures[0])
	}
	return strings.Join(parts, "; ")
}

// timesOf makes percentiles of times in ns; 0 is a time that never came.
func timesOf(took []int64) Times {
	if len(took) == 0 {
		return Times{P50: unknown, P95: unknown, Max: unknown}
	}
	t := Times{}
	ms := make([]float64, len(took))
	for i, ns := range took {
		ms[i] = float64(ns) / float64(time.Millisecond)
		if ns == 0 {
			ms[i] = math.Inf(1)
			t.Vain++
		}
	}
	slices.SortFunc(ms, cmp.Compare)
	at := func(p int) Figure { return Figure(ms[(len(ms)-1)*p/100]) }
	t.P50, t.P95, t.Max = at(50), at(95), at(100)
	return t
}

// latencyOf makes percentiles of a histogram of ns.
func latencyOf(h *histogram, negative int64) Latency {
	l := Latency{Samples: h.total, Negative: negative, P50: unknown, P95: unknown, P99: unknown, Max: unknown}
	if h.total > 0 {
		at := func(p float64) Figure { return Figure(h.percentile(p)) / Figure(time.Millisecond) }
		l.P50, l.P95, l.P99, l.Max = at(50), at(95), at(99), Figure(h.most)/Figure(time.Millisecond)
	}
	return l
}
