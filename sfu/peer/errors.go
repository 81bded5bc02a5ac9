package peer

import (
	"errors"

	"weir/sfu"
	"weir/sfu/peer/sdp"
)

var (
	// ErrOffer means that an offer is not usable; its text says what to change.
	ErrOffer = sdp.ErrOffer
	// ErrUnsupported means that an offer is well-formed but asks for something that is
	// not supported, such as no codec that is known here.
	ErrUnsupported = sdp.ErrUnsupported
	// ErrBusy means that too many clients are connecting at this moment.
	ErrBusy = errors.New("peer: too many clients are connecting")
	// ErrNotConnected means that the client did not connect in time: most often the UDP
	// port cannot be reached. It wraps sfu.ErrLost.
	ErrNotConnected = sfu.LostError("peer: no connection within the time allowed")
	// ErrLost means that the connection broke. It wraps sfu.ErrLost: the client did not
	// want that, and may come back.
	ErrLost = sfu.LostError("peer: connection lost")
	// ErrNoMedia means that the client sends, but nothing that can be used: its packets
	// name no section of its offer, or are of types that were not negotiated.
	ErrNoMedia = errors.New("peer: no packet that came can be used: they name no section of the offer, or a payload type that was not negotiated")
	// ErrClosed means that the client closed the connection.
	ErrClosed = errors.New("peer: connection closed by the client")
)

// Fragment is an SDP fragment with ICE credentials and candidates, as PATCH carries it
// (RFC 8840 section 9, application/trickle-ice-sdpfrag).
type Fragment = sdp.Fragment

// ParseFragment reads a fragment from a client. Errors wrap ErrOffer.
func ParseFragment(raw string) (Fragment, error) { return sdp.ParseFragment(raw) }
