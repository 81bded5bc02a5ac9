package sdp

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

const trickled = "a=ice-ufrag:Yp5S\r\na=ice-pwd:qZNiRsmsRGxqWvR7Ck6fB2gb\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n" +
	"a=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\na=end-of-candidates\r\n"

func TestParseFragment(t *testing.T) {
	candidates := func(n int) string {
		s := ""
		for i := range n {
			s += fmt.Sprintf("a=candidate:%d 1 udp 1 192.0.2.1 %d typ host\r\n", i, i+1)
		}
		return s
	}
	tests := []struct {
		name, raw string
		restarts  bool // it asks for a restart of a session with the credentials of trickled
		text      string
	}{
		{"trickle", trickled, false, ""},
		{"lines end in LF", strings.ReplaceAll(trickled, "\r\n", "\n"), false, ""},
		{"no end of line", "a=end-of-candidates", false, ""},
		{"candidates alone", candidates(64), false, ""},
		{"unresolvable candidate", "a=candidate:1 1 udp 1 4e0f-11.local 9 typ host\r\n", false, ""},
		{"restart", "a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n", true, ""},

		{"empty", "", false, "empty"},
		{"empty lines", "\r\n\r\n", false, "empty"},
		{"no SDP", "candidate", false, "not part of"},
		{"whole SDP", session0 + audioSection("0", "sendonly"), false, "not part of"},
		{"65 candidates", candidates(65), false, "more than 64"},
		{"too large", "a=" + strings.Repeat("x", 64<<10), false, "larger than"},
		{"short ufrag", "a=ice-ufrag:a\r\na=ice-pwd:0123456789012345678901\r\n", false, "ice-ufrag"},
		{"ufrag without password", "a=ice-ufrag:abcd\r\n", false, "ice-pwd"},
		{"line break in the ufrag", "a=ice-ufrag:abcd\ra=candidate:x\r\na=ice-pwd:0123456789012345678901\r\n", false, "ice-ufrag"},
	}
	for _, tt := range tests {
		f, err := ParseFragment(tt.raw)
		if tt.text == "" && err != nil || tt.text != "" && (!errors.Is(err, ErrOffer) || !strings.Contains(err.Error(), tt.text)) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.text)
		}
		if err == nil && (f.CheckSession("Yp5S") != nil) != tt.restarts {
			t.Errorf("%s: restarts is not %v", tt.name, tt.restarts)
		}
	}
}

func FuzzParseFragment(f *testing.F) {
	f.Add(trickled)
	f.Add("a=ice-ufrag:other\r\na=ice-pwd:0123456789012345678901\r\n")
	f.Add("m=audio\r\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		fragment, err := ParseFragment(raw)
		if err != nil {
			if !errors.Is(err, ErrOffer) {
				t.Errorf("error %v tells nobody whose fault it is", err)
			}
			return
		}
		again, err := ParseFragment(fragment.String())
		if err != nil || again.credentials != fragment.credentials || len(again.lines) != len(fragment.lines) {
			t.Errorf("%q reads as %+v, %v; written and read again %+v", raw, fragment, err, again)
		}
		c, err := fragment.Restart()
		if err != nil {
			return
		}
		// What a restart puts into an offer must not be able to break out of its line.
		o, err := Parse(session0+audioSection("0", "sendonly"), ClientSends)
		if err != nil {
			t.Fatal(err)
		}
		checkOffer(t, "restarted", o.Restarted(c), ClientSends)
	})
}
