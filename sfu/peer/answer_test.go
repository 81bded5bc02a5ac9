package peer

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"weir/sfu"
	"weir/sfu/media"
)

// receiveOffers are offers to receive, as clients make them.
func receiveOffers() map[string]string {
	firefox := "v=0\r\no=mozilla...THIS_IS_SDPARTA-99.0 4281520093447139072 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n" +
		"a=fingerprint:sha-256 19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2\r\n" +
		"a=group:BUNDLE 0 1\r\na=ice-options:trickle\r\na=msid-semantic:WMS *\r\n"
	transport := "c=IN IP4 0.0.0.0\r\na=ice-pwd:22f3a0e7c9a1bd6d4d4e8d1a9bb1c0f3\r\na=ice-ufrag:4f8e1b2c\r\na=rtcp-mux\r\na=setup:actpass\r\na=recvonly\r\n"
	firefox += "m=audio 9 UDP/TLS/RTP/SAVPF 109 9 0 8 101\r\n" + transport + "a=mid:0\r\na=rtpmap:109 opus/48000/2\r\n" +
		"a=fmtp:109 maxplaybackrate=48000;stereo=1;useinbandfec=1\r\na=rtpmap:9 G722/8000/1\r\na=rtpmap:0 PCMU/8000\r\na=ssrc:1 cname:{a}\r\n"
	firefox += "m=video 9 UDP/TLS/RTP/SAVPF 120 124 126 127\r\n" + transport + "a=mid:1\r\na=rtcp-rsize\r\na=rtpmap:120 VP8/90000\r\na=rtpmap:124 rtx/90000\r\n" +
		"a=fmtp:120 max-fs=12288;max-fr=60\r\na=fmtp:124 apt=120\r\na=rtcp-fb:120 nack\r\na=rtcp-fb:120 nack pli\r\na=rtcp-fb:120 ccm fir\r\na=rtcp-fb:120 goog-remb\r\n" +
		"a=rtcp-fb:120 transport-cc\r\na=rtpmap:126 H264/90000\r\na=fmtp:126 profile-level-id=42e01f;packetization-mode=1\r\na=rtpmap:127 rtx/90000\r\na=fmtp:127 apt=126\r\n"
	gstreamer := strings.NewReplacer("UDP/TLS/RTP/SAVPF 120 124 126 127", "UDP/TLS/RTP/SAVPF 120", "a=rtcp-rsize\r\n", "", "a=recvonly", "a=sendrecv").Replace(firefox)
	return map[string]string{
		"Chromium":   session0 + audioSection("0", "recvonly") + videoSection("1", "recvonly"),
		"Firefox":    firefox,
		"GStreamer":  gstreamer, // no RTX: nobody asked for it
		"video only": strings.Replace(session0, "0 1", "video0", 1) + videoSection("video0", "recvonly"),
		"odd order":  strings.Replace(session0, "0 1", "b a", 1) + videoSection("b", "recvonly") + audioSection("a", "recvonly"),
	}
}

// liveTracks returns the tracks of a stream that has these codecs.
func liveTracks(t testing.TB, codecs ...media.Codec) []*sfu.Track {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range codecs {
		if _, err := pub.AddTrack(media.TrackInfo{ID: c.Kind().String(), Codec: c}, sfu.Packets); err != nil {
			t.Fatal(err)
		}
	}
	pub.Ready()
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close(); pub.Close() })
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return tracks
}

// loopbackPort returns a port that is closed at the end of the test.
func loopbackPort(t *testing.T) *Port {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{Conn: conn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TestAnswerWithoutTrack: a section that the stream has nothing for is answered
// so, and one of a kind that it has is not.
func TestAnswerWithoutTrack(t *testing.T) {
	p := loopbackPort(t)
	v, answer, err := p.NewViewer(t.Context(), receiveOffers()["Chromium"], liveTracks(t, media.Opus))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if strings.Count(answer, "a=inactive") != 1 || strings.Count(answer, "a=sendonly") != 1 || strings.Contains(answer, "weir video") {
		t.Errorf("the answer is\n%s", answer)
	}
}

// TestAnswerWithoutBundle: a single section needs no group.
func TestAnswerWithoutBundle(t *testing.T) {
	o, err := parseOffer(strings.Replace(session0, "a=group:BUNDLE 0 1\r\n", "", 1)+audioSection("0", "recvonly"), clientReceives)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := answerer{}.answer(o, newCredentials(), []answerSection{{track: "audio", pt: 111, ssrc: 1}})
	if err != nil || strings.Contains(answer, "a=group") || !strings.Contains(answer, "m=audio 9 ") {
		t.Errorf("%v:\n%s", err, answer)
	}
}

// TestPublisherOfOneSection: it needs neither a name nor a group, and gets none then;
// nor does it by another answer, to an ICE restart.
func TestPublisherOfOneSection(t *testing.T) {
	p := loopbackPort(t)
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, group, mid string
		wantGroup        string
	}{
		{"neither", "", "", ""},
		{"no group", "", "a=mid:v\r\n", ""},
		{"no name", "a=group:BUNDLE\r\n", "", ""},
		{"an empty name", "", "a=mid:\r\n", ""},
		{"in no group", "a=group:BUNDLE 0 1\r\n", "a=mid:v\r\n", ""},
		{"both", "a=group:BUNDLE v\r\n", "a=mid:v\r\n", "a=group:BUNDLE v\r\n"},
	} {
		for _, section := range []string{audioSection("0", "sendonly"), videoSection("0", "sendonly")} {
			pub, err := hub.Publish("s", sfu.PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			raw := strings.Replace(session0, "a=group:BUNDLE 0 1\r\n", tt.group, 1) + strings.Replace(section, "a=mid:0\r\n", tt.mid, 1)
			source, answer, err := p.NewPublisher(t.Context(), raw, pub)
			if err != nil {
				t.Fatalf("%s: %v", tt.name, err)
			}
			named := strings.Contains(answer, "a=mid:")
			if strings.Count(answer, "a=group:") != strings.Count(tt.wantGroup, "a=group:") || !strings.Contains(answer, tt.wantGroup) ||
				named != strings.Contains(tt.mid, "v") || !strings.Contains(answer, tt.mid) && named || !strings.Contains(answer, " 9 UDP") {
				t.Errorf("%s: the answer is\n%s", tt.name, answer)
			}
			for range 2 {
				if _, err := source.Restart(t.Context(), Fragment{ufrag: newCredentials().ufrag, pwd: newCredentials().pwd}); err != nil {
					t.Errorf("%s: the restart fails: %v", tt.name, err)
				}
			}
			source.Close()
			pub.Close()
		}
	}
}

func TestHostCandidates(t *testing.T) {
	address := func(ip string) net.Addr { return &net.UDPAddr{IP: net.ParseIP(ip), Port: 8081} }
	for _, tt := range []struct {
		name string
		ips  []string
		want []string
	}{
		{"all that a machine has", []string{"127.0.0.1", "192.0.2.1", "192.0.2.1", "2001:db8::1", "fe80::1", "::1"}, []string{"192.0.2.1", "2001:db8::1"}},
		{"loopback alone", []string{"127.0.0.1", "::1", "127.0.0.1"}, []string{"127.0.0.1", "::1"}},
		{"nobody else can use it", []string{"fe80::1", "127.0.0.1"}, []string{"127.0.0.1"}},
	} {
		var all []net.Addr
		for _, ip := range tt.ips {
			all = append(all, address(ip))
		}
		lines, err := hostCandidates(all)
		if err != nil || len(lines) != len(tt.want) {
			t.Errorf("%s: %q, %v", tt.name, lines, err)
			continue
		}
		for i, line := range lines {
			if fields := strings.Fields(line); fields[1] != "1" || fields[4] != tt.want[i] {
				t.Errorf("%s: %q, want %s", tt.name, line, tt.want[i])
			}
		}
	}
}

func FuzzAnswer(f *testing.F) {
	for _, raw := range receiveOffers() {
		f.Add(raw)
	}
	a := answerer{fingerprint: fingerprintOf(nil), candidates: []string{"1 1 udp 2130706431 192.0.2.1 8081 typ host"}}
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := parseOffer(raw, clientReceives)
		if err != nil {
			return
		}
		var sections []answerSection
		for _, m := range o.description.MediaDescriptions {
			pt, rtx, has, err := payloadTypes(m)
			if err != nil {
				return
			}
			s := answerSection{track: "video", pt: pt, ssrc: 1}
			if has {
				s.rtxPT, s.rtxSSRC = rtx, 2
			}
			sections = append(sections, s)
		}
		answer, err := a.answer(o, newCredentials(), sections)
		if err != nil {
			t.Fatal(err)
		}
		var d sdp.SessionDescription
		if err := d.UnmarshalString(answer); err != nil {
			t.Fatalf("%v:\n%s", err, answer)
		}
		checkLayout(t, raw, o, &d)
	})
}

// checkLayout checks that an answer has a section for each of the offer, in its order,
// and that those which are not taken are no part of anything.
func checkLayout(t *testing.T, raw string, o *offer, d *sdp.SessionDescription) {
	t.Helper()
	var offered sdp.SessionDescription
	if err := offered.UnmarshalString(raw); err != nil {
		t.Fatal(err)
	}
	if len(d.MediaDescriptions) != len(offered.MediaDescriptions) || len(o.layout) != len(offered.MediaDescriptions) {
		t.Fatalf("%d sections for %d of the offer", len(d.MediaDescriptions), len(offered.MediaDescriptions))
	}
	taken := 0
	group, _ := d.Attribute("group")
	for i, m := range d.MediaDescriptions {
		mid, named := m.Attribute("mid")
		if want, ok := offered.MediaDescriptions[i].Attribute("mid"); mid != want || named != ok && want != "" {
			t.Errorf("section %d has the mid %q, want %q", i, mid, want)
		}
		if m.MediaName.Media != offered.MediaDescriptions[i].MediaName.Media || len(m.MediaName.Formats) == 0 {
			t.Errorf("section %d is %v", i, m.MediaName)
		}
		_, told := m.Attribute("candidate")
		if m.MediaName.Port.Value != 0 {
			if taken++; told != (taken == 1) {
				t.Errorf("section %d: candidates %v", i, told)
			}
			continue
		}
		_, hasTransport := m.Attribute("ice-ufrag")
		if o.layout[i] == nil || told || hasTransport || mid != "" && slices.Contains(strings.Fields(group)[min(1, len(strings.Fields(group))):], mid) {
			t.Errorf("section %d, which is not taken, is %+v, the group %q", i, m, group)
		}
	}
	if taken != len(o.media) {
		t.Errorf("%d sections are answered, %d taken", taken, len(o.media))
	}
}
