package peer

import (
	"sync"
	"sync/atomic"
)

// connectionState is how far a client has come: connecting, connected, closed. It
// never goes back.
type connectionState struct {
	connected chan struct{} // closed when ICE and DTLS are through
	closed    chan struct{} // closed when the connection failed or was closed

	connecting                func(n int64) int64 // counts the clients that are connecting
	connectedOnce, closedOnce sync.Once
	countedOnce               sync.Once
	failed                    atomic.Bool // the connection broke, rather than being closed
}

// newConnectionState returns the state of a client that is connecting, or ErrBusy.
func (p *Port) newConnectionState() (*connectionState, error) {
	s := &connectionState{connected: make(chan struct{}), closed: make(chan struct{}), connecting: p.connecting.Add}
	if s.connecting(1) > p.maxConnecting {
		s.count()
		return nil, ErrBusy
	}
	return s, nil
}

// count makes the client count no more as one that is connecting.
func (s *connectionState) count() { s.countedOnce.Do(func() { s.connecting(-1) }) }

// connect makes the client connected.
func (s *connectionState) connect() {
	s.connectedOnce.Do(func() { close(s.connected) })
	s.count()
}

// close makes the client closed: its connection is of no use any more.
func (s *connectionState) close() {
	s.closedOnce.Do(func() { close(s.closed) })
	s.count()
}

// fail is close for a connection that broke.
func (s *connectionState) fail() {
	s.failed.Store(true)
	s.close()
}

// cause returns why the client is closed: ErrLost or ErrClosed.
func (s *connectionState) cause() error {
	if s.failed.Load() {
		return ErrLost
	}
	return ErrClosed
}
