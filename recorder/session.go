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

// session is the standing sink of one stream: it records it whenever that is wanted.
// Its goroutine owns it; others send it commands.
type session struct {
	// set once
	recorder *Recorder
	log      *slog.Logger
	stream   sfu.StreamInfo
	commands chan command
	done     chan struct{}        // closed when no command is taken any more
	now      func() time.Duration // on the stream's clock
	texts    func() sfu.Texts     // what is said of the stream by now
	source   func() string        // where its media come from by now
	tracks   []*sfu.Track         // once they are known

	state   sessionState
	trouble trouble
	backlog bool // what the rings hold is wanted, too, not only what comes from now on
	meta    map[string]string
	current *part  // nil while no file is open
	last    string // id of the recording before
	parts   int
	written []time.Duration // time of the last frame of each track that is in a file
	safe    time.Duration   // time of a frame that a file could begin with, if this one breaks
	ending  sync.WaitGroup  // parts that are being finished
}

// trouble is why a recording is suspended.
type trouble struct {
	err    error
	retry  time.Time // when to try again
	tries  int       // since a part lasted
	logged bool      // since a part was begun
}

// command is a call by another goroutine.
type command struct {
	do    func(s *session) error
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

func (s *session) status() Status {
	status := Status{State: s.state.String()}
	if s.state == stateSuspended {
		status.Reason = publicReason(s.trouble.err)
	}
	if s.current != nil {
		status.Recording = s.current.record.ID
	}
	return status
}

// handle carries out a command.
func (s *session) handle(c command) {
	err := c.do(s)
	c.reply <- outcome{s.status(), err}
}

// step goes on to the state that follows an event.
func (s *session) step(e sessionEvent) error {
	next, err := s.state.after(e)
	s.state = next
	return err
}

// Run implements sfu.Sink. A recording that fails is reported in its sidecar and
// in the log; it is no error of the stream.
func (s *session) Run(ctx context.Context, sub *sfu.Subscription) error {
	defer s.recorder.forget(s)
	defer s.ending.Wait()
	defer close(s.done)
	s.now, s.texts, s.source = sub.Now, sub.Texts, sub.Source
	tracks, err := s.await(ctx, sub)
	if errors.Is(err, sfu.ErrEnded) {
		return nil // it never came to media
	}
	if err != nil {
		return err
	}
	s.tracks = tracks
	s.written = slices.Repeat([]time.Duration{math.MinInt64}, len(tracks))
	for s.idle(ctx, sub) {
		if s.settle(ctx, s.capture(ctx)) {
			break
		}
	}
	return context.Cause(ctx)
}

// await waits for the tracks, and handles commands meanwhile.
func (s *session) await(ctx context.Context, sub *sfu.Subscription) (tracks []*sfu.Track, err error) {
	known := make(chan struct{})
	go func() {
		defer close(known)
		tracks, err = sub.Tracks(ctx)
	}()
	for {
		select {
		case <-known:
			return sfu.Best(tracks), err
		case c := <-s.commands:
			s.handle(c)
		}
	}
}

// idle waits until there are frames to be read. It returns false when there will be
// none any more.
func (s *session) idle(ctx context.Context, sub *sfu.Subscription) bool {
	for !s.state.reads() {
		var retry <-chan time.Time
		if s.state == stateSuspended {
			left := time.Until(s.trouble.retry)
			if left <= 0 {
				s.retry()
				continue
			}
			retry = time.After(left)
		}
		select {
		case c := <-s.commands:
			s.handle(c)
		case <-retry:
		case <-sub.Done():
			// The frames still in the rings are written, if that can be done at last.
			wanted := s.state == stateSuspended && s.recorder.space.check() == nil
			_ = s.step(eventEnd)
			return wanted
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// retry has the recording go on, if there is space for it.
func (s *session) retry() {
	if err := s.recorder.space.check(); err != nil {
		s.suspend(err)
		return
	}
	_ = s.step(eventRecover)
}

// errStopped ends a capture whose recording is not wanted any more.
var errStopped = errors.New("recorder: stopped")

// settle ends what a capture has written, after it returned err, and returns true if
// nothing will follow.
func (s *session) settle(ctx context.Context, err error) (ended bool) {
	if err == nil {
		_ = s.step(eventEnd)
	}
	if errors.Is(err, errStopped) {
		err = nil
	}
	s.endPart(err)
	ended = s.state == stateFinishing || ctx.Err() != nil
	if err != nil && s.state == stateRecording && !ended {
		s.suspend(err)
	}
	return ended
}

// endPart has the open part finished, beside what comes next if there was no
// error.
func (s *session) endPart(cause error) {
	p := s.current
	s.current = nil
	switch {
	case p == nil:
	case cause == nil:
		s.last = p.record.ID
		s.ending.Go(func() { p.finish(nil) })
	case p.finish(cause):
		s.last = p.record.ID
		s.rewind()
	default:
		s.parts-- // nothing was left of it
		s.rewind()
	}
}

// rewind has the next part begin with what the last one may have lost: from its
// last keyframe on, if the ring still holds that. A group of pictures that is in
// two files is better than one that is in none.
func (s *session) rewind() {
	for i := range s.written {
		s.written[i] = min(s.written[i], s.safe-1)
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
	rec.Next, rec.Stopped = r.next[rec.ID], r.stopping.Load()
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

// suspend has the recording tried again later.
func (s *session) suspend(err error) {
	_ = s.step(eventFail)
	t := &s.trouble
	if !t.logged {
		t.logged = true
		s.log.Error("recording suspended", "reason", err)
	}
	wait := min(retryFirst<<min(t.tries, 10), retryMost)
	if errors.Is(err, ErrNoSpace) { // nothing is made before there is some
		wait = min(wait, retryFull)
	}
	t.tries++
	t.err, t.retry = err, time.Now().Add(wait)
}
