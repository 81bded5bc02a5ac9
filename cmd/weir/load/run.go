package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// settleTime is between the last viewer's coming and the measurement: what is sent
	// to those that come late, to catch up, is over then.
	settleTime = time.Second
	// drainTime is how long packets that were sent within the measurement are
	// waited for behind it.
	drainTime = 500 * time.Millisecond
	// publishers and leavers are how many come and go at a time.
	publishers = 8
	leavers    = 16
)

// Run publishes, watches, measures and ends everything again. When ctx is done before
// the end, the report is of the time until then, and tells that it was interrupted. An
// error means that there is nothing to report: a stream could not be published, or no
// viewer could join.
func Run(ctx context.Context, c Config) (*Report, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	r := &loadTest{c: c, report: &Report{Streams: c.Streams, Viewers: c.Streams * c.Viewers, Failures: []string{}, Checks: []Check{}}}
	defer r.close(ctx)
	if err := r.publish(ctx); err != nil {
		return nil, err
	}
	if err := r.open(); err != nil {
		return nil, err
	}
	if c.Joins > 0 {
		if err := r.comeAndGo(ctx); err != nil {
			return nil, err
		}
		return r.report, nil
	}
	if err := r.watch(ctx); err != nil {
		return nil, err
	}
	r.measure(ctx)
	return r.report, nil
}

// loadTest is a run of the generator that is under way.
type loadTest struct {
	c       Config
	report  *Report
	process *process // nil without --pid

	publishers []*publisher
	sending    sync.WaitGroup
	stop       context.CancelFunc // the sending

	fleet   *fleet // nil until there is one
	reading sync.WaitGroup
	joiner  *joiner

	mu      sync.Mutex
	viewers []*viewer
}

// publish makes the streams and begins to send.
func (r *loadTest) publish(ctx context.Context) error {
	api, err := newPublishing()
	if err != nil {
		return err
	}
	client := newClient()
	defer client.CloseIdleConnections()
	sendCtx, stop := context.WithCancel(context.WithoutCancel(ctx))
	r.stop = stop
	made, errs := make([]*publisher, r.c.Streams), make([]error, r.c.Streams)
	each(r.c.Streams, publishers, func(i int) {
		if made[i], errs[i] = newPublisher(ctx, api, client, r.c, r.c.streamName(i)); errs[i] != nil {
			return
		}
		b, delay := newBroadcast(r.c, made[i]), time.Duration(i)*r.c.frameTime()/time.Duration(r.c.Streams)
		r.sending.Go(func() { b.sendFrames(sendCtx, delay) })
	})
	for _, p := range made {
		if p != nil {
			r.publishers = append(r.publishers, p)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return firstOf(errs)
	}
	r.c.say("%d of %d streams are live", len(r.publishers), r.c.Streams)
	return nil
}

// open makes what viewers need to join.
func (r *loadTest) open() error {
	if r.c.PID != 0 {
		var err error
		if r.process, err = watchProcess(r.c.PID, r.c.Profiles); err != nil {
			return err
		}
	}
	id, err := newIdentity()
	if err != nil {
		return err
	}
	if r.fleet, err = newFleet(r.c); err != nil {
		return err
	}
	r.reading.Go(r.fleet.readSockets)
	r.joiner = &joiner{
		fleet: r.fleet, client: newClient(), endpoint: r.c.WHEP, token: r.c.Token, identity: id, local: localAddress(r.c.WHEP),
	}
	return nil
}

// watch lets the viewers come, and returns when all are there or have failed.
func (r *loadTest) watch(ctx context.Context) error {
	total := r.report.Viewers
	if r.process != nil {
		r.process.sample(r.fleet.connected.Load)
	}
	failures := &failures{reasons: []string{}}
	var joining sync.WaitGroup
	start := time.Now()
	for i := range total {
		if !sleep(ctx, time.Until(start.Add(r.c.Ramp*time.Duration(i)/time.Duration(total)))) {
			break
		}
		joining.Go(func() { failures.add(r.join(ctx, i)) })
	}
	joining.Wait()
	r.joiner.client.CloseIdleConnections() // they would count as what viewers cost
	r.report.Joined = int(r.fleet.connected.Load())
	r.report.Failed, r.report.Failures = failures.count, failures.reasons
	r.c.say("%d of %d viewers are there", r.report.Joined, total)
	if total > 0 && r.report.Joined == 0 && ctx.Err() == nil {
		return fmt.Errorf("no viewer could join: %s", failures.reasons[0])
	}
	return nil
}

// join adds viewer i.
func (r *loadTest) join(ctx context.Context, i int) error {
	v, err := newViewer(r.fleet, i)
	if err != nil {
		return err
	}
	v.stream = r.publishers[i%len(r.publishers)]
	r.mu.Lock()
	r.viewers = append(r.viewers, v)
	r.mu.Unlock()
	err = r.joiner.join(ctx, v)
	if ctx.Err() != nil {
		return nil // interrupted: not a fault
	}
	return err
}

// measure waits for the measurement to be over and fills in the report.
func (r *loadTest) measure(ctx context.Context) {
	sleep(ctx, settleTime)
	// Both ends are on the reading goroutine, so that all figures are of one time.
	m := measurement{}
	_ = r.fleet.do(func() { m.open(r) }) // an error is told by the viewers that are missing
	r.report.Interrupted = !sleep(ctx, r.c.Duration)
	r.process.count(context.WithoutCancel(ctx), r.joiner.client)
	_ = r.fleet.do(func() { m.end(r) })
	sleep(context.WithoutCancel(ctx), drainTime)
	// From here on nothing reads, so what the viewers have can be looked at.
	r.fleet.stop()
	r.reading.Wait()
	r.collect(m)
}

func (r *loadTest) sent() Sent {
	var n Sent
	for _, p := range r.publishers {
		n = p.sent.plus(n)
	}
	return n
}

func (s Sent) minus(t Sent) Sent {
	return Sent{s.Packets - t.Packets, s.Frames - t.Frames, s.Keyframes - t.Keyframes,
		s.KeyframeRequests - t.KeyframeRequests, s.Nacked - t.Nacked}
}

// close ends everything. It is called once, at whatever point the run is.
func (r *loadTest) close(ctx context.Context) {
	if r.fleet != nil {
		r.fleet.stop()
		r.reading.Wait()
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		each(len(r.viewers), leavers, func(i int) { _ = r.viewers[i].leave(leaving) }) // the server notices by itself in time
		r.joiner.reading.Wait()
		r.joiner.client.CloseIdleConnections()
	}
	if r.stop != nil {
		r.stop()
	}
	r.sending.Wait()
	each(len(r.publishers), publishers, func(i int) { r.publishers[i].close(context.WithoutCancel(ctx)) })
	r.process.close()
}

// each calls fn with 0, ..., n-1, some at a time, and waits.
func each(n, atOnce int, fn func(i int)) {
	var wait sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for i := range n {
		slots <- struct{}{}
		wait.Go(func() { fn(i); <-slots })
	}
	wait.Wait()
}

// sleep waits, and returns false if ctx is done before.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
