package recorder

import (
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"weir/sfu"
)

// tape is the standing sink of one stream: it records it whenever that is wanted.
// Its goroutine owns it; others send it orders.
type tape struct {
	// set once
	recorder *Recorder
	log      *slog.Logger
	stream   sfu.StreamInfo
	orders   chan order
	done     chan struct{} // closed when no order is taken any more

	wanted  bool
	paused  bool
	missed  bool // frames that came before now are wanted, too
	meta    map[string]string
	current *part  // nil while nothing is being written
	last    string // id of the recording before
	parts   int
	now     func() time.Duration // on the stream's clock
	tracks  []*sfu.Track
	taking  bool            // frames are being read
	written []time.Duration // time of the last frame of each track that is in a file
	safe    time.Duration   // time of a frame that a file could begin with, if this one breaks
	failed  error           // why it is not recording, though that is wanted
	retry   time.Time       // when to try again
	tries   int             // since a part lasted
	told    bool            // the log has it that it failed
	over    bool            // the stream has ended while it was not recorded
	ending  sync.WaitGroup  // parts that are being finished
}

// order is a call by another goroutine.
type order struct {
	do    func(t *tape) error
	reply chan<- outcome
}

type outcome struct {
	status Status
	err    error
}

// Status is where the recording of a live stream stands.
type Status struct {
	// State is "off", "recording", "paused", or "suspended" while it cannot be
	// written: then Reason says why.
	State     string `json:"state"`
	Recording string `json:"id,omitempty"` // the one that is being written
	Reason    string `json:"reason,omitempty"`
}

func (t *tape) status() Status {
	s := Status{State: "off"}
	switch {
	case !t.wanted:
	case t.failed != nil:
		s.State, s.Reason = "suspended", publicReason(t.failed)
	case t.paused:
		s.State = "paused"
	default:
		s.State = "recording"
	}
	if t.current != nil {
		s.Recording = t.current.record.ID
	}
	return s
}

// obey carries out an order.
func (t *tape) obey(o order) {
	err := o.do(t)
	o.reply <- outcome{t.status(), err}
}

// Run implements sfu.Sink. A recording that fails is reported in its sidecar and
// in the log; it is no error of the stream.
func (t *tape) Run(ctx context.Context, sub *sfu.Subscription) error {
	defer t.recorder.forget(t)
	defer t.ending.Wait()
	defer close(t.done)
	t.now = sub.Now
	tracks, err := t.await(ctx, sub)
	if errors.Is(err, sfu.ErrEnded) {
		return nil // it never came to media
	}
	if err != nil {
		return err
	}
	t.tracks = tracks
	t.written = slices.Repeat([]time.Duration{math.MinInt64}, len(tracks))
	for {
		if !t.idle(ctx, sub) {
			return context.Cause(ctx)
		}
		if t.settle(ctx, t.take(ctx)) || t.over {
			return context.Cause(ctx)
		}
	}
}

// await waits for the tracks, and takes orders meanwhile.
func (t *tape) await(ctx context.Context, sub *sfu.Subscription) (tracks []*sfu.Track, err error) {
	known := make(chan struct{})
	go func() {
		defer close(known)
		tracks, err = sub.Tracks(ctx)
	}()
	for {
		select {
		case <-known:
			return tracks, err
		case o := <-t.orders:
			t.obey(o)
		}
	}
}

// idle waits until the stream is to be recorded. It returns false when there will
// be nothing more to record.
func (t *tape) idle(ctx context.Context, sub *sfu.Subscription) bool {
	for {
		var wait <-chan time.Time
		if t.wanted {
			if t.failed == nil {
				return true
			}
			left := time.Until(t.retry)
			if left <= 0 {
				if t.failed = t.recorder.space.check(); t.failed == nil {
					return true
				}
				t.again(t.failed)
				continue
			}
			wait = time.After(left)
		}
		select {
		case o := <-t.orders:
			t.obey(o)
		case <-wait:
		case <-sub.Done():
			// What the rings still hold is written, if that can be done at last.
			last := t.wanted && !t.over && t.recorder.space.check() == nil
			t.over = true
			return last
		case <-ctx.Done():
			return false
		}
	}
}

// errStopped ends a take whose recording is not wanted any more.
var errStopped = errors.New("recorder: stopped")

// settle ends what a take has written, after it returned err, and returns true if
// nothing will follow.
func (t *tape) settle(ctx context.Context, err error) (ended bool) {
	over := err == nil || ctx.Err() != nil
	if errors.Is(err, errStopped) {
		err = nil
	}
	t.endPart(err)
	if err != nil && !over {
		t.again(err)
	}
	return over
}

// endPart has the open part finished, beside what comes next if there was no
// error.
func (t *tape) endPart(cause error) {
	p := t.current
	t.current = nil
	switch {
	case p == nil:
	case cause == nil:
		t.last = p.record.ID
		t.ending.Go(func() { p.finish(nil) })
	case p.finish(cause):
		t.last = p.record.ID
		t.rewind()
	default:
		t.parts-- // nothing was left of it
		t.rewind()
	}
}

// rewind has the next part begin with what the last one may have lost: from its
// last keyframe on, if the ring still holds that. A group of pictures that is in
// two files is better than one that is in none.
func (t *tape) rewind() {
	for i := range t.written {
		t.written[i] = min(t.written[i], t.safe-1)
	}
}

// link notes in a recording which one goes on where it ends.
func (r *Recorder) link(id, next string) {
	if id == "" {
		return
	}
	r.saving.Lock()
	defer r.saving.Unlock()
	rec, err := r.Recording(id)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil || rec.State.open():
		r.next[id] = next // its end will note it
	default:
		rec.Next = next
		r.save(&rec)
	}
}

// conclude lists a part that has ended.
func (r *Recorder) conclude(rec *Recording) {
	r.saving.Lock()
	defer r.saving.Unlock()
	rec.Next = r.next[rec.ID]
	delete(r.next, rec.ID)
	r.save(rec)
}

// How long to wait until a recording that failed is tried again: twice as long
// each time. A disk that is full is only asked how full it is; where nothing but
// trying tells, there must not be a file for each attempt.
const (
	retryFirst = time.Second
	retryFull  = 4 * time.Second
	retryMost  = time.Minute
	// goodPart is how long a part has to last for the next failure to be a new one.
	goodPart = 10 * time.Second
)

// again has the recording tried again later.
func (t *tape) again(err error) {
	if !t.told {
		t.told = true
		t.log.Error("recording suspended", "reason", err)
	}
	wait := min(retryFirst<<min(t.tries, 10), retryMost)
	if errors.Is(err, ErrNoSpace) { // nothing is made before there is some
		wait = min(wait, retryFull)
	}
	t.tries++
	t.failed, t.retry = err, time.Now().Add(wait)
}
