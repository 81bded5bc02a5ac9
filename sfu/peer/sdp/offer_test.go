package sdp

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"weir/sfu/media"
	"weir/sfu/peer/peertest"
)

// Offers of browsers, in parts.
var audioSection, videoSection = peertest.AudioSection, peertest.VideoSection

const (
	session0 = peertest.Session
	common   = peertest.Common

	dataSection = peertest.DataSection
)

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
		want  Direction
		err   error  // nil: accepted
		text  string // that the error has: what to change
	}{
		{"browser", both, ClientSends, nil, ""},
		{"sound only", session0 + audioSection("0", "sendonly"), ClientSends, nil, ""},
		{"sendrecv", edit("a=sendonly", "a=sendrecv"), ClientSends, nil, ""},
		{"direction left out", edit("a=sendonly\r\n", ""), ClientSends, nil, ""},
		{"direction of the session", strings.Replace(edit("a=sendonly\r\n", ""), "a=group", "a=sendonly\r\na=group", 1), ClientSends, nil, ""},
		{"viewer", edit("sendonly", "recvonly"), ClientReceives, nil, ""},
		{"codec's name in lower case", edit("VP8/90000", "vp8/90000"), ClientSends, nil, ""},
		{"bundle-only", edit("m=video 9 UDP/TLS/RTP/SAVPF 96 97 102\r\n", "m=video 0 UDP/TLS/RTP/SAVPF 96 97 102\r\na=bundle-only\r\n"), ClientSends, nil, ""},

		{"empty", "", ClientSends, ErrOffer, "no media section"},
		{"garbage", "hello", ClientSends, ErrOffer, "not SDP"},
		{"JSON", `{"type":"offer","sdp":""}`, ClientSends, ErrOffer, "not SDP"},
		{"no section", session0, ClientSends, ErrOffer, "no media section"},
		{"17 sections", many, ClientSends, ErrOffer, "at most 16"},
		{"nothing but a data channel", session0 + dataSection, ClientSends, ErrOffer, `of type "application"`},
		{"text", both + strings.NewReplacer("m=application", "m=text", "webrtc-datachannel", "98").Replace(dataSection), ClientSends, ErrUnsupported, "only audio and video"},
		{"two videos", both + videoSection("3", "sendonly"), ClientSends, ErrUnsupported, "several video"},
		{"one mid twice", session0 + audioSection("0", "sendonly") + videoSection("0", "sendonly"), ClientSends, ErrOffer, "several sections with a=mid:0"},
		{"recvonly to WHIP", edit("sendonly", "recvonly"), ClientSends, ErrOffer, "must be sendonly"},
		{"inactive", edit("sendonly", "inactive"), ClientSends, ErrOffer, "the video section is inactive"},
		{"session is inactive", strings.Replace(edit("a=sendonly\r\n", ""), "a=group", "a=inactive\r\na=group", 1), ClientSends, ErrOffer, "the audio section is inactive"},
		{"sendonly to WHEP", both, ClientReceives, ErrOffer, "must be recvonly"},
		{"two directions", edit("a=sendonly", "a=sendonly\r\na=recvonly"), ClientSends, ErrOffer, "both sendonly and recvonly"},
		{"no rtcp-mux", edit("a=rtcp-mux\r\n", ""), ClientSends, ErrUnsupported, "rtcp-mux"},
		{"no codec", edit("VP8/90000", "VP7/90000", "H264/", "H265/"), ClientSends, ErrUnsupported, "offer VP8"},
		{"codec not in the m-line", edit("SAVPF 96 97 102", "SAVPF 97"), ClientSends, ErrUnsupported, "offer VP8"},
		{"Opus with one channel", edit("opus/48000/2", "opus/48000/1"), ClientSends, ErrUnsupported, "opus/48000/1 is not opus/48000/2"},
		{"Opus without channels", edit("opus/48000/2", "opus/48000"), ClientSends, ErrUnsupported, "(opus/48000 is not opus/48000/2)"},
		{"Opus at another rate", edit("opus/48000/2", "OPUS/16000/2"), ClientSends, ErrUnsupported, "OPUS/16000/2 is not"},
		{"viewer's Opus with one channel", edit("sendonly", "recvonly", "opus/48000/2", "opus/48000/1"), ClientReceives, ErrUnsupported, "opus/48000/1 is not opus/48000/2"},
		{"VP8 at another rate", edit("VP8/90000", "VP8/48000", "H264/", "H265/"), ClientSends, ErrUnsupported, "VP8/48000 is not VP8/90000"},
		{"text to watch alone", session0 + strings.NewReplacer("m=application", "m=text", "webrtc-datachannel", "98").Replace(dataSection), ClientReceives, ErrOffer, `of type "text"`},
		{"second codec only", edit("VP8", "VP7"), ClientSends, nil, ""},
		{"codec in the wrong section", session0 + strings.Replace(audioSection("0", "sendonly"), "opus/48000/2", "VP8/90000", 1), ClientSends, ErrUnsupported, "offer OPUS"},
		{"payload type that is none", edit("SAVPF 111 63", "SAVPF opus 63", "rtpmap:111", "rtpmap:opus"), ClientSends, ErrOffer, `"opus" is no payload type`},
		{"payload type of 8 bits", edit("SAVPF 111 63", "SAVPF 128 63", "rtpmap:111", "rtpmap:128"), ClientSends, ErrOffer, `"128" is no payload type`},
		{"name of two words", edit("a=mid:1\r\n", "a=mid:1 2\r\n"), ClientSends, ErrOffer, "a=mid:1 2 has a space in it"},
		{"no mid", edit("a=mid:1\r\n", ""), ClientSends, ErrOffer, "a=mid"},
		{"all switched off", edit("m=video 9", "m=video 0", "m=audio 9", "m=audio 0"), ClientSends, ErrOffer, "switched off (port 0)"},
		{"neither side is to connect", edit("setup:actpass", "setup:holdconn"), ClientSends, ErrUnsupported, "a=setup:holdconn"},
		{"unknown setup", edit("setup:actpass", "setup:both"), ClientSends, ErrUnsupported, "a=setup:both"},
		{"two setups", session0 + strings.Replace(audioSection("0", "sendonly"), "setup:actpass", "setup:active", 1) +
			strings.Replace(videoSection("1", "sendonly"), "setup:actpass", "setup:passive", 1), ClientSends, ErrOffer, "both a=setup:active and a=setup:passive"},
		{"client is the DTLS client", edit("setup:actpass", "setup:active"), ClientSends, nil, ""},
		{"not bundled", edit("a=group:BUNDLE 0 1\r\n", ""), ClientSends, ErrUnsupported, "max-bundle"},
		{"bundled in part", edit("BUNDLE 0 1", "BUNDLE 0"), ClientSends, ErrUnsupported, "max-bundle"},
		{"no ICE credentials", edit("a=ice-ufrag:Yp5S\r\n", ""), ClientSends, ErrOffer, "ice-ufrag"},
		{"short ICE password", edit("qZNiRsmsRGxqWvR7Ck6fB2gb", "short"), ClientSends, ErrOffer, "ice-pwd"},
	}
	for _, tt := range tests {
		o, err := Parse(tt.offer, tt.want)
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
		want  Direction
		taken string // t: a section is taken, -: it is not
		group string
	}{
		{"a data channel to WHIP", three + send + dataSection, ClientSends, "tt-", "BUNDLE 0 1"},
		{"a data channel to WHEP", three + receive + dataSection, ClientReceives, "tt-", "BUNDLE 0 1"},
		{"a data channel first", strings.Replace(session0, "BUNDLE 0 1", "BUNDLE 2 0 1", 1) + dataSection + receive, ClientReceives, "-tt", "BUNDLE 0 1"},
		{"switched off", session0 + audioSection("0", "sendonly") + off(videoSection("1", "sendonly")), ClientSends, "t-", "BUNDLE 0"},
		{"switched off in front", session0 + off(audioSection("0", "recvonly")) + videoSection("1", "recvonly"), ClientReceives, "-t", "BUNDLE 1"},
		{"inactive", session0 + audioSection("0", "inactive") + videoSection("1", "sendonly"), ClientSends, "-t", "BUNDLE 1"},
		{"inactive to WHEP", session0 + audioSection("0", "recvonly") + videoSection("1", "inactive"), ClientReceives, "t-", "BUNDLE 0"},
		{"a second picture that is off", three + send + videoSection("2", "inactive"), ClientSends, "tt-", "BUNDLE 0 1"},
		{"a second picture to WHEP", three + receive + videoSection("2", "recvonly"), ClientReceives, "tt-", "BUNDLE 0 1"},
		{"a second sound to WHEP", three + receive + audioSection("2", "recvonly"), ClientReceives, "tt-", "BUNDLE 0 1"},
		{"the second picture is the one that suits", three + audioSection("0", "recvonly") +
			strings.NewReplacer("VP8/", "VP7/", "H264/", "H265/").Replace(videoSection("1", "recvonly")) + videoSection("2", "recvonly"), ClientReceives, "t-t", "BUNDLE 0 2"},
		{"a microphone beside it", three + receive + audioSection("2", "sendonly"), ClientReceives, "tt-", "BUNDLE 0 1"},
		{"text to WHEP", three + receive + strings.NewReplacer("m=application", "m=text", "webrtc-datachannel", "98").Replace(dataSection), ClientReceives, "tt-", "BUNDLE 0 1"},
		{"one without a name", session0 + strings.Replace(videoSection("1", "sendonly"), "a=mid:1\r\n", "", 1), ClientSends, "t", ""},
		{"one without a name beside one that is off", session0 + strings.Replace(off(audioSection("0", "recvonly"))+videoSection("1", "recvonly"), "a=mid:1\r\n", "", 1), ClientReceives, "-t", ""},
		{"the second of two groups", strings.Replace(session0, "BUNDLE 0 1", "BUNDLE 2\r\na=group:LS 0 1\r\na=group:BUNDLE 0 1", 1) + send + dataSection, ClientSends, "tt-", "BUNDLE 0 1"},
	} {
		o, err := Parse(tt.offer, tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		taken := ""
		for _, declined := range o.layout {
			taken += map[bool]string{true: "t", false: "-"}[declined == nil]
		}
		if taken != tt.taken || o.bundle() != tt.group || strings.Count(tt.taken, "t") != len(o.Media) {
			t.Errorf("%s: %s with the group %q are taken, want %s with %q", tt.name, taken, o.bundle(), tt.taken, tt.group)
		}
		checkOffer(t, tt.name, o, tt.want)
		a := Answerer{Candidates: []string{"1 1 udp 2130706431 192.0.2.1 8081 typ host"}}
		answer, err := a.Answer(o, NewCredentials(), make([]Source, len(o.Media)))
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
		o, err := Parse(raw, ClientReceives)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		answer, err := Answerer{}.Answer(o, NewCredentials(), make([]Source, 2))
		if err != nil || strings.Count(answer, "a=setup:"+tt.answered+"\r\n") != 2 || strings.Count(answer, "a=setup:") != 2 {
			t.Errorf("%s: %v, want %s:\n%s", tt.name, err, tt.answered, answer)
		}
	}
}

// checkOffer checks what holds for every accepted offer.
func checkOffer(t *testing.T, name string, o *Offer, want Direction) {
	t.Helper()
	raw, err := o.ForConnection()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if strings.Contains(raw, "\na=candidate:") {
		t.Errorf("%s: candidates are left in:\n%s", name, raw)
	}
	if n := strings.Count(raw, "\na="+string(want)+"\r"); n != len(o.Media) {
		t.Errorf("%s: %d of %d sections are %s:\n%s", name, n, len(o.Media), want, raw)
	}
	if again, err := Parse(raw, want); err != nil || again.Credentials != o.Credentials {
		t.Errorf("%s: what was made of it is not an offer: %v", name, err)
	}
}

func TestParseOfferCodecs(t *testing.T) {
	o, err := Parse(session0+audioSection("0", "sendonly")+videoSection("1", "sendonly"), ClientSends)
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Media) != 2 {
		t.Fatalf("sections %+v", o.Media)
	}
	sound, picture := o.Media[0], o.Media[1]
	if sound.Codec != media.Opus || sound.MID != "0" || sound.PayloadType != 111 || sound.RepairType != NoType || len(sound.Declared) > 0 {
		t.Errorf("the sound is %+v", sound)
	}
	if of, told := picture.Declared[1111]; picture.Codec != media.VP8 || picture.MID != "1" || picture.PayloadType != 96 ||
		picture.RepairType != 97 || !picture.NACK || picture.FIR || of != 0 || !told {
		t.Errorf("the picture is %+v", picture)
	}
	// What was not chosen is gone, so that the client cannot send it.
	sdp, err := o.ForConnection()
	if err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"H264", "red/48000", "fmtp:102", " 102", "ssrc:1111"} {
		if strings.Contains(sdp, gone) {
			t.Errorf("the narrowed offer still has %q:\n%s", gone, sdp)
		}
	}
	for _, kept := range []string{"SAVPF 96 97\r\n", "rtpmap:96 VP8", "rtcp-fb:96 nack pli", "fmtp:97 apt=96", "SAVPF 111\r\n"} {
		if !strings.Contains(sdp, kept) {
			t.Errorf("the narrowed offer lacks %q:\n%s", kept, sdp)
		}
	}
}

// TestRestarted: an ICE restart changes the credentials of every section, and nothing
// else.
func TestRestarted(t *testing.T) {
	o, err := Parse(session0+audioSection("0", "sendonly")+videoSection("1", "sendonly"), ClientSends)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := o.ForConnection()
	fresh := Credentials{"fresh", "0123456789012345678901"}
	next := o.Restarted(fresh)
	after, _ := next.ForConnection()
	want := strings.NewReplacer("ice-ufrag:Yp5S", "ice-ufrag:fresh", "qZNiRsmsRGxqWvR7Ck6fB2gb", fresh.Pwd, "1336 2 IN", "1336 3 IN").Replace(before)
	if after != want || next.Credentials != fresh {
		t.Errorf("the offer is\n%s\nwant\n%s", after, want)
	}
	if again, _ := o.ForConnection(); again != before {
		t.Errorf("the offer before has become\n%s", again)
	}
}

func FuzzParseOffer(f *testing.F) {
	f.Add(session0 + audioSection("0", "sendonly") + videoSection("1", "sendonly"))
	f.Add(session0 + videoSection("1", "recvonly") + dataSection)
	f.Add("v=0\r\nm=audio 0 RTP/AVP 0\r\n")
	f.Fuzz(func(t *testing.T, raw string) {
		for _, want := range []Direction{ClientSends, ClientReceives} {
			o, err := Parse(raw, want)
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
