package peer

import (
	"errors"
	"fmt"
	"strings"
	"testing"

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
		{"data channel", both + dataSection, clientSends, ErrUnsupported, "only audio and video"},
		{"two videos", both + videoSection("3", "sendonly"), clientSends, ErrUnsupported, "several video"},
		{"one mid twice", session0 + audioSection("0", "sendonly") + videoSection("0", "sendonly"), clientSends, ErrUnsupported, "several mid 0"},
		{"recvonly to WHIP", edit("sendonly", "recvonly"), clientSends, ErrOffer, "must be sendonly"},
		{"inactive", edit("sendonly", "inactive"), clientSends, ErrOffer, "must be sendonly"},
		{"session is inactive", strings.Replace(edit("a=sendonly\r\n", ""), "a=group", "a=inactive\r\na=group", 1), clientSends, ErrOffer, "must be sendonly"},
		{"sendonly to WHEP", both, clientReceives, ErrOffer, "must be recvonly"},
		{"two directions", edit("a=sendonly", "a=sendonly\r\na=recvonly"), clientSends, ErrOffer, "both sendonly and recvonly"},
		{"no rtcp-mux", edit("a=rtcp-mux\r\n", ""), clientSends, ErrUnsupported, "rtcp-mux"},
		{"no codec", edit("VP8/90000", "VP7/90000", "H264/", "H265/"), clientSends, ErrUnsupported, "offer VP8"},
		{"codec not in the m-line", edit("SAVPF 96 97 102", "SAVPF 97"), clientSends, ErrUnsupported, "offer VP8"},
		{"second codec only", edit("VP8", "VP7"), clientSends, nil, ""},
		{"codec in the wrong section", session0 + strings.Replace(audioSection("0", "sendonly"), "opus/48000/2", "VP8/90000", 1), clientSends, ErrUnsupported, "offer OPUS"},
		{"no mid", edit("a=mid:1\r\n", ""), clientSends, ErrOffer, "a=mid"},
		{"switched off", edit("m=video 9", "m=video 0"), clientSends, ErrUnsupported, "port 0"},
		{"client wants to be the DTLS server", edit("setup:actpass", "setup:passive"), clientSends, ErrUnsupported, "actpass or active"},
		{"no setup", edit("a=setup:actpass\r\n", ""), clientSends, ErrUnsupported, "actpass or active"},
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
	want := []offeredMedia{{media.Opus, "", "0"}, {media.VP8, "", "1"}}
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
