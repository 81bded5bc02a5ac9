package peer

import (
	"net"
	"strings"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/sfu/peer/sdp"
)

// Offers of browsers, in parts.
var audioSection, videoSection = peertest.AudioSection, peertest.VideoSection

const (
	session0 = peertest.Session
)

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
	var infos []media.TrackInfo
	for _, c := range codecs {
		infos = append(infos, media.TrackInfo{ID: c.Kind().String(), Codec: c})
	}
	if _, err := pub.AddTracks(sfu.Packets, infos...); err != nil {
		t.Fatal(err)
	}
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
	peertest.Serve(t, p)
	return p
}

// TestAnswerWithoutTrack: a section that the stream has nothing for is answered
// so, and one of a kind that it has is not.
func TestAnswerWithoutTrack(t *testing.T) {
	p := loopbackPort(t)
	v, answer, err := p.NewViewer(t.Context(), peertest.ReceiveOffers()["Chromium"], liveTracks(t, media.Opus))
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if strings.Count(answer, "a=inactive") != 1 || strings.Count(answer, "a=sendonly") != 1 || strings.Contains(answer, "weir video") {
		t.Errorf("the answer is\n%s", answer)
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
				if _, err := source.Restart(t.Context(), restartFragment(t)); err != nil {
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

// restartFragment is what a client sends to restart ICE.
func restartFragment(t *testing.T) Fragment {
	t.Helper()
	c := sdp.NewCredentials()
	f, err := ParseFragment("a=ice-ufrag:" + c.Ufrag + "\r\na=ice-pwd:" + c.Pwd + "\r\n")
	if err != nil {
		t.Fatal(err)
	}
	return f
}
