package peer

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"
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

// answerFragment makes the answer to an ICE restart from a whole answer: the
// credentials and candidates of its first section, which all are bundled with.
func answerFragment(answer string) (Fragment, error) {
	var d sdp.SessionDescription
	if err := d.UnmarshalString(answer); err != nil || len(d.MediaDescriptions) == 0 {
		return Fragment{}, fmt.Errorf("peer: read own answer: %w", err)
	}
	m := d.MediaDescriptions[0]
	var f Fragment
	if _, ok := d.Attribute("ice-lite"); ok {
		f.lines = append(f.lines, "a=ice-lite")
	}
	f.lines = append(f.lines, fmt.Sprintf("m=%s 9 UDP/TLS/RTP/SAVPF 0", m.MediaName.Media))
	for _, a := range m.Attributes {
		switch a.Key {
		case "mid", "ice-ufrag", "ice-pwd", "candidate":
			f.lines = append(f.lines, "a="+a.Key+":"+a.Value)
		case "end-of-candidates":
			f.lines = append(f.lines, "a="+a.Key)
		}
		if a.Key == "ice-ufrag" {
			f.ufrag = a.Value
		}
	}
	return f, nil
}

// credentials returns the ICE credentials of the offer: those of its first
// section, or of the session (RFC 8839 section 5.4).
func (o *offer) credentials() credentials {
	var c credentials
	m := o.description.MediaDescriptions[0]
	for key, value := range map[string]*string{"ice-ufrag": &c.ufrag, "ice-pwd": &c.pwd} {
		if v, ok := m.Attribute(key); ok {
			*value = v
		} else {
			*value, _ = o.description.Attribute(key)
		}
	}
	return c
}
