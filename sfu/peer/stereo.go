package peer

import (
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// Parameters of Opus (RFC 7587 section 6.1): what its receiver would like, and what
// its sender is likely to send. Each side tells its own.
const (
	wantsStereo = "stereo"
	sendsStereo = "sprop-stereo"
)

// isStereo reports whether the client that offers the payload type pt of m is likely
// to send two channels of sound.
func isStereo(m *sdp.MediaDescription, c choice) bool {
	return c.codec == media.Opus && parameter(format(m, "fmtp", c.payloadType), sendsStereo, "0") == "1"
}

// askForStereo has the answer to a publisher's section ask for two channels, if they
// are what it has: nothing is mixed here. An answer has the parameters of its offer.
func askForStereo(m *sdp.MediaDescription, payloadType string) {
	for i, a := range m.Attributes {
		if number, fmtp, _ := strings.Cut(a.Value, " "); a.Key == "fmtp" && number == payloadType {
			m.Attributes[i].Value = number + " " + withParameter(fmtp, wantsStereo, "1")
		}
	}
}

// withParameter returns fmtp with one parameter set.
func withParameter(fmtp, name, value string) string {
	var kept []string
	for p := range strings.SplitSeq(fmtp, ";") {
		p = strings.TrimSpace(p)
		if key, _, _ := strings.Cut(p, "="); p != "" && !strings.EqualFold(key, name) {
			kept = append(kept, p)
		}
	}
	return strings.Join(append(kept, name+"="+value), ";")
}
