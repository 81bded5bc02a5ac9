package peer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
)

const session0 = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\na=extmap-allow-mixed\r\n"

// common is what every section of a browser's offer has.
const common = "c=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\na=candidate:1 1 udp 2122260223 192.0.2.1 50000 typ host\r\n" +
	"a=ice-ufrag:Yp5S\r\na=ice-pwd:qZNiRsmsRGxqWvR7Ck6fB2gb\r\na=ice-options:trickle\r\n" +
	"a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n" +
	"a=setup:actpass\r\na=rtcp-mux\r\na=rtcp-rsize\r\n"

func audioSection(mid, direction string) string {
	return "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n" + common + "a=mid:" + mid + "\r\na=" + direction +
		"\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10;useinbandfec=1\r\na=rtpmap:63 red/48000/2\r\n"
}

func videoSection(mid, direction string) string {
	return "m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\n" + common + "a=mid:" + mid + "\r\na=" + direction +
		"\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n" +
		"a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1\r\na=ssrc:1111 cname:x\r\n"
}

const dataSection = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + common + "a=mid:2\r\na=sctp-port:5000\r\n"

func TestParseOffer(t *testing.T) {
	both := session0 + audioSection("0", "sendonly") + videoSection("1", "sendonly")
	edit := func(pairs ...string) string {
		if !strings.Contains(both, pairs[0]) {
			panic(pairs[0])
		}
		return strings.NewReplacer(pairs...).Replace(both)
	}
	many := session0
	for i := range 17 {
		many += audioSection(fmt.Sprint(i), "sendonly")
	}
	tests := []struct {
		name  string
		offer string
		want  direction
		err   error  // nil: accepted
		text  string // that the error has: what to change
	}{
		{"browser", both, clientSends, nil, ""},
		{"sound only", session0 + audioSection("0", "sendonly"), clientSends, nil, ""},
		{"sendrecv", edit("a=sendonly", "a=sendrecv"), clientSends, nil, ""},
		{"direction left out", edit("a=sendonly\r\n", ""), clientSends, nil, ""},
		{"direction of the session", strings.Replace(edit("a=sendonly\r\n", ""), "a=group", "a=sendonly\r\na=group", 1), clientSends, nil, ""},
		{"viewer", edit("sendonly", "recvonly"), clientReceives, nil, ""},
		{"codec's name in lower case", edit("VP8/90000", "vp8/90000"), clientSends, nil, ""},
		{"bundle-only", edit("m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\n", "m=video 0 UDP/TLS/RTP/SAVPF 96 97 102\r\na=bundle-only\r\n"), clientSends, nil, ""},

		{"empty", "", clientSends, ErrOffer, "no media section"},
		{"garbage", "hello", clientSends, ErrOffer, "not SDP"},
		{"JSON", `{"type":"offer","sdp":""}`, clientSends, ErrOffer, "not SDP"},
		{"no section", session0, clientSends, ErrOffer, "no media section"},
		{"17 sections", many, clientSends, ErrOffer, "at most 16"},
		{"nothing but a data channel", session0 + dataSection, clientSends, ErrOffer, `of type "application"`},
		{"text", both + strings.NewReplacer("m=application", "m=text", "webrtc-datachannel", "98").Replace(dataSection), clientSends, ErrUnsupported, "only audio and video"},
		{"two videos", both + videoSection("3", "sendonly"), clientSends, ErrUnsupported, "several video"},
		{"one mid twice", session0 + audioSection("0", "sendonly") + videoSection("0", "sendonly"), clientSends, ErrOffer, "several sections with a=mid:0"},
		{"recvonly to WHIP", edit("sendonly", "recvonly"), clientSends, ErrOffer, "must be sendonly"},
		{"inactive", edit("sendonly", "inactive"), clientSends, ErrOffer, "the video section is inactive"},
		{"session is inactive", strings.Replace(edit("a=sendonly\r\n", ""), "a=group", "a=inactive\r\na=group", 1), clientSends, ErrOffer, "the audio section is inactive"},
		{"sendonly to WHEP", both, clientReceives, ErrOffer, "must be recvonly"},
		{"two directions", edit("a=sendonly", "a=sendonly\r\na=recvonly"), clientSends, ErrOffer, "both sendonly and recvonly"},
		{"no rtcp-mux", edit("a=rtcp-mux\r\n", ""), clientSends, ErrUnsupported, "rtcp-mux"},
		{"no codec", edit("VP8/90000", "VP7/90000", "H264/", "H265/"), clientSends, ErrUnsupported, "offer VP8"},
		{"codec not in the m-line", edit("SAVPF 96 97 102", "SAVPF 97"), clientSends, ErrUnsupported, "offer VP8"},
		{"Opus with one channel", edit("opus/48000/2", "opus/48000/1"), clientSends, ErrUnsupported, "opus/48000/1 is not opus/48000/2"},
		{"Opus without channels", edit("opus/48000/2", "opus/48000"), clientSends, ErrUnsupported, "(opus/48000 is not opus/48000/2)"},
		{"Opus at another rate", edit("opus/48000/2", "OPUS/16000/2"), clientSends, ErrUnsupported, "OPUS/16000/2 is not"},
		{"viewer's Opus with one channel", edit("sendonly", "recvonly", "opus/48000/2", "opus/48000/1"), clientReceives, ErrUnsupported, "opus/48000/1 is not opus/48000/2"},
		{"VP8 at another rate", edit("VP8/90000", "VP8/48000", "H264/", "H265/"), clientSends, ErrUnsupported, "VP8/48000 is not VP8/90000"},
		{"text to watch alone", session0 + strings.NewReplacer("m=application", "m=text", "webrtc-datachannel", "98").Replace(dataSection), clientReceives, ErrOffer, `of type "text"`},
		{"second codec only", edit("VP8", "VP7"), clientSends, nil, ""},
		{"codec in the wrong section", session0 + strings.Replace(audioSection("0", "sendonly"), "opus/48000/2", "VP8/90000", 1), clientSends, ErrUnsupported, "offer OPUS"},
		{"payload type that is none", edit("SAVPF 111 63", "SAVPF opus 63", "rtpmap:111", "rtpmap:opus"), clientSends, ErrOffer, `"opus" is no payload type`},
		{"payload type of 8 bits", edit("SAVPF 111 63", "SAVPF 128 63", "rtpmap:111", "rtpmap:128"), clientSends, ErrOffer, `"128" is no payload type`},
		{"name of two words", edit("a=mid:1\r\n", "a=mid:1 2\r\n"), clientSends, ErrOffer, "a=mid:1 2 has a space in it"},
		{"no mid", edit("a=mid:1\r\n", ""), clientSends, ErrOffer, "a=mid"},
		{"all switched off", edit("m=video 9", "m=video 0", "m=audio 9", "m=audio 0"), clientSends, ErrOffer, "switched off (port 0)"},
		{"neither side is to connect", edit("setup:actpass", "setup:holdconn"), clientSends, ErrUnsupported, "a=setup:holdconn"},
		{"unknown setup", edit("setup:actpass", "setup:both"), clientSends, ErrUnsupported, "a=setup:both"},
		{"two setups", session0 + strings.Replace(audioSection("0", "sendonly"), "setup:actpass", "setup:active", 1) +
			strings.Replace(videoSection("1", "sendonly"), "setup:actpass", "setup:passive", 1), clientSends, ErrOffer, "both a=setup:active and a=setup:passive"},
		{"client is the DTLS client", edit("setup:actpass", "setup:active"), clientSends, nil, ""},
		{"not bundled", edit("a=group:BUNDLE 0 1\r\n", ""), clientSends, ErrUnsupported, "max-bundle"},
		{"bundled in part", edit("BUNDLE 0 1", "BUNDLE 0"), clientSends, ErrUnsupported, "max-bundle"},
		{"no ICE credentials", edit("a=ice-ufrag:Yp5S\r\n", ""), clientSends, ErrOffer, "ice-ufrag"},
		{"short ICE password", edit("qZNiRsmsRGxqWvR7Ck6fB2gb", "short"), clientSends, ErrOffer, "ice-pwd"},
	}
	for _, tt := range tests {
		o, err := parseOffer(tt.offer, tt.want)
		if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: error %v, want %v with %q", tt.name, err, tt.err, tt.text)
		}
		if err != nil {
			continue
		}
		checkOffer(t, tt.name, o, tt.want)
	}
}

// TestDeclinedSections: what carries nothing that could be lost is answered with port
// 0, and the rest is taken.
func TestDeclinedSections(t *testing.T) {
	three := strings.Replace(session0, "BUNDLE 0 1", "BUNDLE 0 1 2", 1)
	send := audioSection("0", "sendonly") + videoSection("1", "sendonly")
	receive := audioSection("0", "recvonly") + videoSection("1", "recvonly")
	off := func(section string) string { return strings.Replace(section, " 9 UDP", " 0 UDP", 1) }
	for _, tt := range []struct {
		name  string
		offer string
		want  direction
		taken string // t: a section is taken, -: it is not
		group string
	}{
		{"a data channel to WHIP", three + send + dataSection, clientSends, "tt-", "BUNDLE 0 1"},
		{"a data channel to WHEP", three + receive + dataSection, clientReceives, "tt-", "BUNDLE 0 1"},
		{"a data channel first", strings.Replace(session0, "BUNDLE 0 1", "BUNDLE 2 0 1", 1) + dataSection + receive, clientReceives, "-tt", "BUNDLE 0 1"},
		{"switched off", session0 + audioSection("0", "sendonly") + off(videoSection("1", "sendonly")), clientSends, "t-", "BUNDLE 0"},
		{"switched off in front", session0 + off(audioSection("0", "recvonly")) + videoSection("1", "recvonly"), clientReceives, "-t", "BUNDLE 1"},
		{"inactive", session0 + audioSection("0", "inactive") + videoSection("1", "sendonly"), clientSends, "-t", "BUNDLE 1"},
		{"inactive to WHEP", session0 + audioSection("0", "recvonly") + videoSection("1", "inactive"), clientReceives, "t-", "BUNDLE 0"},
		{"a second picture that is off", three + send + videoSection("2", "inactive"), clientSends, "tt-", "BUNDLE 0 1"},
		{"a second picture to WHEP", three + receive + videoSection("2", "recvonly"), clientReceives, "tt-", "BUNDLE 0 1"},
		{"a second sound to WHEP", three + receive + audioSection("2", "recvonly"), clientReceives, "tt-", "BUNDLE 0 1"},
		{"the second picture is the one that suits", three + audioSection("0", "recvonly") +
			strings.NewReplacer("VP8/", "VP7/", "H264/", "H265/").Replace(videoSection("1", "recvonly")) + videoSection("2", "recvonly"), clientReceives, "t-t", "BUNDLE 0 2"},
		{"a microphone beside it", three + receive + audioSection("2", "sendonly"), clientReceives, "tt-", "BUNDLE 0 1"},
		{"text to WHEP", three + receive + strings.NewReplacer("m=application", "m=text", "webrtc-datachannel", "98").Replace(dataSection), clientReceives, "tt-", "BUNDLE 0 1"},
		{"one without a name", session0 + strings.Replace(videoSection("1", "sendonly"), "a=mid:1\r\n", "", 1), clientSends, "t", ""},
		{"one without a name beside one that is off", session0 + strings.Replace(off(audioSection("0", "recvonly"))+videoSection("1", "recvonly"), "a=mid:1\r\n", "", 1), clientReceives, "-t", ""},
		{"the second of two groups", strings.Replace(session0, "BUNDLE 0 1", "BUNDLE 2\r\na=group:LS 0 1\r\na=group:BUNDLE 0 1", 1) + send + dataSection, clientSends, "tt-", "BUNDLE 0 1"},
	} {
		o, err := parseOffer(tt.offer, tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		taken := ""
		for _, declined := range o.layout {
			taken += map[bool]string{true: "t", false: "-"}[declined == nil]
		}
		if taken != tt.taken || o.bundle() != tt.group || strings.Count(tt.taken, "t") != len(o.media) {
			t.Errorf("%s: %s with the group %q are taken, want %s with %q", tt.name, taken, o.bundle(), tt.taken, tt.group)
		}
		checkOffer(t, tt.name, o, tt.want)
		sections := make([]answerSection, len(o.media))
		for i := range sections {
			if sections[i].pt, _, _, err = payloadTypes(o.description.MediaDescriptions[i]); err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
		}
		answer, err := answerer{candidates: []string{"1 1 udp 2130706431 192.0.2.1 8081 typ host"}}.answer(o, newCredentials(), sections)
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var d sdp.SessionDescription
		if err := d.UnmarshalString(answer); err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		checkLayout(t, tt.offer, o, &d)
	}
}

// TestSetup: our role in DTLS is the one that the client leaves (RFC 4145 section 4.1),
// and each section of the answer says it.
func TestSetup(t *testing.T) {
	for _, tt := range []struct {
		name         string
		session      string
		audio, video string // empty: none
		answered     string
	}{
		{"a browser's", "", "actpass", "actpass", "passive"},
		{"active", "", "active", "active", "passive"},
		{"passive", "", "passive", "passive", "active"},
		{"passive in the session", "passive", "", "", "active"},
		{"the section's counts", "passive", "active", "active", "passive"},
		{"missing", "", "", "", "passive"},
		{"missing in the bundled ones", "", "passive", "", "active"},
		{"decided in one", "", "actpass", "passive", "active"},
	} {
		line := func(value string) string {
			if value == "" {
				return ""
			}
			return "a=setup:" + value + "\r\n"
		}
		raw := strings.Replace(session0, "a=group", line(tt.session)+"a=group", 1) +
			strings.Replace(audioSection("0", "recvonly"), "a=setup:actpass\r\n", line(tt.audio), 1) +
			strings.Replace(videoSection("1", "recvonly"), "a=setup:actpass\r\n", line(tt.video), 1)
		o, err := parseOffer(raw, clientReceives)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		answer, err := answerer{}.answer(o, newCredentials(), []answerSection{{pt: 111}, {pt: 96}})
		if err != nil || strings.Count(answer, "a=setup:"+tt.answered+"\r\n") != 2 || strings.Count(answer, "a=setup:") != 2 {
			t.Errorf("%s: %v, want %s:\n%s", tt.name, err, tt.answered, answer)
		}
	}
}

// checkOffer checks what holds for every accepted offer.
func checkOffer(t *testing.T, name string, o *offer, want direction) {
	t.Helper()
	raw, err := o.String()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if strings.Contains(raw, "\na=candidate:") {
		t.Errorf("%s: candidates are left in:\n%s", name, raw)
	}
	if n := strings.Count(raw, "\na="+string(want)+"\r"); n != len(o.media) {
		t.Errorf("%s: %d of %d sections are %s:\n%s", name, n, len(o.media), want, raw)
	}
	if again, err := parseOffer(raw, want); err != nil || again.credentials() != o.credentials() {
		t.Errorf("%s: what was made of it is not an offer: %v", name, err)
	}
}

func TestParseOfferCodecs(t *testing.T) {
	o, err := parseOffer(session0+audioSection("0", "sendonly")+videoSection("1", "sendonly"), clientSends)
	if err != nil {
		t.Fatal(err)
	}
	want := []offeredMedia{{codec: media.Opus, mid: "0"}, {codec: media.VP8, mid: "1"}}
	if len(o.media) != 2 || o.media[0] != want[0] || o.media[1] != want[1] {
		t.Errorf("sections %v, want %v", o.media, want)
	}
	// What was not chosen is gone, so that the client cannot send it.
	sdp, err := o.String()
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"H264", "red/48000", "fmtp:102", " 102"} {
		if strings.Contains(sdp, gone) {
			t.Errorf("the narrowed offer still has %q:\n%s", gone, sdp)
		}
	}
	for _, kept := range []string{"SAVPF 96 97\r\n", "rtpmap:96 VP8", "rtcp-fb:96 nack pli", "fmtp:97 apt=96", "SAVPF 111\r\n", "ssrc:1111"} {
		if !strings.Contains(sdp, kept) {
			t.Errorf("the narrowed offer lacks %q:\n%s", kept, sdp)
		}
	}
}

// TestSetCredentials: an ICE restart changes the credentials of every section,
// and nothing else.
func TestSetCredentials(t *testing.T) {
	o, err := parseOffer(session0+audioSection("0", "sendonly")+videoSection("1", "sendonly"), clientSends)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := o.String()
	fresh := credentials{"fresh", "0123456789012345678901"}
	o.setCredentials(fresh)
	after, _ := o.String()
	want := strings.NewReplacer("ice-ufrag:Yp5S", "ice-ufrag:fresh", "qZNiRsmsRGxqWvR7Ck6fB2gb", fresh.pwd, "1336 2 IN", "1336 3 IN").Replace(before)
	if after != want || o.credentials() != fresh {
		t.Errorf("the offer is\n%s\nwant\n%s", after, want)
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add(session0 + audioSection("0", "sendonly") + videoSection("1", "sendonly"))
	f.Add(session0 + videoSection("1", "recvonly") + dataSection)
	f.Add("v=0\r\nm=audio 0 RTP/AVP 0\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		for _, want := range []direction{clientSends, clientReceives} {
			o, err := parseOffer(raw, want)
			if err != nil {
				if !errors.Is(err, ErrOffer) && !errors.Is(err, ErrUnsupported) {
					t.Errorf("error %v tells nobody whose fault it is", err)
				}
				continue
			}
			checkOffer(t, "fuzz", o, want)
		}
	})
}
