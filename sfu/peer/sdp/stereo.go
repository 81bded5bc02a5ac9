package sdp

import (
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/codec"
)

// Parameters of Opus (RFC 7587 section 6.1): what its receiver would like, and what
// its sender is likely to send. Each side tells its own: we ask for two channels if the
// client has them, since nothing is mixed here.
const (
	wantsStereo = "stereo"
	sendsStereo = "sprop-stereo"
)

// isStereo reports whether the client that offers the choice c of m is likely
// to send two channels of sound.
func isStereo(m *sdp.MediaDescription, c choice) bool {
	return c.row.Channels() == 2 && codec.FormatParameter(format(m, "fmtp", c.payloadType), sendsStereo, "0") == "1"
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
