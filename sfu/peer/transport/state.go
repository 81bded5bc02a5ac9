package transport

import (
	"sync"
	"sync/atomic"
)

// State is how far a client has come: connecting, connected, closed. It never goes
// back.
type State struct {
	// set once
	connected chan struct{} // closed when ICE and DTLS are through
	closed    chan struct{} // closed when the connection failed or was closed
	settled   func()        // called once, when the client is connecting no more

	connectedOnce, closedOnce, settledOnce sync.Once

	failed atomic.Bool // the connection broke, rather than being closed
}

// NewState returns the state of a client that is connecting. settled is called once,
// when it is that no more.
func NewState(settled func()) *State {
	return &State{connected: make(chan struct{}), closed: make(chan struct{}), settled: settled}
}

// Connected returns what is closed when the client is connected.
func (s *State) Connected() <-chan struct{} { return s.connected }

// Closed returns what is closed when the connection is of no use any more.
func (s *State) Closed() <-chan struct{} { return s.closed }

// Failed reports whether the connection broke, rather than being closed.
func (s *State) Failed() bool { return s.failed.Load() }

func (s *State) connect() {
	s.connectedOnce.Do(func() { close(s.connected) })
	s.settledOnce.Do(s.settled)
}

// Close makes the client closed.
func (s *State) Close() {
	s.closedOnce.Do(func() { close(s.closed) })
	s.settledOnce.Do(s.settled)
}

// Fail is Close for a connection that broke.
func (s *State) Fail() {
	s.failed.Store(true)
	s.Close()
}
