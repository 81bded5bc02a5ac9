package peer

import (
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
)

// pionsAnswer is what a PeerConnection answers that sends both tracks.
func pionsAnswer(t *testing.T, p *Port, o *offer) string {
	t.Helper()
	var settings webrtc.SettingEngine
	settings.SetLite(true)
	settings.SetICEUDPMux(p.mux)
	settings.SetIncludeLoopbackCandidate(true)
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		t.Fatal(err)
	}
	a, err := newAPI(settings)
	if err != nil {
		t.Fatal(err)
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(a.engine), webrtc.WithSettingEngine(a.settings)).NewPeerConnection(p.configuration)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for _, mime := range []string{webrtc.MimeTypeVP8, webrtc.MimeTypeOpus} {
		id := "video"
		if mime == webrtc.MimeTypeOpus {
			id = "audio"
		}
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, mediaStream)
		if err != nil {
			t.Fatal(err)
		}
		if id == "audio" && len(o.media) == 1 && o.media[0].codec != media.Opus {
			continue
		}
		if id == "video" && len(o.media) == 1 && o.media[0].codec == media.Opus {
			continue
		}
		if _, err := pc.AddTrack(track); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := o.String()
	if err != nil {
		t.Fatal(err)
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: raw}); err != nil {
		t.Fatalf("%v:\n%s", err, raw)
	}
	answer, err := pc.CreateAnswer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(answer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return pc.LocalDescription().SDP
}

// comparable returns the attributes of a section or a session, without what
// differs from one answer to the next, and in order.
func comparable(attributes []sdp.Attribute) []string {
	var lines []string
	for _, a := range attributes {
		value := a.Value
		switch a.Key {
		case "ice-ufrag", "ice-pwd":
			value = "*"
		case "ssrc", "ssrc-group":
			fields := strings.Fields(value)
			for i, f := range fields {
				if strings.Trim(f, "0123456789") == "" {
					fields[i] = "*"
				}
			}
			value = strings.Join(fields, " ")
			// Of a plan for SDP that nobody follows any more.
			if strings.Contains(value, "mslabel:") || strings.Contains(value, " label:") {
				continue
			}
		case "candidate":
			// Pion has each a second time, for a component that rtcp-mux does without, and
			// with an extension that names the ICE session.
			value, _, _ = strings.Cut(value, " ufrag ")
			if strings.Fields(value)[1] == "2" {
				continue
			}
		case "extmap-allow-mixed": // there are no extensions
			continue
		case "rtcp-fb":
			if strings.HasSuffix(value, "transport-cc") {
				continue
			}
		case "rtcp-rsize": // pion says it whether it was offered or not
			continue
		}
		lines = append(lines, a.Key+":"+value)
	}
	slices.Sort(lines)
	return lines
}

// TestAnswerIsPions: our answers say what those of a PeerConnection say.
func TestAnswerIsPions(t *testing.T) {
	p := loopbackPort(t)
	tracks := liveTracks(t, media.VP8, media.Opus)
	for name, raw := range receiveOffers() {
		v, ours, err := p.NewViewer(t.Context(), raw, tracks)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v.Close()
		o, err := parseOffer(raw, clientReceives, media.TrackInfo{Codec: media.VP8}, media.TrackInfo{Codec: media.Opus})
		if err != nil {
			t.Fatal(err)
		}
		theirs := pionsAnswer(t, p, o)
		var a, b sdp.SessionDescription
		if err := a.UnmarshalString(ours); err != nil {
			t.Fatalf("%s: %v:\n%s", name, err, ours)
		}
		if err := b.UnmarshalString(theirs); err != nil {
			t.Fatal(err)
		}
		compareAttributes(t, name+", session", a.Attributes, b.Attributes)
		if len(a.MediaDescriptions) != len(b.MediaDescriptions) {
			t.Errorf("%s: %d sections, pion has %d", name, len(a.MediaDescriptions), len(b.MediaDescriptions))
			continue
		}
		for i, m := range a.MediaDescriptions {
			if got, want := m.MediaName.String(), b.MediaDescriptions[i].MediaName.String(); got != want {
				t.Errorf("%s: m=%s, pion has m=%s", name, got, want)
			}
			compareAttributes(t, name+", "+m.MediaName.Media, m.Attributes, b.MediaDescriptions[i].Attributes)
		}
		if strings.Contains(ours, "rtcp-rsize") != strings.Contains(raw, "rtcp-rsize") {
			t.Errorf("%s: reduced-size RTCP is not answered as offered", name)
		}
	}
}

func compareAttributes(t *testing.T, where string, ours, theirs []sdp.Attribute) {
	t.Helper()
	got, want := comparable(ours), comparable(theirs)
	for _, line := range got {
		if !slices.Contains(want, line) {
			t.Errorf("%s: a=%s is ours alone", where, line)
		}
	}
	for _, line := range want {
		if !slices.Contains(got, line) {
			t.Errorf("%s: a=%s is pion's alone", where, line)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d lines, pion has %d", where, len(got), len(want))
	}
}
