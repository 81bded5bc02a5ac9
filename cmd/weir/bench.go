package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"weir/cmd/weir/load"
)

// benchCommand is not listed: it is for weir's developers, and says nothing about
// servers of others.
func benchCommand() *cli.Command {
	return &cli.Command{
		Name:   "bench",
		Hidden: true,
		Usage:  "measure this program against the figures that are asked of it",
		Description: "Starts servers of its own, each for one run of 'weir load', and takes the medians of some rounds of all of them.\n" +
			"The exit status is 1 on errors and packet loss, not for figures that are missed: those are for people to judge, who know\n" +
			"the machine.",
		Flags: []cli.Flag{
			&cli.IntFlag{Name: "rounds", Value: 3, Usage: "measure everything so `MANY` times"},
			&cli.DurationFlag{Name: "duration", Value: 10 * time.Second, Usage: "`TIME` to measure each load"},
			&cli.StringFlag{Name: "posters", Usage: "measure what posters of 50 streams cost and do to latency instead, whose keyframes are the one of VP8 in this `FILE`", DefaultText: "off"},
			&cli.StringFlag{Name: "history", Value: ".bench/history.jsonl", Usage: "append the medians to this `FILE`; empty for none"},
		},
		Action: runBench,
	}
}

// runBench measures the table.
func runBench(c *cli.Context) error {
	if extra := c.Args().First(); extra != "" {
		return fmt.Errorf("bench takes flags only, not %q; 'weir bench --help' lists them", extra)
	}
	if n := c.Int("rounds"); n < 1 {
		return fmt.Errorf("--rounds is %d; it must be at least 1", n)
	}
	if d := c.Duration("duration"); d < time.Second {
		return fmt.Errorf("--duration is %v; it must be at least 1s, which the system's clocks of CPU time are fine enough for", d)
	}
	binary, err := os.Executable()
	if err != nil {
		return fmt.Errorf("bench does not find the program that it is: %w", err)
	}
	ctx, stop := signal.NotifyContext(c.Context, os.Interrupt, syscall.SIGTERM)
	defer stop()
	b := bench{
		binary: binary, rounds: c.Int("rounds"), duration: c.Duration("duration"), history: c.String("history"),
		loads: benchLoads, rows: benchRows, progress: c.App.ErrWriter,
	}
	if file := c.String("posters"); file != "" {
		return posterBench{b, file, posterStreams, posterRamp}.comparePosters(ctx, c.App.Writer)
	}
	return b.compare(ctx, c.App.Writer)
}

// bench is how a table is measured.
type bench struct {
	binary   string // weir
	rounds   int
	duration time.Duration
	history  string // file; "": none
	loads    []benchLoad
	rows     []benchRow
	progress io.Writer
}

// askedYardstick is load.Yardstick on the machine that the asked figures come from.
const askedYardstick = 1.06

// reports are those of one round, by the names of their loads.
type reports map[string]*load.Report

// compare measures, prints the table and appends to the history. The error is of what
// could not be measured, or tells of lost packets.
func (b bench) compare(ctx context.Context, w io.Writer) error {
	var rounds []reports
	for i := range b.rounds {
		// All loads in each round, so that what else happens on the machine meets all
		// rows.
		round := reports{}
		for _, l := range b.loads {
			fmt.Fprintf(b.progress, "round %d of %d: %s\n", i+1, b.rounds, l.name)
			r, err := b.measure(ctx, l)
			if err != nil {
				return fmt.Errorf("round %d, %s: %w", i+1, l.name, err)
			}
			round[l.name] = r
		}
		rounds = append(rounds, round)
	}
	results := judgeRows(b.rows, rounds)
	if err := writeResults(w, results, rounds); err != nil {
		return err
	}
	yardstick, err := load.Yardstick()
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "yardstick: one plain send over loopback takes %v µs of CPU here, and took %v where the figures were asked\n", yardstick, askedYardstick)
	if b.history != "" {
		if err := appendHistory(b.history, b.entry(results, rounds, yardstick)); err != nil {
			return err
		}
	}
	if lost := lostPackets(rounds); len(lost) > 0 {
		return errors.New("packets were lost: " + strings.Join(lost, "; "))
	}
	return nil
}

// result is what was measured for a row.
type result struct {
	row    benchRow
	median load.Figure
	all    []load.Figure // of the rounds, sorted
	missed bool
}

// judgeRows compares the medians with what is asked. A figure that is unknown in
// any round is missed.
func judgeRows(rows []benchRow, rounds []reports) []result {
	var results []result
	for _, row := range rows {
		r := result{row: row}
		for _, round := range rounds {
			r.all = append(r.all, row.value(round))
		}
		slices.Sort(r.all) // what is unknown comes first
		r.median = medianOf(r.all)
		r.missed = !row.meets(r.median) || r.all[0] != r.all[0]
		results = append(results, r)
	}
	return results
}

// medianOf returns the middle one of sorted figures, or the mean of the two.
func medianOf(sorted []load.Figure) load.Figure {
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// busyMachine is from how much on others spoil the figures, in percent of a core.
const busyMachine = 20

// writeResults prints the table, and which figures were missed.
func writeResults(w io.Writer, results []result, rounds []reports) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "figure\tasked\tmeasured\trounds\t\n")
	var missed []string
	for _, r := range results {
		verdict := ""
		if r.missed {
			verdict = "missed"
			missed = append(missed, r.row.name)
		}
		fmt.Fprintf(t, "%s\t%v %s\t%v %s\t%v to %v\t%s\n",
			r.row.name, r.row.asked, r.row.unit, r.median, r.row.unit, r.all[0], r.all[len(r.all)-1], verdict)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	summary := "all figures were reached"
	if len(missed) > 0 {
		summary = fmt.Sprintf("%d of %d figures were missed: %s", len(missed), len(results), strings.Join(missed, "; "))
	}
	others := othersCPU(rounds)
	_, err := fmt.Fprintf(w, "\n%s\nwhat else runs here used %v %% of a core (median of the loads)\n", summary, others)
	if err == nil && others > busyMachine {
		_, err = fmt.Fprintln(w, "that is too much: CPU time is dearer than on an idle machine, and latencies say little")
	}
	return err
}

// othersCPU is the median over all loads.
func othersCPU(rounds []reports) load.Figure {
	var all []load.Figure
	for _, round := range rounds {
		for _, r := range round {
			all = append(all, r.OthersCPU)
		}
	}
	slices.Sort(all)
	return medianOf(all)
}

// lostPackets tells in which loads packets were lost.
func lostPackets(rounds []reports) (lost []string) {
	for i, round := range rounds {
		for name, r := range round {
			if got := r.Received; got.Lost > 0 {
				lost = append(lost, fmt.Sprintf("round %d, %s: %d of %d (%d gaps, %d left out by the server, %d dropped by the load generator)",
					i+1, name, got.Lost, got.Expected, got.Gaps, got.Skipped, got.Dropped))
			}
		}
	}
	slices.Sort(lost)
	return lost
}
