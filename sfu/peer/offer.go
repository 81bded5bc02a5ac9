package peer

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// maxMediaSections bounds the m-lines of an offer, before anything is built of it.
const maxMediaSections = 16

// offer is a checked offer.
type offer struct {
	description sdp.SessionDescription
	media       []offeredMedia
}

// offeredMedia is one m-section of audio or video.
type offeredMedia struct {
	codec media.Codec
	mid   string
}

// direction is what the client's side of an m-section has to be.
type direction int

const (
	clientSends direction = iota
	clientReceives
)

// parseOffer reads and checks an offer: one bundled group of at most one audio
// and one video section (RFC 9725 section 4.4), each with a codec that is known
// here and the right direction. Candidates are taken out: an ICE-lite agent has
// no use for them, and a client could name addresses of others.
func parseOffer(raw string, want direction) (*offer, error) {
	o := &offer{}
	if err := o.description.UnmarshalString(raw); err != nil {
		return nil, fmt.Errorf("%w: it is not SDP: %v", ErrOffer, err)
	}
	sections := o.description.MediaDescriptions
	if len(sections) == 0 {
		return nil, fmt.Errorf("%w: it has no media section; offer audio, video or both", ErrOffer)
	}
	if len(sections) > maxMediaSections {
		return nil, fmt.Errorf("%w: it has %d media sections, at most %d are allowed", ErrOffer, len(sections), maxMediaSections)
	}
	o.description.Attributes = withoutCandidates(o.description.Attributes)
	seen := map[string]bool{}
	for _, m := range sections {
		m.Attributes = withoutCandidates(m.Attributes)
		section, err := checkSection(m, want)
		if err != nil {
			return nil, err
		}
		if kind := m.MediaName.Media; seen[kind] {
			return nil, fmt.Errorf("%w: it has several %s sections; offer one", ErrUnsupported, kind)
		}
		seen[m.MediaName.Media] = true
		o.media = append(o.media, section)
	}
	return o, nil
}

// checkSection checks one m-section.
func checkSection(m *sdp.MediaDescription, want direction) (offeredMedia, error) {
	kind := m.MediaName.Media
	if kind != "audio" && kind != "video" {
		return offeredMedia{}, fmt.Errorf("%w: a media section is of type %q; only audio and video are taken", ErrUnsupported, kind)
	}
	if err := checkDirection(m, want); err != nil {
		return offeredMedia{}, err
	}
	if _, ok := m.Attribute("rtcp-mux"); !ok {
		return offeredMedia{}, fmt.Errorf("%w: the %s section lacks a=rtcp-mux, which is needed", ErrUnsupported, kind)
	}
	codec, ok := chooseCodec(m)
	if !ok {
		return offeredMedia{}, fmt.Errorf("%w: no codec of the %s section is known here; offer %s", ErrUnsupported, kind, knownCodecs(kind))
	}
	mid, ok := m.Attribute("mid")
	if !ok {
		return offeredMedia{}, fmt.Errorf("%w: the %s section lacks a=mid", ErrOffer, kind)
	}
	return offeredMedia{codec: codec, mid: mid}, nil
}

func checkDirection(m *sdp.MediaDescription, want direction) error {
	given := "sendrecv" // the default (RFC 8866 section 6.7)
	for _, d := range []string{"sendonly", "recvonly", "inactive"} {
		if _, ok := m.Attribute(d); ok {
			given = d
		}
	}
	needed := "sendonly"
	if want == clientReceives {
		needed = "recvonly"
	}
	if given != "sendrecv" && given != needed {
		return fmt.Errorf("%w: the %s section is %s; it must be %s here", ErrOffer, m.MediaName.Media, given, needed)
	}
	return nil
}

// knownCodecs lists the codecs of a kind for an error message.
func knownCodecs(kind string) string {
	var names []string
	for _, r := range codecTable {
		if r.codec.Kind().String() == kind {
			names = append(names, strings.ToUpper(r.codec.String()))
		}
	}
	return strings.Join(names, " or ")
}

func withoutCandidates(attributes []sdp.Attribute) []sdp.Attribute {
	kept := attributes[:0]
	for _, a := range attributes {
		if a.Key != "candidate" && a.Key != "end-of-candidates" && a.Key != "remote-candidates" {
			kept = append(kept, a)
		}
	}
	return kept
}

// String returns the offer as SDP.
func (o *offer) String() (string, error) {
	raw, err := o.description.Marshal()
	return string(raw), err
}

// credentials are the ICE user name fragment and password of one side.
type credentials struct{ ufrag, pwd string }

// setCredentials puts other ICE credentials into the offer: an ICE restart.
func (o *offer) setCredentials(c credentials) {
	replace := func(attributes []sdp.Attribute) {
		for i := range attributes {
			switch attributes[i].Key {
			case "ice-ufrag":
				attributes[i].Value = c.ufrag
			case "ice-pwd":
				attributes[i].Value = c.pwd
			}
		}
	}
	replace(o.description.Attributes)
	for _, m := range o.description.MediaDescriptions {
		replace(m.Attributes)
	}
	o.description.Origin.SessionVersion++
}
