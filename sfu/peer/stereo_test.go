package peer

import (
	"strings"
	"testing"

	"weir/sfu"
)

// TestStereo: a publisher that has two channels is asked for them, and a viewer is told
// of them; nobody is told of channels that are not there.
func TestStereo(t *testing.T) {
	p := loopbackPort(t)
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, offers      string
		asked, has, wants bool
	}{
		{"Chromium's own", "minptime=10;useinbandfec=1", false, false, false},
		{"weir's page", "minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1", true, true, true},
		{"one that only says what it sends", "sprop-stereo=1; minptime=10", true, true, false},
		{"one that only says what it takes", "stereo=1", true, false, true},
		{"GStreamer with one channel", "sprop-stereo=0;sprop-maxcapturerate=48000", false, false, false},
	} {
		offered := func(direction string) string {
			return session0 + strings.Replace(audioSection("0", direction), "minptime=10;useinbandfec=1", tt.offers, 1) + videoSection("1", direction)
		}
		pub, err := hub.Publish("s", sfu.PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		source, answer, err := p.NewPublisher(t.Context(), offered("sendonly"), pub)
		if err != nil {
			t.Fatal(err)
		}
		if parameters := fmtpOf(answer); strings.Contains(";"+parameters, ";stereo=1") != tt.asked {
			t.Errorf("%s: the publisher is answered %q", tt.name, parameters)
		}
		sub, err := hub.Subscribe("s")
		if err != nil {
			t.Fatal(err)
		}
		tracks, err := sub.Tracks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		viewer, answer, err := p.NewViewer(t.Context(), strings.ReplaceAll(offered("recvonly"), "sprop-stereo=1", "x=1"), tracks)
		if err != nil {
			t.Fatal(err)
		}
		parameters := fmtpOf(answer)
		if strings.Contains(parameters, "sprop-stereo=1") != tt.has || strings.Contains(";"+parameters, ";stereo=1") != tt.wants {
			t.Errorf("%s: a viewer is answered %q", tt.name, parameters)
		}
		viewer.Close()
		sub.Close()
		source.Close()
		pub.Close()
	}
}

// fmtpOf returns the parameters of Opus in an SDP.
func fmtpOf(sdp string) string {
	_, rest, _ := strings.Cut(sdp, "a=fmtp:111 ")
	parameters, _, _ := strings.Cut(rest, "\r")
	return parameters
}
