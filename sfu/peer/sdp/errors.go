package sdp

import "errors"

var (
	// ErrOffer means that an offer or a fragment is not usable; its text says what to
	// change.
	ErrOffer = errors.New("sdp: bad offer")
	// ErrUnsupported means that an offer is well-formed but asks for something that is
	// not supported, such as no codec that is known here.
	ErrUnsupported = errors.New("sdp: unsupported offer")
	// ErrFingerprint means that a client's certificate is not the one of its offer.
	ErrFingerprint = errors.New("sdp: the client's certificate is not that of its offer")
)

// clip shortens a client's text for an error message.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}
