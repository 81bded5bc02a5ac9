package sdp

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// maxMediaSections bounds the m-lines of an offer, before anything is built of it.
const maxMediaSections = 16

// Offer is a checked offer.
type Offer struct {
	Media        []Media // the sections that are taken
	Role         Role    // ours
	Credentials  Credentials
	Fingerprints []Fingerprint // of the client's certificate, of the strongest known hash

	want Direction
	// description is the offer with those sections only that are taken. The lines of
	// the transport, which is one for all, are in each of them.
	description sdp.SessionDescription
	// layout has an entry for each section of the whole offer: nil for one that is
	// taken, or the section itself, to which the answer is no (RFC 3264 section 6).
	layout []*sdp.MediaDescription
}

// Parse reads and checks an offer: one bundled group of at most one audio
// and one video section (RFC 9725 section 4.4), each with a codec that is known
// here and the right direction. "sendrecv" is taken for that direction, so that
// the answer is the other one. Candidates are taken out: an ICE-lite agent has no
// use for them, and a client could name addresses of others.
//
// Each section is narrowed to one codec: that of the track of its kind in tracks,
// or the first in the offer's order that is known here if tracks has none.
//
// Errors wrap ErrOffer or ErrUnsupported.
func Parse(raw string, want Direction, tracks ...media.TrackInfo) (*Offer, error) {
	// A line of the offer may get into one of the answer.
	if strings.Contains(strings.ReplaceAll(raw, "\r\n", ""), "\r") {
		return nil, fmt.Errorf("%w: it is not SDP: there is a carriage return within a line", ErrOffer)
	}
	o := &Offer{want: want}
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
	standard, err := directionOf(o.description.Attributes, "sendrecv")
	if err != nil {
		return nil, err
	}
	if err := checkMIDs(sections); err != nil {
		return nil, err
	}
	if err := o.chooseSections(sections, selection{want: want, standard: standard, tracks: tracks}); err != nil {
		return nil, err
	}
	if err := o.checkBundle(); err != nil {
		return nil, err
	}
	o.description.Attributes = without(o.description.Attributes, isCandidate, isDirection)
	return o, o.settleTransport(sections)
}

// checkMIDs checks that each section's name is one word (RFC 5888 section 4), and that
// no two have the same (RFC 9143 section 4).
func checkMIDs(sections []*sdp.MediaDescription) error {
	seen := map[string]bool{}
	for _, m := range sections {
		mid, ok := m.Attribute("mid")
		if strings.ContainsFunc(mid, unicode.IsSpace) {
			return fmt.Errorf("%w: a=mid:%s has a space in it; a name is one word", ErrOffer, clip(mid))
		}
		if ok && seen[mid] {
			return fmt.Errorf("%w: it has several sections with a=mid:%s; each needs a name of its own", ErrOffer, clip(mid))
		}
		seen[mid] = ok
	}
	return nil
}

// chooseSections decides which sections are taken. RFC 3264 section 6 allows to say no
// to any of them, but a publisher must not lose one that it wants to send (RFC 9725
// section 4.4): then there is an error.
func (o *Offer) chooseSections(sections []*sdp.MediaDescription, s selection) error {
	o.description.MediaDescriptions = nil
	taken := map[string]bool{}
	failed := map[string]error{} // why a viewer's section of that kind is not taken
	var kinds []string
	var reasons []string
	for _, m := range sections {
		kind := m.MediaName.Media
		section, declined, err := s.check(m)
		switch {
		case err != nil && (s.want == ClientSends || kind != "audio" && kind != "video"):
			return err
		case err != nil:
			if failed[kind] == nil {
				failed[kind] = err
				kinds = append(kinds, kind)
			}
		case declined != "":
			reasons = append(reasons, declined)
		case taken[kind] && s.want == ClientSends:
			return fmt.Errorf("%w: it has several %s sections; offer one", ErrUnsupported, kind)
		case !taken[kind]:
			taken[kind] = true
			if err := o.add(m, section); err != nil {
				return err
			}
			o.layout = append(o.layout, nil)
			continue
		}
		o.layout = append(o.layout, m)
	}
	for _, kind := range kinds {
		if !taken[kind] {
			return failed[kind]
		}
	}
	if len(o.Media) == 0 {
		return fmt.Errorf("%w: nothing of it can be used: %s; offer audio, video or both as %s", ErrOffer, strings.Join(reasons, ", "), s.want)
	}
	return nil
}

// add takes a section.
func (o *Offer) add(m *sdp.MediaDescription, c choice) error {
	narrow(m, c.payloadType)
	n, err := newMedia(m, c, o.want)
	if err != nil {
		return err
	}
	m.Attributes = append(without(m.Attributes, isCandidate, isDirection), sdp.Attribute{Key: string(o.want)})
	o.description.MediaDescriptions = append(o.description.MediaDescriptions, m)
	o.Media = append(o.Media, n)
	return nil
}

func isCandidate(key string) bool {
	return key == "candidate" || key == "end-of-candidates" || key == "remote-candidates"
}

// without returns the attributes whose key none of drop takes.
func without(attributes []sdp.Attribute, drop ...func(key string) bool) []sdp.Attribute {
	return slices.DeleteFunc(attributes, func(a sdp.Attribute) bool {
		return slices.ContainsFunc(drop, func(f func(string) bool) bool { return f(a.Key) })
	})
}

// ForConnection returns the offer as a PeerConnection is to see it that does not see
// the media: with those sections only that are taken, each with a name and in the
// group, which one alone need not have, and without SSRCs, layers and extensions, for
// whose packets it would wait. It tells that the client is ICE-lite (RFC 8445 section
// 2.5): the connection takes an address of the client that it is told as one that
// works.
func (o *Offer) ForConnection() (string, error) {
	d := o.description
	d.Attributes = append(slices.Clip(without(slices.Clone(d.Attributes), isLite)), sdp.Attribute{Key: lite})
	d.MediaDescriptions = nil
	for _, m := range o.description.MediaDescriptions {
		section := *m
		section.Attributes = without(slices.Clone(m.Attributes), isStream)
		d.MediaDescriptions = append(d.MediaDescriptions, &section)
	}
	mid := o.Media[0].MID
	if mid == "" {
		mid = "0"
		only := d.MediaDescriptions[0]
		only.Attributes = without(only.Attributes, isMID)
		only.WithValueAttribute("mid", mid)
	}
	if o.bundle() == "" {
		d.Attributes = append(slices.Clip(d.Attributes), sdp.Attribute{Key: "group", Value: "BUNDLE " + mid})
	}
	raw, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("%w: %v", ErrOffer, err)
	}
	return string(raw), nil
}

// lite tells that an agent only answers checks.
const lite = "ice-lite"

func isLite(key string) bool { return key == lite }

func isStream(key string) bool {
	return key == "ssrc" || key == "ssrc-group" || key == "rid" || key == "simulcast" || key == "extmap" || key == mixedExtensions
}

func isMID(key string) bool { return key == "mid" }

// Extensions returns the numbers of the header extensions, each by the first section
// that has it.
func (o *Offer) Extensions() (e Extensions) {
	for _, m := range o.description.MediaDescriptions {
		for _, x := range extensionsOf(m) {
			switch at := x.number; {
			case x.uri == sdp.SDESMidURI && e.MID == 0:
				e.MID = at
			case x.uri == sdp.SDESRTPStreamIDURI && e.RID == 0:
				e.RID = at
			case x.uri == sdp.SDESRepairRTPStreamIDURI && e.RepairedRID == 0:
				e.RepairedRID = at
			case x.uri == sdp.TransportCCURI && e.TransportCC == 0:
				e.TransportCC = at
			}
		}
	}
	return e
}
