package sdp

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

const (
	// MediaStream names the MediaStream of all tracks that are sent, which the browser
	// therefore plays in sync, and our CNAME (RFC 8830, RFC 7022).
	MediaStream = "weir"
	// discardPort is in the place of ports: candidates tell them (RFC 8839 section
	// 4.3.1).
	discardPort = 9
)

// Source is what we send by a section. A section of a viewer's offer that there is no
// track for has the zero Source.
type Source struct {
	Track      string // ID
	Stereo     bool   // its sound is likely to have two channels
	SSRC       uint32
	RepairSSRC uint32 // of retransmissions; 0: they are not sent under an SSRC of their own
}

// Answerer writes answers. Its fields are the same for all of them.
type Answerer struct {
	Fingerprint Fingerprint
	Candidates  []string // values of a=candidate
}

// Answer returns the answer to an offer (RFC 9429 section 5.3.1): for all sections one
// transport, on which we are ICE-lite, with the credentials local. sources has an
// entry for each of the offer's Media if the client is to receive them; otherwise it
// is nil.
func (a Answerer) Answer(o *Offer, local Credentials, sources []Source) (string, error) {
	d := &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: rand.Uint64() >> 1, SessionVersion: 1, // RFC 9429 section 5.2.1: of 63 bits
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: "0.0.0.0",
		},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
	d.WithValueAttribute("msid-semantic", "WMS *").WithPropertyAttribute(lite).
		WithFingerprint(a.Fingerprint.hash, strings.TrimPrefix(a.Fingerprint.String(), a.Fingerprint.hash+" "))
	if group := o.bundle(); group != "" {
		d.WithValueAttribute("group", group)
	}
	if _, mixed := o.description.Attribute(mixedExtensions); mixed && o.want == ClientSends {
		d.WithPropertyAttribute(mixedExtensions)
	}
	taken := o.sections(local, sources)
	for _, c := range a.Candidates { // in the first one, since those of the others are the same (RFC 9143 section 7.3.1)
		taken[0].WithValueAttribute("candidate", c)
	}
	taken[0].WithPropertyAttribute("end-of-candidates")
	for _, declined := range o.layout {
		if declined != nil {
			d.WithMedia(declinedSection(declined))
			continue
		}
		d.WithMedia(taken[0])
		taken = taken[1:]
	}
	raw, err := d.Marshal()
	if err != nil {
		return "", fmt.Errorf("sdp: write an answer: %w", err)
	}
	return string(raw), nil
}

// mixedExtensions allows header extensions with one-byte and two-byte headers in one
// stream (RFC 8285 section 4.1.2).
const mixedExtensions = "extmap-allow-mixed"

// sections returns the answers to the sections that are taken.
func (o *Offer) sections(local Credentials, sources []Source) []*sdp.MediaDescription {
	var all []*sdp.MediaDescription
	for i, m := range o.description.MediaDescriptions {
		var section *sdp.MediaDescription
		if o.want == ClientSends {
			section = o.Media[i].receiving(m)
		} else {
			section = o.Media[i].sending(m, sources[i])
		}
		section.WithValueAttribute("setup", o.Role.setup()).WithICECredentials(local.Ufrag, local.Pwd)
		all = append(all, section)
	}
	return all
}

// declinedSection returns the answer to a section that is not taken: port 0, and
// what RFC 3264 section 6 wants to be there nevertheless.
func declinedSection(m *sdp.MediaDescription) *sdp.MediaDescription {
	section := &sdp.MediaDescription{
		MediaName:             sdp.MediaName{Media: m.MediaName.Media, Protos: m.MediaName.Protos, Formats: m.MediaName.Formats},
		ConnectionInformation: nowhereConnection(),
	}
	if mid, ok := m.Attribute("mid"); ok {
		section.WithValueAttribute("mid", mid)
	}
	for _, number := range m.MediaName.Formats {
		if encoding := format(m, "rtpmap", number); encoding != "" {
			section.WithValueAttribute("rtpmap", number+" "+encoding)
		}
	}
	if len(m.MediaName.Formats) == 0 {
		section.MediaName.Formats = []string{"0"}
	}
	if m.MediaName.Media == "audio" || m.MediaName.Media == "video" {
		section.WithPropertyAttribute("inactive")
	}
	return section
}

// nowhereConnection is the address in a section: candidates tell it.
func nowhereConnection() *sdp.ConnectionInformation {
	return &sdp.ConnectionInformation{NetworkType: "IN", AddressType: "IP4", Address: &sdp.Address{Address: "0.0.0.0"}}
}

// receiving returns the answer to the section m of a publisher: its streams, and the
// header extensions by which they are told apart.
func (n Media) receiving(m *sdp.MediaDescription) *sdp.MediaDescription {
	own := ""
	if n.Stereo {
		own = wantsStereo
	}
	section := n.answer(m, own, n.RepairType != NoType, false)
	for _, x := range extensionsOf(m) {
		section.WithValueAttribute("extmap", fmt.Sprintf("%d %s", x.number, x.uri))
	}
	for _, rid := range n.RIDs { // RFC 8853 section 5.3.2
		section.WithValueAttribute("rid", rid+" recv")
	}
	if len(n.RIDs) > 0 {
		section.WithValueAttribute("simulcast", "recv "+strings.Join(n.RIDs, ";"))
	}
	return section.WithPropertyAttribute("recvonly")
}

// sending returns the answer to the section m of a viewer, by which s is sent.
func (n Media) sending(m *sdp.MediaDescription, s Source) *sdp.MediaDescription {
	own := ""
	if s.Stereo {
		own = sendsStereo
	}
	section := n.answer(m, own, s.RepairSSRC != 0, true)
	if s.Track == "" {
		return section.WithPropertyAttribute("inactive")
	}
	if s.RepairSSRC != 0 { // RFC 5576 section 4.2
		section.WithValueAttribute("ssrc-group", fmt.Sprintf("FID %d %d", s.SSRC, s.RepairSSRC))
	}
	msid := MediaStream + " " + s.Track
	for _, ssrc := range []uint32{s.SSRC, s.RepairSSRC} {
		if ssrc != 0 {
			section.WithValueAttribute("ssrc", fmt.Sprintf("%d cname:%s", ssrc, MediaStream))
			section.WithValueAttribute("ssrc", fmt.Sprintf("%d msid:%s", ssrc, msid))
		}
	}
	return section.WithValueAttribute("msid", msid).WithPropertyAttribute("sendonly")
}

// answer returns what the answers to the section m have in common: its name and its
// codec, of whose parameters one may be our own, and the retransmissions, if there are
// to be some.
func (n Media) answer(m *sdp.MediaDescription, own string, repaired, weSend bool) *sdp.MediaDescription {
	section := &sdp.MediaDescription{
		MediaName: sdp.MediaName{
			Media: m.MediaName.Media, Port: sdp.RangedPort{Value: discardPort}, Protos: m.MediaName.Protos,
		},
		ConnectionInformation: nowhereConnection(),
	}
	if n.MID != "" {
		section.WithValueAttribute("mid", n.MID)
	}
	section.WithPropertyAttribute("rtcp-mux")
	if _, ok := m.Attribute("rtcp-rsize"); ok {
		section.WithPropertyAttribute("rtcp-rsize")
	}
	addFormat(section, m, n.PayloadType, own)
	number := strconv.Itoa(int(n.PayloadType))
	for _, f := range n.row.feedbackOf(m, number, weSend) {
		section.WithValueAttribute("rtcp-fb", number+" "+f.String())
	}
	if repaired {
		addFormat(section, m, n.RepairType, "")
	}
	return section
}

// addFormat adds a payload type of m to the section that answers m, with the
// parameters that m has for it, and own as one that is 1 unless it is empty.
func addFormat(section, m *sdp.MediaDescription, pt uint8, own string) {
	number := strconv.Itoa(int(pt))
	section.MediaName.Formats = append(section.MediaName.Formats, number)
	section.WithValueAttribute("rtpmap", number+" "+format(m, "rtpmap", number))
	parameters := format(m, "fmtp", number)
	if own != "" {
		parameters = withParameter(parameters, own, "1")
	}
	if parameters != "" {
		section.WithValueAttribute("fmtp", number+" "+parameters)
	}
}

// Restart returns the answer to an ICE restart: our credentials, and the candidates as
// before, in the first section, whose kind and name these are and which all others are
// bundled with (RFC 9725 section 4.3.3).
func (a Answerer) Restart(kind media.Kind, mid string, local Credentials) Fragment {
	f := Fragment{credentials: local, lines: []string{
		"a=ice-lite", fmt.Sprintf("m=%s %d UDP/TLS/RTP/SAVPF 0", kind, discardPort),
	}}
	if mid != "" {
		f.lines = append(f.lines, "a=mid:"+mid)
	}
	f.lines = append(f.lines, "a=ice-ufrag:"+local.Ufrag, "a=ice-pwd:"+local.Pwd)
	for _, c := range a.Candidates {
		f.lines = append(f.lines, "a=candidate:"+c)
	}
	f.lines = append(f.lines, "a=end-of-candidates")
	return f
}
