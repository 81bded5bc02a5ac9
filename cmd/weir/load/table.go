package load

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// WriteTable writes a report for people.
func (r *Report) WriteTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) { fmt.Fprintf(t, "%s\t%s\n", name, fmt.Sprintf(format, args...)) }
	window := time.Duration(r.WindowMS) * time.Millisecond
	interrupted := ""
	if r.Interrupted {
		interrupted = ", interrupted"
	}
	row("load", "%d streams, %d viewers, measured for %v%s", r.Streams, r.Viewers, window.Round(100*time.Millisecond), interrupted)
	row("sent", "%d packets, %d frames, %d keyframes; asked for %d keyframes and %d lost packets",
		r.Sent.Packets, r.Sent.Frames, r.Sent.Keyframes, r.Sent.KeyframeRequests, r.Sent.Nacked)
	if j := r.Joins; j != nil {
		row("joins", "%d joined and left, %d failed: %v a second", j.Done, r.Failed, j.PerSecond)
		row("connected", "p50 %v ms, p95 %v ms, max %v ms", j.Connected.P50, j.Connected.P95, j.Connected.Max)
		row("cost", "%v ms of the server's CPU a join: %v joins a second and core; %v %% of a core without joins", j.CPUPerJoin, j.PerCore, j.BaseCPU)
	} else if r.Viewers > 0 {
		r.writeReceived(row, window)
	}
	if s := r.Server; s != nil {
		row("server", "pid %d: %v %% of a core, %v µs a packet", s.PID, s.CPUPercent, s.CPUPerPacket)
		row("", "RSS %d kB before the viewers, %d with them, %d at the end; %v kB a viewer", s.RSSBefore, s.RSSRamp, s.RSSEnd, s.RSSPerViewer)
		if s.Goroutines.known() {
			row("", "%v goroutines", s.Goroutines)
		}
		if s.Error != "" {
			row("", "%s", s.Error)
		}
	}
	g := r.Generator
	row("generator", "%v %% of a core, %v µs a packet; its viewers alone %v µs", g.CPUPercent, g.CPUPerPacket, g.ViewerPerPacket)
	row("others", "%v %% of a core, used by what else runs here", r.OthersCPU)
	for _, reason := range r.Failures {
		row("failure", "%s", reason)
	}
	for _, c := range r.Checks {
		verdict := "ok"
		if !c.Met {
			verdict = "MISSED"
		}
		row("expect", "%s: %v%s, %s", c.Expected, c.Got, c.Unit, verdict)
	}
	row("verdict", "%s", r.Verdict)
	return t.Flush()
}

// writeReceived writes what the viewers received.
func (r *Report) writeReceived(row func(name, format string, args ...any), window time.Duration) {
	got := r.Received
	row("viewers", "%d joined, %d failed, %d ended by the server, %d received nothing", r.Joined, r.Failed, r.Ended, r.Silent)
	row("received", "%d packets (%v a second), %v Mbit/s", got.Packets, ratio(got.Packets, window)*Figure(time.Second),
		8*ratio(got.Bytes, window)*Figure(time.Second)/1e6)
	row("loss", "%v %%: %d of %d packets; %d are gaps in the sequence numbers, %d were left out without one, %d came twice",
		r.LossPercent, got.Lost, got.Expected, got.Gaps, got.Skipped, got.Duplicates)
	if late := got.Lost - got.Gaps - got.Skipped; late > 0 {
		row("", "%d had not come %v after the end", late, drainTime)
	}
	if got.Unstamped > 0 {
		row("", "%d packets without stamp: the server cuts packets anew, so only gaps count", got.Unstamped)
	}
	if got.Dropped > 0 {
		row("", "%d of them were dropped here, since this program was too slow", got.Dropped)
	}
	row("checked", "%d packets decrypted whole, %d could not be", got.Authenticated, got.Undecryptable)
	l := r.Latency
	row("latency", "p50 %v ms, p95 %v ms, p99 %v ms, max %v ms (%d packets)", l.P50, l.P95, l.P99, l.Max, l.Samples)
	if l.Negative > 0 {
		row("", "%d are below 0: the clocks of sender and receiver differ", l.Negative)
	}
	for _, times := range []struct {
		name string
		Times
	}{{"first packet", r.Join}, {"first keyframe", r.Keyframe}} {
		row(times.name, "p50 %v ms, p95 %v ms, max %v ms, %d in vain", times.P50, times.P95, times.Max, times.Vain)
	}
}
