package sdp

import (
	"encoding/base64"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/codec"
)

// parameterSets returns the NAL units that sprop-parameter-sets of a narrowed section
// names (RFC 6184 section 8.1). Words that are no Base64 are left out.
func parameterSets(m *sdp.MediaDescription) (sets [][]byte) {
	for _, pt := range m.MediaName.Formats {
		for text := range strings.SplitSeq(codec.FormatParameter(format(m, "fmtp", pt), "sprop-parameter-sets", ""), ",") {
			if nal, err := base64.StdEncoding.DecodeString(text); err == nil && len(nal) > 0 {
				sets = append(sets, nal)
			}
		}
	}
	return sets
}
