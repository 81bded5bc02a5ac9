package sfu

import (
	"context"
	"errors"
	"sync"
	"time"
)

// standing is what runs the standing sinks of one stream.
type standing struct {
	once    sync.Once
	running sync.WaitGroup

	// set by once
	cancel context.CancelCauseFunc // nil: they were never started

	// guarded by mu
	mu   sync.Mutex
	errs []error
}

// startStanding starts the standing sinks, the first time that it is called. No
// publisher's context ends them: they have to drain.
func (s *stream) startStanding() {
	s.standing.once.Do(func() {
		ctx, cancel := context.WithCancelCause(context.Background())
		s.standing.cancel = cancel
		for _, make := range s.hub.config.Standing {
			if sink := make(s.info()); sink != nil {
				s.standing.running.Go(func() { s.stand(ctx, sink) })
			}
		}
	})
}

// stand runs one standing sink.
func (s *stream) stand(ctx context.Context, sink Sink) {
	sub := &Subscription{stream: s}
	defer sub.Close()
	if err := sink.Run(ctx, sub); err != nil {
		s.standing.mu.Lock()
		defer s.standing.mu.Unlock()
		s.standing.errs = append(s.standing.errs, err)
	}
}

// drain waits for the standing sinks of a stream that has ended, and returns what
// they failed with. ran reports whether the stream was ever run.
func (s *stream) drain() (ran bool, err error) {
	s.standing.once.Do(func() {}) // they are not started any more
	if s.standing.cancel == nil {
		return false, nil
	}
	defer s.standing.cancel(nil)
	timeout := time.AfterFunc(s.hub.config.DrainTimeout, func() { s.standing.cancel(ErrEnded) })
	defer timeout.Stop()
	s.standing.running.Wait()
	return true, errors.Join(s.standing.errs...)
}
