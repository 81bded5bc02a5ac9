package sfu

import (
	"sync"
	"time"
)

const (
	// keyframeInterval is the least time between two requests to the publisher,
	// however many viewers ask.
	keyframeInterval = time.Second
	// keyframeTries is how often one need is repeated while it is not answered:
	// a request may get lost, but some publishers cannot answer at all.
	keyframeTries = 10
)

// keyframeThrottle is the one owner of a video track's keyframe requests. The
// first goes out at once, then at most one a second; a request that is not
// answered is repeated.
type keyframeThrottle struct {
	send func() // must not block

	mu     sync.Mutex
	wanted int // requests that may still go out; 0: nobody wants a keyframe
	last   time.Time
	timer  *time.Timer // nil: none is running
	closed bool
}

// request asks for a keyframe.
func (k *keyframeThrottle) request() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = keyframeTries
	k.next()
}

// satisfied says that a keyframe came.
func (k *keyframeThrottle) satisfied() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.wanted = 0
}

// next sends now if it may and sees to the repetition. Called with mu held; send
// does not block and takes no lock.
func (k *keyframeThrottle) next() {
	if k.closed || k.wanted == 0 || k.timer != nil {
		return
	}
	wait := keyframeInterval - time.Since(k.last)
	if k.last.IsZero() || wait <= 0 {
		k.wanted--
		k.last = time.Now()
		k.send()
		wait = keyframeInterval
	}
	k.timer = time.AfterFunc(wait, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.timer = nil
		k.next()
	})
}

func (k *keyframeThrottle) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	if k.timer != nil {
		k.timer.Stop()
	}
}
