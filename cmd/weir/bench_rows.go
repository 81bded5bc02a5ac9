package main

import (
	"context"
	"time"

	"weir/cmd/weir/load"
)

// benchLoad is one run of the load generator against a server of its own.
type benchLoad struct {
	name  string
	args  []string      // of weir load
	most  time.Duration // what is measured needs no longer than this; 0: no limit
	count bool          // the server's goroutines, which takes --admin-addr
	serve []string      // more flags of weir serve
	// during is called while the load runs, with the server's URL, until ctx is done; nil:
	// nothing is.
	during func(ctx context.Context, url string)
}

// briefly is for what is measured while viewers come, or at one instant.
const briefly = 3 * time.Second

// benchLoads are what the rows are read from.
var benchLoads = []benchLoad{
	{name: "1x100", args: []string{"--viewers", "100"}},
	{name: "1x500", args: []string{"--viewers", "500"}},
	{name: "10x5", args: []string{"--streams", "10", "--viewers", "5"}},
	{name: "1x10", args: []string{"--viewers", "10"}},
	{name: "1x50", args: []string{"--viewers", "50"}, most: briefly},
	{name: "joins", args: []string{"--joins", "1000"}},
	{name: "1x600", args: []string{"--viewers", "600"}},
	{name: "1x10, counted", args: []string{"--viewers", "10"}, most: briefly, count: true},
	{name: "1x100, counted", args: []string{"--viewers", "100"}, most: briefly, count: true},
}

// benchRow is one figure.
type benchRow struct {
	key, name, unit string
	asked           load.Figure
	atLeast         bool // asked is the least, rather than the most
	value           func(reports) load.Figure
}

// meets reports whether a figure is as asked. One that is unknown is not.
func (r benchRow) meets(f load.Figure) bool {
	if r.atLeast {
		return f >= r.asked
	}
	return f <= r.asked
}

// benchRows is the table. Keys are in the history, and stay what they are.
var benchRows = []benchRow{
	{"cpu_us_per_packet_1x100", "CPU per packet, 1 stream x 100 viewers", "µs", 1.2, false, cpuPerPacket("1x100")},
	{"cpu_us_per_packet_1x500", "CPU per packet, 1 x 500", "µs", 1.0, false, cpuPerPacket("1x500")},
	{"cpu_us_per_packet_10x5", "CPU per packet, 10 x 5", "µs", 4, false, cpuPerPacket("10x5")},
	{"rss_kb_per_viewer", "memory of a viewer, from 10 to 100", "kB", 25, false, func(r reports) load.Figure {
		return perViewer(r["1x10"], r["1x100"], func(s *load.Server) load.Figure { return load.Figure(s.RSSEnd) })
	}},
	{"goroutines_per_viewer", "goroutines of a viewer, from 10 to 100", "", 1, false, func(r reports) load.Figure {
		return perViewer(r["1x10, counted"], r["1x100, counted"], func(s *load.Server) load.Figure { return s.Goroutines })
	}},
	{"latency_p50_ms_1x100", "latency one way p50, 1 x 100", "ms", 0.5, false, func(r reports) load.Figure { return r["1x100"].Latency.P50 }},
	{"latency_p99_ms_1x100", "latency one way p99, 1 x 100", "ms", 2, false, func(r reports) load.Figure { return r["1x100"].Latency.P99 }},
	{"keyframe_p50_ms_1x50", "from joining to a keyframe p50, 1 x 50", "ms", 15, false, func(r reports) load.Figure { return r["1x50"].Keyframe.P50 }},
	{"keyframe_p95_ms_1x50", "from joining to a keyframe p95, 1 x 50", "ms", 30, false, func(r reports) load.Figure { return r["1x50"].Keyframe.P95 }},
	{"joins_per_core_s", "joins of a core in a second, HTTP included", "", 500, true, func(r reports) load.Figure { return r["joins"].Joins.PerCore }},
	{"cores_1x600", "cores, 1 x 600", "", 0.25, false, func(r reports) load.Figure { return r["1x600"].Server.CPUPercent / 100 }},
	{"latency_p99_ms_1x600", "latency one way p99, 1 x 600", "ms", 10, false, func(r reports) load.Figure { return r["1x600"].Latency.P99 }},
}

func cpuPerPacket(name string) func(reports) load.Figure {
	return func(r reports) load.Figure { return r[name].Server.CPUPerPacket }
}

// perViewer is the slope from a load with few viewers to one with many.
func perViewer(few, many *load.Report, of func(*load.Server) load.Figure) load.Figure {
	return (of(many.Server) - of(few.Server)) / load.Figure(many.Viewers-few.Viewers)
}
