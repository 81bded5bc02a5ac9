package peer

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
	ufrag, pwd string
	lines      []string
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
			f.ufrag = value
		case key == "ice-pwd":
			f.pwd = value
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
	if f.ufrag == "" && f.pwd == "" {
		return f, nil // candidates alone
	}
	return f, credentials{f.ufrag, f.pwd}.check()
}

// clip shortens a client's text for an error message.
func clip(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

// checkSession checks that a fragment is meant for the ICE session in which the
// client has that user name fragment.
func (f Fragment) checkSession(ufrag string) error {
	if f.ufrag != "" && f.ufrag != ufrag {
		return fmt.Errorf("%w: the fragment's ICE credentials are not those of the session; to restart ICE, send If-Match: *", ErrOffer)
	}
	return nil
}

// checkRestart checks that a fragment can ask for an ICE restart.
func (f Fragment) checkRestart() error {
	if f.ufrag == "" || f.pwd == "" {
		return fmt.Errorf("%w: an ICE restart needs a=ice-ufrag and a=ice-pwd", ErrOffer)
	}
	return nil
}

// String returns the fragment as it is sent.
func (f Fragment) String() string { return strings.Join(f.lines, "\r\n") + "\r\n" }
