package load

import (
	"context"
	"fmt"
	"sync"
	"time"
)

const (
	// baseTime is for how long the server is looked at before a viewer joins: what it
	// uses then is the stream's, and is taken off what the joins cost.
	baseTime = 2 * time.Second
	// joinsAtOnce is how many viewers join at a time: so few that hardly one waits
	// for another, and enough that the way to the server and back is no limit.
	joinsAtOnce = 4
	// joinsToTell is after how many joins the progress is told.
	joinsToTell = 100
)

// Joins is what it costs a server when viewers come and go: an offer, ICE, DTLS
// and the keys of SRTP, the end of the session, and HTTP for both ends of it.
type Joins struct {
	Done       int    `json:"done"` // viewers that were connected and have left again
	PerSecond  Figure `json:"per_second"`
	Connected  Times  `json:"connected_ms"`     // from the offer to the keys
	CPUPerJoin Figure `json:"cpu_ms_per_join"`  // of the server
	PerCore    Figure `json:"joins_per_core_s"` // that a core of the server can do in a second
	BaseCPU    Figure `json:"base_cpu_percent"` // of a core, without joins; not in the above
}

// comeAndGo lets viewers join and leave, and fills in the report. An error means that
// no viewer could join, or that the server is gone.
func (r *loadTest) comeAndGo(ctx context.Context) error {
	base, baseTook, err := r.spend(func() { sleep(ctx, baseTime) })
	if err != nil {
		return err
	}
	tally := tally{failures: failures{reasons: []string{}}}
	m := measurement{}
	_ = r.fleet.do(func() { m.open(r) }) // an error is told by the viewers that cannot join
	used, took, err := r.spend(func() { r.joinAndLeaveAll(ctx, &tally) })
	_ = r.fleet.do(func() { m.end(r) })
	r.fleet.stop()
	r.reading.Wait()
	if err != nil {
		return err
	}
	report := r.report
	report.Viewers, report.Joined, report.Interrupted = r.c.Joins, len(tally.connected), ctx.Err() != nil
	report.Failed, report.Failures = tally.failures.count, tally.failures.reasons
	if report.Joined == 0 && report.Failed > 0 {
		return fmt.Errorf("no viewer could join: %s", report.Failures[0])
	}
	report.Joins = joinsOf(tally.connected, spent{used, took}, spent{base, baseTook})
	r.fleet.latencies = histogram{} // no viewer stays long enough to tell anything of the media
	r.collect(m)
	return nil
}

// spent is how much CPU time the server used within a time.
type spent struct{ cpu, took time.Duration }

// joinsOf is what joins cost that took so long each, in ns, when the server used
// that much meanwhile, and without them as much as in base.
func joinsOf(connected []int64, with, base spent) *Joins {
	done := len(connected)
	used := max(0, with.cpu-time.Duration(float64(with.took)*float64(ratio(base.cpu, base.took))))
	return &Joins{
		Done: done, PerSecond: ratio(float64(done), with.took.Seconds()), Connected: timesOf(connected),
		CPUPerJoin: ratio(used, time.Duration(done)) / Figure(time.Millisecond),
		PerCore:    ratio(float64(done), used.Seconds()),
		BaseCPU:    100 * ratio(base.cpu, base.took),
	}
}

// joinAndLeaveAll lets all viewers join and leave.
func (r *loadTest) joinAndLeaveAll(ctx context.Context, t *tally) {
	each(r.c.Joins, joinsAtOnce, func(i int) {
		if ctx.Err() != nil {
			return
		}
		took, err := r.joinAndLeave(ctx, i)
		if ctx.Err() != nil {
			return // interrupted: not a fault
		}
		if done := t.add(took, err); done%joinsToTell == 0 {
			r.c.say("%d of %d viewers have joined and left", done, r.c.Joins)
		}
	})
}

// spend calls do and returns the CPU time that the server used meanwhile.
func (r *loadTest) spend(do func()) (used, took time.Duration, err error) {
	before, err := processCPU(r.c.PID)
	if err != nil {
		return 0, 0, err
	}
	start := time.Now()
	do()
	took = time.Since(start)
	after, err := processCPU(r.c.PID)
	return after - before, took, err
}

// joinAndLeave has viewer i join and leave. It returns the time until it had its
// keys.
func (r *loadTest) joinAndLeave(ctx context.Context, i int) (time.Duration, error) {
	v, err := newViewer(r.fleet, i)
	if err != nil {
		return 0, err
	}
	v.stream = r.publishers[i%len(r.publishers)]
	err = r.joiner.join(ctx, v)
	took := time.Duration(time.Now().UnixNano() - v.started)
	// An error means that the fleet has stopped: nothing reads the socket.
	_ = r.fleet.remove(v)
	if left := v.leave(context.WithoutCancel(ctx)); err == nil {
		err = left
	}
	return took, err
}

// tally is what came of the joins. It is safe for concurrent use.
type tally struct {
	failures failures

	// guarded by mu
	mu        sync.Mutex
	done      int
	connected []int64 // ns
}

// add counts a visit and returns how many there were.
func (t *tally) add(took time.Duration, err error) (done int) {
	t.failures.add(err)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	if err == nil {
		t.connected = append(t.connected, int64(took))
	}
	return t.done
}
