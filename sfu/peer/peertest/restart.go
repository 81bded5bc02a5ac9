package peertest

import (
	"strings"
	"testing"

	"github.com/pion/webrtc/v4"
)

// Restart begins an ICE restart and returns the fragment of SDP that asks the
// server for its part (RFC 9725 section 4.3.3).
func (c *Client) Restart(tb testing.TB) (fragment string) {
	tb.Helper()
	offer := c.offer(tb, &webrtc.OfferOptions{ICERestart: true})
	return "a=ice-ufrag:" + Attribute(offer, "ice-ufrag") + "\r\na=ice-pwd:" + Attribute(offer, "ice-pwd") +
		"\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n"
}

// Restarted takes in the server's fragment: the answer is as before, but for the
// credentials.
func (c *Client) Restarted(tb testing.TB, fragment string) {
	tb.Helper()
	var answer strings.Builder
	for line := range strings.Lines(c.PC.RemoteDescription().SDP) {
		key, _, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":")
		if value := Attribute(fragment, key); value != "" && (key == "ice-ufrag" || key == "ice-pwd") {
			line = "a=" + key + ":" + value + "\r\n"
		}
		answer.WriteString(line)
	}
	c.Answer(tb, answer.String())
}

// Attribute returns the value of the first attribute of that name in a text of
// SDP, or "".
func Attribute(sdp, name string) string {
	for line := range strings.Lines(sdp) {
		if value, ok := strings.CutPrefix(line, "a="+name+":"); ok {
			return strings.TrimRight(value, "\r\n")
		}
	}
	return ""
}
