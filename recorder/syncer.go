package recorder

import (
	"sync"
	"sync/atomic"
	"time"
)

// noteInterval is how often notes are kept of a file that is never forced to the
// disk before its end.
const noteInterval = time.Second

// syncer forces a file to the disk now and then, and what is known about it, by a
// goroutine of its own: a disk can take seconds for that.
type syncer struct {
	quit chan struct{}
	done sync.WaitGroup

	// atomic
	failed atomic.Pointer[error]
	notes  atomic.Pointer[func() error] // keeps what is known; nil: nothing new is
}

// startSyncer returns a syncer that is to be stopped before the file is closed.
// It forces nothing to the disk, but keeps notes, if interval is negative.
func startSyncer(f mediaFile, interval time.Duration) *syncer {
	s := &syncer{quit: make(chan struct{})}
	force := interval > 0
	if !force {
		interval = noteInterval
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
			if force {
				if err := f.Sync(); err != nil {
					s.failed.Store(&err)
					return
				}
			}
			s.keepNotes()
		}
	})
	return s
}

// note has keep called after the next time that the file was forced to the disk, so
// that nothing is told of frames that a power cut takes away. Of several the last one
// counts. One that fails is tried again, unless a newer one is there.
func (s *syncer) note(keep func() error) { s.notes.Store(&keep) }

func (s *syncer) keepNotes() {
	keep := s.notes.Swap(nil)
	if keep == nil || (*keep)() == nil {
		return
	}
	s.notes.CompareAndSwap(nil, keep)
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
