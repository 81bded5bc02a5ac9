package recorder

import (
	"sync"
	"sync/atomic"
	"time"
)

// syncer forces a file to the disk now and then, by a goroutine of its own: a disk
// can take seconds for that.
type syncer struct {
	quit   chan struct{}
	done   sync.WaitGroup
	failed atomic.Pointer[error]
}

// startSyncer returns a syncer that is to be stopped before the file is closed.
// It does nothing if interval is negative.
func startSyncer(f mediaFile, interval time.Duration) *syncer {
	s := &syncer{quit: make(chan struct{})}
	if interval < 0 {
		return s
	}
	s.done.Go(func() {
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-s.quit:
				return
			}
			if err := f.Sync(); err != nil {
				s.failed.Store(&err)
				return
			}
		}
	})
	return s
}

// err returns what the disk said, if it failed.
func (s *syncer) err() error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// stop ends the syncer and waits for it.
func (s *syncer) stop() {
	close(s.quit)
	s.done.Wait()
}
