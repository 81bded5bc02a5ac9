package peer

import "errors"

var (
	// ErrOffer says that an offer is not usable; its text says what to change.
	ErrOffer = errors.New("peer: bad offer")
	// ErrUnsupported says that an offer is well-formed but asks for something
	// that is not supported, such as no codec that is known here.
	ErrUnsupported = errors.New("peer: unsupported offer")
	// ErrBusy says that too many clients are connecting at this moment.
	ErrBusy = errors.New("peer: too many clients are connecting")
	// ErrNotConnected says that the client did not connect in time: most often
	// the UDP port cannot be reached.
	ErrNotConnected = errors.New("peer: no connection within the time allowed")
	// ErrLost says that the connection broke or was closed by the client.
	ErrLost = errors.New("peer: connection lost")
)
