package transport

import "errors"

var (
	// ErrNotConnected means that a client did not connect in time, or not as the one
	// whose offer it was.
	ErrNotConnected = errors.New("transport: no connection within the time allowed")
	// ErrClosed means that the socket has forgotten the client.
	ErrClosed = errors.New("transport: the client is closed")
)
