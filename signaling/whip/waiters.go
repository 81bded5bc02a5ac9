package whip

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"weir/sfu"
)

const (
	// connectingWait is how long a viewer is kept waiting for a publisher that is
	// connecting: both often come by the same click. Most publishers take less than a
	// second; a viewer that has waited for longer is told to come again.
	connectingWait = 3 * time.Second
	// maxWaiting is how many viewers may wait. Each has a goroutine and its offer, of
	// up to maxSDP bytes.
	maxWaiting = 500
)

// waiters are the viewers that wait for a publisher which is connecting. The zero
// value is ready to use. It is safe for concurrent use.
type waiters struct {
	// guarded by mu
	mu     sync.Mutex
	all    map[*waiter]struct{}
	closed bool
}

// waiter is one of them.
type waiter struct{ end context.CancelCauseFunc }

// await waits for the publisher of a stream, if it is connecting. It returns
// sfu.ErrNotLive at once where there is none, and where too many wait already.
func (w *waiters) await(ctx context.Context, hub *sfu.Hub, name string) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	one := &waiter{cancel}
	if err := w.add(one); err != nil {
		return err
	}
	defer w.remove(one)
	limited, stop := context.WithTimeoutCause(ctx, connectingWait, sfu.ErrNotLive)
	defer stop()
	err := hub.AwaitLive(limited, name)
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("%w: the viewer did not wait", sfu.ErrNotLive)
	}
	return err
}

func (w *waiters) add(one *waiter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		return sfu.ErrShutdown
	case len(w.all) >= maxWaiting:
		return sfu.ErrNotLive
	case w.all == nil:
		w.all = map[*waiter]struct{}{}
	}
	w.all[one] = struct{}{}
	return nil
}

func (w *waiters) remove(one *waiter) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.all, one)
}

// shutdown ends all waiting, now and later.
func (w *waiters) shutdown() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for one := range w.all {
		one.end(sfu.ErrShutdown)
	}
}
