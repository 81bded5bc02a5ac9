package sdp

import (
	"fmt"
	"strings"
)

const (
	maxFragment   = 64 << 10 // bytes
	maxCandidates = 64
)

// Fragment is an SDP fragment with ICE credentials and candidates, as PATCH
// carries it (RFC 8840 section 9, application/trickle-ice-sdpfrag).
type Fragment struct {
	credentials Credentials // empty in a fragment of candidates alone
	lines       []string
}

// ParseFragment reads a fragment from a client.
func ParseFragment(raw string) (Fragment, error) {
	if len(raw) > maxFragment {
		return Fragment{}, fmt.Errorf("%w: the fragment is larger than %d bytes", ErrOffer, maxFragment)
	}
	var f Fragment
	candidates := 0
	for line := range strings.Lines(raw) {
		line = strings.TrimRight(line, "\r\n")
		if line == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' || !strings.ContainsRune("am", rune(line[0])) {
			return Fragment{}, fmt.Errorf("%w: line %q is not part of an SDP fragment", ErrOffer, clip(line))
		}
		key, value, _ := strings.Cut(line[2:], ":")
		switch {
		case line[0] == 'm':
		case key == "ice-ufrag":
			f.credentials.Ufrag = value
		case key == "ice-pwd":
			f.credentials.Pwd = value
		case key == "candidate":
			if candidates++; candidates > maxCandidates {
				return Fragment{}, fmt.Errorf("%w: the fragment has more than %d candidates", ErrOffer, maxCandidates)
			}
		}
		f.lines = append(f.lines, line)
	}
	if len(f.lines) == 0 {
		return Fragment{}, fmt.Errorf("%w: the fragment is empty", ErrOffer)
	}
	if f.credentials == (Credentials{}) {
		return f, nil // candidates alone
	}
	return f, f.credentials.check()
}

// CheckSession checks that a fragment is meant for the ICE session in which the
// client has that user name fragment. Errors wrap ErrOffer.
func (f Fragment) CheckSession(ufrag string) error {
	if f.credentials.Ufrag != "" && f.credentials.Ufrag != ufrag {
		return fmt.Errorf("%w: the fragment's ICE credentials are not those of the session; to restart ICE, send If-Match: *", ErrOffer)
	}
	return nil
}

// Restart returns the client's credentials for an ICE restart. Errors wrap ErrOffer.
func (f Fragment) Restart() (Credentials, error) {
	if f.credentials.Ufrag == "" || f.credentials.Pwd == "" {
		return Credentials{}, fmt.Errorf("%w: an ICE restart needs a=ice-ufrag and a=ice-pwd", ErrOffer)
	}
	return f.credentials, nil
}

// String returns the fragment as it is sent.
func (f Fragment) String() string { return strings.Join(f.lines, "\r\n") + "\r\n" }
