package transport

import "errors"

var (
	// ErrNotConnected says that a client did not connect in time, or not as the one
	// whose offer it was.
	ErrNotConnected = errors.New("transport: no connection within the time allowed")
	// ErrClosed says that the socket has forgotten the client.
	ErrClosed = errors.New("transport: the client is closed")
)
