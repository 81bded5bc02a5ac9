package peer

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// chooseCodec returns the first codec of the table that an m-section offers, of
// those in wanted, and its payload type. If wanted has none of the section's
// kind, any will do.
func chooseCodec(m *sdp.MediaDescription, wanted []media.Codec) (c media.Codec, payloadType string, ok bool) {
	kind := m.MediaName.Media
	any := !slices.ContainsFunc(wanted, func(c media.Codec) bool { return c.Kind().String() == kind })
	for _, r := range codecTable {
		if r.codec.Kind().String() != kind || !any && !slices.Contains(wanted, r.codec) {
			continue
		}
		for _, pt := range m.MediaName.Formats {
			if r.matches(m, pt) {
				return r.codec, pt, true
			}
		}
	}
	return 0, "", false
}

// matches says whether the payload type pt of m is the row's codec.
func (r codecRow) matches(m *sdp.MediaDescription, pt string) bool {
	_, name, _ := strings.Cut(r.mime, "/")
	// rtpmap:96 VP8/90000 (RFC 8866 section 6.6)
	offered, _, _ := strings.Cut(format(m, "rtpmap", pt), "/")
	return strings.EqualFold(offered, name) && (r.needs == "" || hasParameter(format(m, "fmtp", pt), r.needs))
}

// format returns the value of the attribute key for the payload type pt: what
// follows the number in a=key:pt value.
func format(m *sdp.MediaDescription, key, pt string) string {
	for _, a := range m.Attributes {
		if number, value, _ := strings.Cut(a.Value, " "); a.Key == key && number == pt {
			return value
		}
	}
	return ""
}

// hasParameter says whether one of the parameters of fmtp is parameter.
func hasParameter(fmtp, parameter string) bool {
	return slices.ContainsFunc(strings.Split(fmtp, ";"), func(p string) bool { return strings.TrimSpace(p) == parameter })
}

// narrow leaves only the payload type pt in m, and its retransmissions (RFC 4588
// section 8.6), so that the client sends, or expects, the codec that was chosen
// and no other.
func narrow(m *sdp.MediaDescription, pt string) {
	keep := func(number string) bool {
		return number == pt || strings.EqualFold(strings.SplitN(format(m, "rtpmap", number), "/", 2)[0], "rtx") &&
			hasParameter(format(m, "fmtp", number), "apt="+pt)
	}
	var formats []string
	for _, number := range m.MediaName.Formats {
		if keep(number) {
			formats = append(formats, number)
		}
	}
	kept := make([]sdp.Attribute, 0, len(m.Attributes))
	for _, a := range m.Attributes {
		number, _, _ := strings.Cut(a.Value, " ")
		of := a.Key == "rtpmap" || a.Key == "fmtp" || a.Key == "rtcp-fb"
		if !of || number == "*" || slices.Contains(formats, number) {
			kept = append(kept, a)
		}
	}
	m.MediaName.Formats, m.Attributes = formats, kept
}
