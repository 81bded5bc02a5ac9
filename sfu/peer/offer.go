package peer

import (
	"fmt"
	"slices"
	"strconv"
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
	codec  media.Codec
	format string // as media.TrackInfo.Format
	mid    string
}

// direction is what the client's side of an m-section has to be, in the word of
// SDP (RFC 8866 section 6.7).
type direction string

const (
	clientSends    direction = "sendonly"
	clientReceives direction = "recvonly"
)

// parseOffer reads and checks an offer: one bundled group of at most one audio
// and one video section (RFC 9725 section 4.4), each with a codec that is known
// here and the right direction. "sendrecv" is taken for that direction, so that
// the answer is the other one. Candidates are taken out: an ICE-lite agent has no
// use for them, and a client could name addresses of others.
//
// Each section is narrowed to one codec: that of the track of its kind in tracks,
// or the first in the offer's order that is known here if tracks has none.
func parseOffer(raw string, want direction, tracks ...media.TrackInfo) (*offer, error) {
	// What is in a line of the offer may get into one of the answer.
	if strings.Contains(strings.ReplaceAll(raw, "\r\n", ""), "\r") {
		return nil, fmt.Errorf("%w: it is not SDP: there is a carriage return within a line", ErrOffer)
	}
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
	standard, err := directionOf(o.description.Attributes, "sendrecv")
	if err != nil {
		return nil, err
	}
	o.description.Attributes = without(o.description.Attributes, isCandidate, isDirection)
	seen := map[string]bool{}
	for _, m := range sections {
		section, err := checkSection(m, standard, want, tracks)
		if err != nil {
			return nil, err
		}
		for _, name := range []string{m.MediaName.Media, "mid " + section.mid} {
			if seen[name] {
				return nil, fmt.Errorf("%w: it has several %s sections; offer one", ErrUnsupported, name)
			}
			seen[name] = true
		}
		if err := o.checkSetup(m); err != nil {
			return nil, err
		}
		m.Attributes = append(without(m.Attributes, isCandidate, isDirection), sdp.Attribute{Key: string(want)})
		o.media = append(o.media, section)
	}
	if err := o.checkBundle(); err != nil {
		return nil, err
	}
	return o, o.credentials().check()
}

// checkBundle checks that all sections go over one transport (RFC 9143): there is
// one port and one DTLS association for all of them.
func (o *offer) checkBundle() error {
	if len(o.media) == 1 {
		return nil
	}
	for _, a := range o.description.Attributes {
		name, mids, _ := strings.Cut(a.Value, " ")
		if a.Key != "group" || name != "BUNDLE" {
			continue
		}
		bundled := strings.Fields(mids)
		if !slices.ContainsFunc(o.media, func(m offeredMedia) bool { return !slices.Contains(bundled, m.mid) }) {
			return nil
		}
	}
	return fmt.Errorf("%w: its sections are not bundled; offer them with a=group:BUNDLE (bundlePolicy \"max-bundle\")", ErrUnsupported)
}

// checkSetup checks that the client can be the DTLS client (RFC 8842 section
// 5.2): we are the server.
func (o *offer) checkSetup(m *sdp.MediaDescription) error {
	setup, ok := m.Attribute("setup")
	if !ok {
		setup, _ = o.description.Attribute("setup")
	}
	if setup != "actpass" && setup != "active" {
		return fmt.Errorf("%w: the %s section has a=setup:%s; it must be actpass or active", ErrUnsupported, m.MediaName.Media, clip(setup))
	}
	return nil
}

// checkSection checks one m-section and narrows it to one codec. standard is its
// direction if it names none.
func checkSection(m *sdp.MediaDescription, standard string, want direction, tracks []media.TrackInfo) (offeredMedia, error) {
	kind := m.MediaName.Media
	if kind != "audio" && kind != "video" {
		return offeredMedia{}, fmt.Errorf("%w: a media section is of type %q; only audio and video are taken", ErrUnsupported, clip(kind))
	}
	given, err := directionOf(m.Attributes, standard)
	if err != nil {
		return offeredMedia{}, err
	}
	if given != "sendrecv" && given != string(want) {
		return offeredMedia{}, fmt.Errorf("%w: the %s section is %s; it must be %s here", ErrOffer, kind, given, want)
	}
	if _, ok := m.Attribute("bundle-only"); m.MediaName.Port.Value == 0 && !ok {
		return offeredMedia{}, fmt.Errorf("%w: the %s section is switched off (port 0); leave it out or give it a port", ErrUnsupported, kind)
	}
	if _, ok := m.Attribute("rtcp-mux"); !ok {
		return offeredMedia{}, fmt.Errorf("%w: the %s section lacks a=rtcp-mux, which is needed", ErrUnsupported, kind)
	}
	chosen, err := chooseCodec(m, tracks)
	if err != nil {
		return offeredMedia{}, err
	}
	mid, ok := m.Attribute("mid")
	if !ok || mid == "" {
		return offeredMedia{}, fmt.Errorf("%w: the %s section lacks a=mid", ErrOffer, kind)
	}
	narrow(m, chosen.payloadType)
	return offeredMedia{codec: chosen.codec, format: chosen.format, mid: mid}, nil
}

// chooseCodec chooses the payload type of a section: one for the first of tracks
// that is of its kind and that it suits, or if there are none of its kind the
// client's own choice.
func chooseCodec(m *sdp.MediaDescription, tracks []media.TrackInfo) (choice, error) {
	kind := m.MediaName.Media
	var needed []string
	for _, t := range tracks {
		if t.Kind().String() != kind {
			continue
		}
		if chosen, ok := chooseFor(m, t); ok {
			return chosen, nil
		}
		needed = append(needed, describe(t))
	}
	if needed != nil {
		return choice{}, fmt.Errorf("%w: the stream's %s is %s, which the offer does not take; offer to receive it, or watch with a client that can",
			ErrUnsupported, kind, strings.Join(needed, " or "))
	}
	chosen, ok := chooseOwn(m)
	if !ok {
		return choice{}, fmt.Errorf("%w: no codec of the %s section is known here; offer %s", ErrUnsupported, kind, knownCodecs(kind))
	}
	return chosen, nil
}

// describe names a track's codec for an error message: "H264
// (packetization-mode=1;profile-level-id=42e01f)".
func describe(t media.TrackInfo) string {
	name := strings.ToUpper(t.Codec.String())
	if t.Format != "" {
		name += " (" + t.Format + ")"
	}
	return name
}

// directionOf returns the direction that attributes name, or standard (RFC 8866
// section 6.7).
func directionOf(attributes []sdp.Attribute, standard string) (string, error) {
	given := ""
	for _, a := range attributes {
		if !isDirection(a.Key) {
			continue
		}
		if given != "" && given != a.Key {
			return "", fmt.Errorf("%w: a section is both %s and %s", ErrOffer, given, a.Key)
		}
		given = a.Key
	}
	if given == "" {
		return standard, nil
	}
	return given, nil
}

func isDirection(key string) bool {
	return key == "sendrecv" || key == "sendonly" || key == "recvonly" || key == "inactive"
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

func isCandidate(key string) bool {
	return key == "candidate" || key == "end-of-candidates" || key == "remote-candidates"
}

// without returns the attributes whose key none of drop takes.
func without(attributes []sdp.Attribute, drop ...func(key string) bool) []sdp.Attribute {
	return slices.DeleteFunc(attributes, func(a sdp.Attribute) bool {
		return slices.ContainsFunc(drop, func(f func(string) bool) bool { return f(a.Key) })
	})
}

// String returns the offer as SDP.
func (o *offer) String() (string, error) {
	raw, err := o.description.Marshal()
	return string(raw), err
}

// credentials are the ICE user name fragment and password of one side.
type credentials struct{ ufrag, pwd string }

// check holds c against RFC 8839 section 5.4, so that nothing else gets into a
// description that is made with it. Characters that the RFC leaves out, but that
// do no harm, are let through.
func (c credentials) check() error {
	const ufragMin, pwdMin, most = 4, 22, 256
	switch {
	case len(c.ufrag) < ufragMin || len(c.ufrag) > most || strings.ContainsFunc(c.ufrag, notVisible):
		return fmt.Errorf("%w: a=ice-ufrag is missing, or not 4 to 256 letters, digits, + and /", ErrOffer)
	case len(c.pwd) < pwdMin || len(c.pwd) > most || strings.ContainsFunc(c.pwd, notVisible):
		return fmt.Errorf("%w: a=ice-pwd is missing, or not 22 to 256 letters, digits, + and /", ErrOffer)
	}
	return nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

// extension returns the number of a header extension in the first section that has
// it (RFC 8285 section 5), or 0.
func (o *offer) extension(uri string) uint8 {
	for _, m := range o.description.MediaDescriptions {
		for _, a := range m.Attributes {
			fields := strings.Fields(a.Value)
			if a.Key != "extmap" || len(fields) < 2 || fields[1] != uri {
				continue
			}
			number, _, _ := strings.Cut(fields[0], "/")
			if n, err := strconv.ParseUint(number, 10, 8); err == nil {
				return uint8(n)
			}
		}
	}
	return 0
}

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
