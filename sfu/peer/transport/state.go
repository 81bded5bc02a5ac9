package transport

import (
	"sync"
	"sync/atomic"
)

// ConnectionState is how far a client has come: connecting, connected, closed. It never
// goes back.
type ConnectionState struct {
	// set once
	connected chan struct{} // closed when ICE and DTLS are complete
	closed    chan struct{} // closed when the connection failed or was closed
	done      func()        // called once, when the client is connecting no more

	connectedOnce, closedOnce, doneOnce sync.Once

	failed atomic.Bool // the connection broke, rather than being closed
}

// NewConnectionState returns the state of a client that is connecting. done is called
// once, when it is connecting no more.
func NewConnectionState(done func()) *ConnectionState {
	return &ConnectionState{connected: make(chan struct{}), closed: make(chan struct{}), done: done}
}

// Connected returns what is closed when the client is connected.
func (s *ConnectionState) Connected() <-chan struct{} { return s.connected }

// Closed returns what is closed when the connection is of no use any more.
func (s *ConnectionState) Closed() <-chan struct{} { return s.closed }

// Failed reports whether the connection broke, rather than being closed.
func (s *ConnectionState) Failed() bool { return s.failed.Load() }

func (s *ConnectionState) connect() {
	s.connectedOnce.Do(func() { close(s.connected) })
	s.doneOnce.Do(s.done)
}

// Close makes the client closed.
func (s *ConnectionState) Close() {
	s.closedOnce.Do(func() { close(s.closed) })
	s.doneOnce.Do(s.done)
}

// Fail is Close for a connection that broke.
func (s *ConnectionState) Fail() {
	s.failed.Store(true)
	s.Close()
}
