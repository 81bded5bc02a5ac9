package sdp

import (
	"fmt"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

// Direction is what the client's side of an m-section has to be, in the word of
// SDP (RFC 8866 section 6.7).
type Direction string

// The directions: a publisher's and a viewer's.
const (
	ClientSends    Direction = "sendonly"
	ClientReceives Direction = "recvonly"
)

// selection is by what the sections of an offer are chosen.
type selection struct {
	want     Direction
	standard string            // the direction of a section that names none
	tracks   []media.TrackInfo // of the stream that is to be watched
}

// check checks one section. One that carries nothing anyway is declined, for a
// reason that is returned; the error says why one that does cannot be taken.
func (s selection) check(m *sdp.MediaDescription) (_ choice, declined string, _ error) {
	kind := m.MediaName.Media
	if kind != "audio" && kind != "video" {
		// Players offer a data channel whether they need one or not. Text or a document
		// would be lost.
		if kind == "application" || s.want == ClientReceives {
			return choice{}, fmt.Sprintf("a section is of type %q", clip(kind)), nil
		}
		return choice{}, "", fmt.Errorf("%w: a media section is of type %q; only audio and video are taken", ErrUnsupported, clip(kind))
	}
	if _, ok := m.Attribute("bundle-only"); m.MediaName.Port.Value == 0 && !ok {
		return choice{}, "the " + kind + " section is switched off (port 0)", nil
	}
	given, err := directionOf(m.Attributes, s.standard)
	if err != nil {
		return choice{}, "", err
	}
	if given == "inactive" {
		return choice{}, "the " + kind + " section is inactive", nil
	}
	if given != "sendrecv" && given != string(s.want) {
		return choice{}, "", fmt.Errorf("%w: the %s section is %s; it must be %s here", ErrOffer, kind, given, s.want)
	}
	if _, ok := m.Attribute("rtcp-mux"); !ok {
		return choice{}, "", fmt.Errorf("%w: the %s section lacks a=rtcp-mux, which is needed", ErrUnsupported, kind)
	}
	chosen, err := chooseCodec(m, s.tracks)
	if err != nil {
		return choice{}, "", err
	}
	_, err = readPayloadType(chosen.payloadType)
	return chosen, "", err
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
		return choice{}, fmt.Errorf("%w: the stream's %s is %s, which the offer does not take%s; offer to receive it, or watch with a client that can",
			ErrUnsupported, kind, strings.Join(needed, " or "), nearMisses(m))
	}
	chosen, ok := chooseOwn(m)
	if !ok {
		return choice{}, fmt.Errorf("%w: no codec of the %s section is known here%s; offer %s", ErrUnsupported, kind, nearMisses(m), knownCodecs(kind))
	}
	return chosen, nil
}

// nearMisses names what a section offers that is a known codec by its name, but not
// by its clock rate or its channels: " (opus/48000/1 is not opus/48000/2)".
func nearMisses(m *sdp.MediaDescription) string {
	var misses []string
	for _, pt := range m.MediaName.Formats {
		offered := format(m, "rtpmap", pt)
		name, _, _ := strings.Cut(offered, "/")
		if r, ok := rowNamed(m, name); ok && !r.is(offered) {
			misses = append(misses, clip(offered)+" is not "+r.encoding())
		}
	}
	if misses == nil {
		return ""
	}
	return " (" + strings.Join(misses, ", ") + ")"
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
	for _, r := range Codecs {
		if r.Codec.Kind().String() == kind {
			names = append(names, strings.ToUpper(r.Codec.String()))
		}
	}
	return strings.Join(names, " or ")
}
