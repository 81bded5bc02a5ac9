package peer

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu/peer/peertest"
	"weir/sfu/peer/transport"
)

// TestProfiles: clients that have but one way to encrypt are served by it.
func TestProfiles(t *testing.T) {
	for _, p := range transport.SRTPProfiles {
		hub := aStream(t)
		sub, err := hub.Subscribe("s")
		if err != nil {
			t.Fatal(err)
		}
		tracks, err := sub.Tracks(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		port, err := New(Config{Conn: conn})
		if err != nil {
			t.Fatal(err)
		}
		stop := peertest.Serve(t, port)
		pc := clientOf(t, p)
		got := make(chan struct{}, 1)
		pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
			for range 50 {
				if _, _, err := track.ReadRTP(); err != nil {
					return
				}
			}
			got <- struct{}{}
		})
		offer, err := pc.CreateOffer(nil)
		if err != nil {
			t.Fatal(err)
		}
		gathered := webrtc.GatheringCompletePromise(pc)
		if err := pc.SetLocalDescription(offer); err != nil {
			t.Fatal(err)
		}
		<-gathered
		v, answer, err := port.NewViewer(t.Context(), pc.LocalDescription().SDP, tracks)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); v.Run(ctx, sub) }()
		if err := pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
			t.Fatal(err)
		}
		select {
		case <-got:
		case <-time.After(30 * time.Second):
			t.Errorf("%v: no packets", p)
		}
		pc.GracefulClose()
		cancel()
		<-done
		sub.Close()
		stop()
	}
}

// clientOf returns a client with one SRTP profile.
func clientOf(t *testing.T, p dtls.SRTPProtectionProfile) *webrtc.PeerConnection {
	t.Helper()
	var engine webrtc.MediaEngine
	if err := engine.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	var settings webrtc.SettingEngine
	settings.SetIncludeLoopbackCandidate(true)
	settings.SetIPFilter(net.IP.IsLoopback)
	settings.SetSRTPProtectionProfiles(p)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(&engine), webrtc.WithSettingEngine(settings)).NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	return pc
}
