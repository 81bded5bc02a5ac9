package sdp

import (
	"slices"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// choice is a payload type of an m-section.
type choice struct {
	row         Codec
	format      string // as media.TrackInfo.Format
	payloadType string
}

// chooseOwn returns what a publisher is to send: the first codec of the section
// that is known here, in the order of the offer, and of its payload types the
// first that is not second best.
func chooseOwn(m *sdp.MediaDescription) (best choice, ok bool) {
	for _, pt := range m.MediaName.Formats {
		r, known := rowOf(m, pt)
		if !known || ok && r.Codec != best.row.Codec {
			continue
		}
		if r.Variant == nil {
			return choice{r, "", pt}, true
		}
		told, good := r.Variant.Read(format(m, "fmtp", pt))
		if good {
			return choice{r, told, pt}, true
		}
		if !ok {
			best, ok = choice{r, told, pt}, true
		}
	}
	return best, ok
}

// chooseFor returns the payload type of the section by which a viewer can be sent
// the track: the one that suits it best, and of equals the first.
func chooseFor(m *sdp.MediaDescription, track media.TrackInfo) (best choice, ok bool) {
	rank := 0
	for _, pt := range m.MediaName.Formats {
		r, known := rowOf(m, pt)
		if !known || r.Codec != track.Codec {
			continue
		}
		if r.Variant == nil {
			return choice{r, "", pt}, true
		}
		told, _ := r.Variant.Read(format(m, "fmtp", pt))
		if n := r.Variant.Suits(track.Format, told); n > rank {
			rank, best, ok = n, choice{r, told, pt}, true
		}
	}
	return best, ok
}

// rowOf returns the row of the codec that the payload type pt of m is of, if it is
// known here and of the section's kind.
func rowOf(m *sdp.MediaDescription, pt string) (Codec, bool) {
	offered := format(m, "rtpmap", pt)
	name, _, _ := strings.Cut(offered, "/")
	r, ok := rowNamed(m, name)
	return r, ok && r.is(offered)
}

// rowNamed returns the row of the codec with that name, if it is of the section's
// kind.
func rowNamed(m *sdp.MediaDescription, name string) (Codec, bool) {
	for _, r := range Codecs {
		if r.Codec.Kind().String() == m.MediaName.Media && strings.EqualFold(name, r.Name) {
			return r, true
		}
	}
	return Codec{}, false
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

// hasParameter reports whether one of the parameters of fmtp is parameter.
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
