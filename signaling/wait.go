package signaling

import (
	"context"
	"sync"
)

// Wait waits until everything that running counts has ended, and returns nil, or
// until ctx is done, and returns its cause.
func Wait(ctx context.Context, running *sync.WaitGroup) error {
	ended := make(chan struct{})
	go func() {
		running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
