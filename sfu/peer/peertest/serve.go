package peertest

import (
	"context"
	"testing"
)

// Port is a *peer.Port, as far as Serve needs it.
type Port interface {
	Run(ctx context.Context) error
	Close() error
}

// Serve runs a port until the test ends, or until what it returns is called, and closes
// it.
func Serve(t testing.TB, p Port) (stop func()) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- p.Run(context.Background()) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return stop
}
