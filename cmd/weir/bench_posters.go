package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"weir/cmd/weir/load"
)

// What is asked of the posters of 50 live streams.
const (
	posterStreams = 50
	askedShare    = 2.0 // percent of a core
	askedLater    = 1.0 // ms that the p99 of latency is higher by
	// posterRamp is how long the viewers take to come: when they are all there, and it is
	// measured, the second pictures are due.
	posterRamp = time.Minute
)

// posterBench is how it is measured what posters cost.
type posterBench struct {
	bench
	keyframe string // file
	streams  int
	ramp     time.Duration
}

// posterRound is what was measured of two servers, one after the other.
type posterRound struct {
	on, off *load.Report
	share   load.Figure // what posters took, in percent of a core
	taken   int
}

// comparePosters measures pairs of servers that take posters, and that do not, and
// prints the medians. The order changes from pair to pair, so that what drifts meets
// both.
func (b posterBench) comparePosters(ctx context.Context, w io.Writer) error {
	args := []string{"--streams", strconv.Itoa(b.streams), "--viewers", "1", "--ramp", b.ramp.String(), "--bitrate", "300k", "--keyframe", b.keyframe}
	var rounds []posterRound
	for i := range b.rounds {
		var r posterRound
		costs := posterCosts{streams: b.streams}
		for n := range 2 {
			l := benchLoad{name: "posters", args: args, during: costs.follow}
			on := (i+n)%2 == 0
			if !on {
				l = benchLoad{name: "no posters", args: args, serve: []string{"--posters=false"}}
			}
			fmt.Fprintf(b.progress, "round %d of %d: %s\n", i+1, b.rounds, l.name)
			report, err := b.measure(ctx, l)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", i+1, l.name, err)
			}
			if on {
				r.on = report
			} else {
				r.off = report
			}
		}
		r.share, r.taken = costs.share()
		rounds = append(rounds, r)
	}
	return writePosters(w, rounds, b.streams)
}

// writePosters prints a line for each pair, and the medians.
func writePosters(w io.Writer, rounds []posterRound, streams int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "pair\tposters, % of a core\ttaken\tp50 without, ms\tp50 with\tp99 without\tp99 with\tCPU without, %\tCPU with\tothers, %\tlost")
	var shares, later []load.Figure
	for i, r := range rounds {
		shares, later = append(shares, r.share), append(later, r.on.Latency.P99-r.off.Latency.P99)
		fmt.Fprintf(t, "%d\t%v\t%d\t%v\t%v\t%v\t%v\t%v\t%v\t%v\t%d\n", i+1, r.share, r.taken, r.off.Latency.P50, r.on.Latency.P50,
			r.off.Latency.P99, r.on.Latency.P99, r.off.Server.CPUPercent, r.on.Server.CPUPercent, (r.on.OthersCPU+r.off.OthersCPU)/2, r.on.Received.Lost+r.off.Received.Lost)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	slices.Sort(shares)
	slices.Sort(later)
	_, err := fmt.Fprintf(w, "\nposters of %d streams: %v %% of a core (asked: %v), p99 of latency %+.2f ms (asked: +%v), medians of %d pairs\n",
		streams, medianOf(shares), askedShare, float64(medianOf(later)), askedLater, len(rounds))
	return err
}

// posterCosts is what a server says of its posters while it runs.
type posterCosts struct {
	streams     int
	first, last posterCost
}

type posterCost struct {
	at    time.Time
	spent float64 // seconds
	taken int
}

var (
	spentLine = regexp.MustCompile(`(?m)^weir_posters_cpu_seconds_total (\S+)$`)
	takenLine = regexp.MustCompile(`(?m)^weir_posters_total\{outcome="taken"\} (\d+)$`)
)

// follow reads the costs each second. They count from when each stream has its first
// picture, which it gets at once.
func (c *posterCosts) follow(ctx context.Context, url string) {
	for tick := time.NewTicker(time.Second); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			tick.Stop()
			return
		}
		now, ok := readPosterCost(ctx, url)
		if !ok {
			continue
		}
		if c.last = now; c.first.at.IsZero() && now.taken >= c.streams {
			c.first = now
		}
	}
}

func readPosterCost(ctx context.Context, url string) (c posterCost, ok bool) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/metrics", nil)
	if err != nil {
		return c, false
	}
	r, err := http.DefaultClient.Do(request)
	if err != nil {
		return c, false
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	spent, taken := spentLine.FindSubmatch(body), takenLine.FindSubmatch(body)
	if err != nil || spent == nil || taken == nil {
		return c, false
	}
	seconds, err1 := strconv.ParseFloat(string(spent[1]), 64)
	count, err2 := strconv.Atoi(string(taken[1]))
	return posterCost{time.Now(), seconds, count}, err1 == nil && err2 == nil
}

// share is what the pictures behind the first ones took, in percent of a core, and how
// many they were.
func (c *posterCosts) share() (load.Figure, int) {
	since := c.last.at.Sub(c.first.at).Seconds()
	return load.Figure(100 * (c.last.spent - c.first.spent) / since), c.last.taken - c.first.taken
}
