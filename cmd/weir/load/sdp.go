package load

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"weir/sfu/media"
)

// Payload types of offers. An answer uses the same (RFC 3264 section 6.1), but
// what it says counts.
const (
	typeVP8  = 96
	typeOpus = 111
)

// offerSDP is what a viewer offers: to receive VP8 and Opus, over one transport, and
// lost packets in a stream of their own, as browsers do.
// %[1]s is its address, %[2]d its port, %[3]s and %[4]s the ICE credentials,
// %[5]s the fingerprint, %[6]d a session id.
const offerSDP = `v=0
o=- %[6]d 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=msid-semantic: WMS *
m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2130706431 %[1]s %[2]d typ host
a=end-of-candidates
a=ice-ufrag:%[3]s
a=ice-pwd:%[4]s
a=fingerprint:sha-256 %[5]s
a=setup:actpass
a=mid:0
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
m=video 9 UDP/TLS/RTP/SAVPF 96 97
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=ice-ufrag:%[3]s
a=ice-pwd:%[4]s
a=fingerprint:sha-256 %[5]s
a=setup:actpass
a=mid:1
a=recvonly
a=rtcp-mux
a=rtcp-rsize
a=rtpmap:96 VP8/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 ccm fir
a=rtpmap:97 rtx/90000
a=fmtp:97 apt=96
`

// makeOffer fills in the template.
func makeOffer(v *viewer, local netip.Addr, fingerprint string) string {
	sdp := fmt.Sprintf(offerSDP, local, v.socket.port(), v.ice.localUfrag, v.ice.localPwd, fingerprint, v.number+1)
	return strings.ReplaceAll(sdp, "\n", "\r\n")
}

// answer is what a viewer has to know of an answer.
type answer struct {
	ufrag, pwd  string
	fingerprint string // "sha-256 AB:CD:...", in upper case behind the algorithm
	active      bool   // the server is the DTLS client
	candidates  []netip.AddrPort
	kinds       [128]media.Kind // of a payload type; 0: unknown
}

// candidate is a candidate line (RFC 8839 section 5.1).
type candidate struct {
	priority uint64
	address  netip.AddrPort
}

// parseAnswer reads an answer. Everything is bundled, so the attributes of the
// first section that has them hold for all (RFC 9143 section 7.3).
func parseAnswer(raw string) (*answer, error) {
	a := &answer{}
	var found []candidate
	var others []string
	for line := range strings.Lines(raw) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "m=video 0 ") {
			return nil, errors.New("the answer rejects the video, which is VP8")
		}
		name, value, _ := strings.Cut(strings.TrimPrefix(line, "a="), ":")
		if !strings.HasPrefix(line, "a=") {
			continue
		}
		switch name {
		case "ice-ufrag":
			a.ufrag = first(a.ufrag, value)
		case "ice-pwd":
			a.pwd = first(a.pwd, value)
		case "fingerprint":
			algorithm, hash, _ := strings.Cut(value, " ")
			a.fingerprint = first(a.fingerprint, strings.ToLower(algorithm)+" "+strings.ToUpper(hash))
		case "setup":
			a.active = a.active || value == "active"
		case "rtpmap":
			a.addType(value)
		case "candidate":
			if c, ok := parseCandidate(value); ok {
				found = append(found, c)
			} else {
				others = append(others, value)
			}
		}
	}
	slices.SortStableFunc(found, func(x, y candidate) int { return int(int64(y.priority) - int64(x.priority)) })
	for _, c := range found {
		if !slices.Contains(a.candidates, c.address) {
			a.candidates = append(a.candidates, c.address)
		}
	}
	switch {
	case a.ufrag == "" || a.pwd == "":
		return nil, errors.New("the answer has no ice-ufrag and ice-pwd: is it SDP?")
	case !strings.HasPrefix(a.fingerprint, "sha-256 "):
		return nil, fmt.Errorf("the answer has no SHA-256 fingerprint, but %q", a.fingerprint)
	case len(a.candidates) == 0:
		return nil, fmt.Errorf("the answer has no candidate of IPv4 and UDP, but %q: candidates that come later are not waited for", others)
	}
	return a, nil
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// addType notes an rtpmap: "96 VP8/90000".
func (a *answer) addType(value string) {
	number, name, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(number, 10, 7)
	if err != nil {
		return
	}
	switch codec, _, _ := strings.Cut(strings.ToLower(name), "/"); codec {
	case "vp8":
		a.kinds[n] = media.Video
	case "opus":
		a.kinds[n] = media.Audio
	}
}

// parseCandidate reads "foundation component transport priority address port typ
// ...", of component 1, UDP and IPv4.
func parseCandidate(value string) (candidate, bool) {
	f := strings.Fields(value)
	if len(f) < 8 || f[1] != "1" || !strings.EqualFold(f[2], "udp") {
		return candidate{}, false
	}
	priority, err1 := strconv.ParseUint(f[3], 10, 32)
	ip, err2 := netip.ParseAddr(f[4])
	port, err3 := strconv.ParseUint(f[5], 10, 16)
	if err := errors.Join(err1, err2, err3); err != nil || !ip.Unmap().Is4() {
		return candidate{}, false
	}
	return candidate{priority, netip.AddrPortFrom(ip.Unmap(), uint16(port))}, true
}
