package peer

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/pion/ice/v4"
	"github.com/pion/sdp/v3"
)

const (
	// mediaStream names the MediaStream of all tracks, which the browser therefore
	// plays in sync, and our CNAME (RFC 8830, RFC 7022).
	mediaStream = "weir"
	// discardPort is in the place of ports: candidates tell them (RFC 8839 section
	// 4.3.1).
	discardPort = 9
)

// answerSection is what was negotiated for an m-section.
type answerSection struct {
	track   string // ID; "" if there is none to be sent
	stereo  bool   // it is likely to be
	pt      uint8
	ssrc    uint32
	rtxPT   uint8 // if rtxSSRC is not 0
	rtxSSRC uint32
}

// payloadTypes returns the payload types of a section that was narrowed to one
// codec, and whether there is one for retransmissions.
func payloadTypes(m *sdp.MediaDescription) (pt, rtx uint8, hasRTX bool, err error) {
	var row codecRow
	found := false
	for _, number := range m.MediaName.Formats {
		n, err := readPayloadType(number)
		if err != nil {
			return 0, 0, false, err
		}
		if r, ok := rowOf(m, number); ok && !found {
			pt, row, found = n, r, true
		} else if !hasRTX {
			rtx, hasRTX = n, true
		}
	}
	if !found {
		return 0, 0, false, fmt.Errorf("%w: a section without a codec", ErrUnsupported)
	}
	return pt, rtx, hasRTX && row.rtx != 0, nil
}

// readPayloadType reads a format of an m-line (RFC 3551 section 6: 7 bits).
func readPayloadType(number string) (uint8, error) {
	n, err := strconv.ParseUint(number, 10, 7)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is no payload type", ErrOffer, clip(number))
	}
	return uint8(n), nil
}

// answerer makes answers to viewers' offers. What it has is the same for all.
type answerer struct {
	fingerprint fingerprint
	candidates  []string // values of a=candidate
}

// answer returns the answer to an offer whose sections were negotiated (RFC 9429
// section 5.3.1): for all of them one transport, on which we are ICE-lite.
func (a answerer) answer(o *offer, local credentials, sections []answerSection) (string, error) {
	d := &sdp.SessionDescription{
		Origin: sdp.Origin{
			Username: "-", SessionID: rand.Uint64() >> 1, SessionVersion: 1, // RFC 9429 section 5.2.1: of 63 bits
			NetworkType: "IN", AddressType: "IP4", UnicastAddress: "0.0.0.0",
		},
		SessionName:      "-",
		TimeDescriptions: []sdp.TimeDescription{{}},
	}
	d.WithValueAttribute("msid-semantic", "WMS *").WithPropertyAttribute("ice-lite").
		WithFingerprint(a.fingerprint.hash, strings.TrimPrefix(a.fingerprint.String(), a.fingerprint.hash+" "))
	if group := o.bundle(); group != "" {
		d.WithValueAttribute("group", group)
	}
	for i, m := range o.description.MediaDescriptions {
		section := answerTo(m, sections[i])
		section.WithValueAttribute("setup", o.role.setup()).WithICECredentials(local.ufrag, local.pwd)
		d.WithMedia(section)
	}
	return a.finish(o, d)
}

// complete makes of pion's answer, which knows only of the sections that are taken,
// one to the whole offer.
func (a answerer) complete(o *offer, raw string) (string, error) {
	d := &sdp.SessionDescription{}
	if err := d.UnmarshalString(raw); err != nil {
		return "", fmt.Errorf("peer: read own answer: %w", err)
	}
	if o.bundle() == "" { // pion needs one
		d.Attributes = without(d.Attributes, func(key string) bool { return key == "group" })
	}
	for i, m := range d.MediaDescriptions {
		m.Attributes = without(m.Attributes, isCandidate)
		if o.media[i].mid == "" { // pion needs one
			m.Attributes = without(m.Attributes, isMID)
		}
	}
	return a.finish(o, d)
}

// finish adds to an answer what all have: our candidates, in the first section, since
// those of the others are the same (RFC 9143 section 7.3.1), and the sections that are
// not taken.
func (a answerer) finish(o *offer, d *sdp.SessionDescription) (string, error) {
	taken := d.MediaDescriptions
	for _, c := range a.candidates {
		taken[0].WithValueAttribute("candidate", c)
	}
	taken[0].WithPropertyAttribute("end-of-candidates")
	d.MediaDescriptions = nil
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
		return "", fmt.Errorf("peer: write an answer: %w", err)
	}
	return string(raw), nil
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

// answerTo returns the section that answers m, without what is the transport's.
func answerTo(m *sdp.MediaDescription, s answerSection) *sdp.MediaDescription {
	mid, _ := m.Attribute("mid")
	section := &sdp.MediaDescription{
		MediaName: sdp.MediaName{
			Media: m.MediaName.Media, Port: sdp.RangedPort{Value: discardPort}, Protos: m.MediaName.Protos,
		},
		ConnectionInformation: nowhereConnection(),
	}
	if mid != "" {
		section.WithValueAttribute("mid", mid)
	}
	section.WithPropertyAttribute("rtcp-mux")
	if _, ok := m.Attribute("rtcp-rsize"); ok {
		section.WithPropertyAttribute("rtcp-rsize")
	}
	addFormat(section, m, s.pt, s.stereo)
	if s.rtxSSRC != 0 {
		addFormat(section, m, s.rtxPT, false)
	}
	if s.track == "" {
		section.WithPropertyAttribute("inactive")
		return section
	}
	if s.rtxSSRC != 0 { // RFC 5576 section 4.2
		section.WithValueAttribute("ssrc-group", fmt.Sprintf("FID %d %d", s.ssrc, s.rtxSSRC))
	}
	msid := mediaStream + " " + s.track
	for _, ssrc := range []uint32{s.ssrc, s.rtxSSRC} {
		if ssrc != 0 {
			section.WithValueAttribute("ssrc", fmt.Sprintf("%d cname:%s", ssrc, mediaStream))
			section.WithValueAttribute("ssrc", fmt.Sprintf("%d msid:%s", ssrc, msid))
		}
	}
	section.WithValueAttribute("msid", msid).WithPropertyAttribute("sendonly")
	return section
}

// addFormat adds a payload type of m to the section that answers m, with the
// parameters that m has for it, and the feedback that we heed.
func addFormat(section, m *sdp.MediaDescription, pt uint8, stereo bool) {
	number := strconv.Itoa(int(pt))
	section.MediaName.Formats = append(section.MediaName.Formats, number)
	section.WithValueAttribute("rtpmap", number+" "+format(m, "rtpmap", number))
	parameters := format(m, "fmtp", number)
	if stereo {
		parameters = withParameter(parameters, sendsStereo, "1")
	}
	if parameters != "" {
		section.WithValueAttribute("fmtp", number+" "+parameters)
	}
	r, ok := rowOf(m, number)
	if !ok {
		return
	}
	for _, f := range r.feedback {
		// Transport-wide feedback refers to a header extension that viewers are not
		// sent.
		if f.Type == "transport-cc" {
			continue
		}
		value := strings.TrimSpace(f.Type + " " + f.Parameter)
		offered := values(m.Attributes, "rtcp-fb")
		if slices.Contains(offered, number+" "+value) || slices.Contains(offered, "* "+value) {
			section.WithValueAttribute("rtcp-fb", number+" "+value)
		}
	}
}

// values returns the values of all attributes of that name.
func values(attributes []sdp.Attribute, key string) []string {
	var all []string
	for _, a := range attributes {
		if a.Key == key {
			all = append(all, a.Value)
		}
	}
	return all
}

// hostCandidates returns the candidates of a socket that listens at addresses (RFC
// 8839 section 5.1), each once and for the one component that there is. Those that
// tell nobody else anything are left out: link-local addresses of IPv6, and loopback,
// unless there is nothing else.
func hostCandidates(addresses []net.Addr) ([]string, error) {
	elsewhere, err := candidatesOf(addresses, func(ip net.IP) bool {
		return !ip.IsLoopback() && (ip.To4() != nil || !ip.IsLinkLocalUnicast())
	})
	if err != nil || len(elsewhere) > 0 {
		return elsewhere, err
	}
	return candidatesOf(addresses, net.IP.IsLoopback)
}

func candidatesOf(addresses []net.Addr, useful func(net.IP) bool) ([]string, error) {
	var lines []string
	for _, a := range addresses {
		udp, ok := a.(*net.UDPAddr)
		if !ok || !useful(udp.IP) {
			continue
		}
		c, err := ice.NewCandidateHost(&ice.CandidateHostConfig{
			Network: "udp", Address: udp.IP.String(), Port: udp.Port, Component: ice.ComponentRTP,
		})
		if err != nil {
			return nil, fmt.Errorf("peer: candidate: %w", err)
		}
		if line := c.Marshal(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}

// restartFragment is the answer to an ICE restart: our credentials, and the
// candidates as before, in the first section, which all others are bundled with
// (RFC 9725 section 4.3.3).
func (a answerer) restartFragment(kind, mid string, local credentials) Fragment {
	f := Fragment{ufrag: local.ufrag, pwd: local.pwd, lines: []string{
		"a=ice-lite", fmt.Sprintf("m=%s %d UDP/TLS/RTP/SAVPF 0", kind, discardPort),
	}}
	if mid != "" {
		f.lines = append(f.lines, "a=mid:"+mid)
	}
	f.lines = append(f.lines, "a=ice-ufrag:"+local.ufrag, "a=ice-pwd:"+local.pwd)
	for _, c := range a.candidates {
		f.lines = append(f.lines, "a=candidate:"+c)
	}
	f.lines = append(f.lines, "a=end-of-candidates")
	return f
}
