package peer

import (
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/pion/ice/v4"
	pion "github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
	"weir/sfu/peer/sdp"
)

// pionsAnswer is what a PeerConnection answers to an offer. It sends these codecs.
func pionsAnswer(t *testing.T, p *Port, offer string, sent ...media.Codec) string {
	t.Helper()
	var settings webrtc.SettingEngine
	settings.SetLite(true)
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: addressOnly{newWire(), p.Addr()}})
	defer mux.Close()
	settings.SetICEUDPMux(mux)
	settings.SetIncludeLoopbackCandidate(true)
	if err := settings.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		t.Fatal(err)
	}
	engine, err := newMediaEngine()
	if err != nil {
		t.Fatal(err)
	}
	if len(sent) == 0 {
		for _, uri := range []string{pion.SDESMidURI, pion.SDESRTPStreamIDURI, pion.SDESRepairRTPStreamIDURI, pion.TransportCCURI} {
			for _, kind := range []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo, webrtc.RTPCodecTypeAudio} {
				if err := engine.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: uri}, kind); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings)).NewPeerConnection(p.configuration)
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	for _, c := range sent {
		mime := map[media.Codec]string{media.VP8: webrtc.MimeTypeVP8, media.Opus: webrtc.MimeTypeOpus}[c]
		track, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, c.Kind().String(), sdp.MediaStream)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := pc.AddTrack(track); err != nil {
			t.Fatal(err)
		}
	}
	if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeOffer, SDP: offer}); err != nil {
		t.Fatalf("%v:\n%s", err, offer)
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

// addressOnly is a socket that nothing comes to, with an address.
type addressOnly struct {
	net.PacketConn
	at net.Addr
}

func (a addressOnly) LocalAddr() net.Addr { return a.at }

// comparable returns the attributes of a section or a session, without what
// differs from one answer to the next, and in order.
func comparable(attributes []pion.Attribute, sent bool) []string {
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
		case "extmap-allow-mixed":
			if sent { // there are no extensions
				continue
			}
		case "rtcp-fb":
			if sent && strings.HasSuffix(value, "transport-cc") {
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

// TestAnswerIsPions: our answers to viewers say what those of a PeerConnection say.
func TestAnswerIsPions(t *testing.T) {
	p := loopbackPort(t)
	tracks := liveTracks(t, media.VP8, media.Opus)
	for name, raw := range peertest.ReceiveOffers() {
		v, ours, err := p.NewViewer(t.Context(), raw, tracks)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v.Close()
		o, err := sdp.Parse(raw, sdp.ClientReceives, media.TrackInfo{Codec: media.VP8}, media.TrackInfo{Codec: media.Opus})
		if err != nil {
			t.Fatal(err)
		}
		narrowed, err := o.ForConnection()
		if err != nil {
			t.Fatal(err)
		}
		var sent []media.Codec
		for _, m := range o.Media {
			sent = append(sent, m.Codec)
		}
		compareAnswers(t, name, ours, pionsAnswer(t, p, narrowed, sent...), true)
		if strings.Contains(ours, "rtcp-rsize") != strings.Contains(raw, "rtcp-rsize") {
			t.Errorf("%s: reduced-size RTCP is not answered as offered", name)
		}
	}
}

// TestPublishersAnswerIsPions: and so do those to publishers.
func TestPublishersAnswerIsPions(t *testing.T) {
	const extensions = "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\n" +
		"a=extmap:11 urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id\r\na=extmap:2 http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time\r\n" +
		"a=extmap:3/sendonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
	const layers = "a=rid:h send\r\na=rid:m send\r\na=rid:l send\r\na=simulcast:send h;m;l\r\n"
	video := strings.NewReplacer(" 96 97 102", " 96 97", "a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1\r\n", "",
		"96 nack pli\r\n", "96 nack pli\r\na=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\n").Replace(videoSection("1", "sendonly"))
	gstreamer, err := os.ReadFile("sdp/testdata/gstreamer-publish.sdp")
	if err != nil {
		t.Fatal(err)
	}
	p := loopbackPort(t)
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for name, raw := range map[string]string{
		"plain":     session0 + audioSection("0", "sendonly") + video,
		"numbered":  session0 + audioSection("0", "sendonly") + extensions + video + extensions,
		"layers":    session0 + audioSection("0", "sendonly") + extensions + video + extensions + layers,
		"one":       strings.Replace(session0, "0 1", "1", 1) + video + extensions,
		"GStreamer": string(gstreamer),
		"both ways": session0 + strings.ReplaceAll(audioSection("0", "sendrecv")+video+extensions, "sendonly", "sendrecv"),
	} {
		pub, err := hub.Publish("s", sfu.PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		source, ours, err := p.NewPublisher(t.Context(), raw, pub)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		source.Close()
		pub.Close()
		compareAnswers(t, name, ours, pionsAnswer(t, p, raw), false)
	}
}

// compareAnswers compares our answer with that of pion, to a client that is sent media,
// or sends some.
func compareAnswers(t *testing.T, name, ours, theirs string, sent bool) {
	t.Helper()
	var a, b pion.SessionDescription
	if err := a.UnmarshalString(ours); err != nil {
		t.Fatalf("%s: %v:\n%s", name, err, ours)
	}
	if err := b.UnmarshalString(theirs); err != nil {
		t.Fatal(err)
	}
	compareAttributes(t, name+", session", a.Attributes, b.Attributes, sent)
	if len(a.MediaDescriptions) != len(b.MediaDescriptions) {
		t.Errorf("%s: %d sections, pion has %d", name, len(a.MediaDescriptions), len(b.MediaDescriptions))
		return
	}
	for i, m := range a.MediaDescriptions {
		if got, want := m.MediaName.String(), b.MediaDescriptions[i].MediaName.String(); got != want {
			t.Errorf("%s: m=%s, pion has m=%s", name, got, want)
		}
		compareAttributes(t, name+", "+m.MediaName.Media, m.Attributes, b.MediaDescriptions[i].Attributes, sent)
	}
}

func compareAttributes(t *testing.T, where string, ours, theirs []pion.Attribute, sent bool) {
	t.Helper()
	got, want := comparable(ours, sent), comparable(theirs, sent)
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
