package peer_test

import (
	"strings"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/sdp/v3"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

// TestBandwidthFeedback: a publisher is told when each of its packets came, which
// is what it estimates its bandwidth from; without that a browser stays at its
// initial rate.
func TestBandwidthFeedback(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	b := small()
	_, sender := s.broadcast(t, "a", peertest.NewAPI(t, peertest.Options{NoRTX: true}), b)
	answer := sender.PC.RemoteDescription().SDP
	for _, want := range []string{sdp.TransportCCURI, "a=rtcp-fb:100 transport-cc", "a=rtcp-fb:100 nack pli", "a=recvonly", "a=ice-lite", "a=rtcp-mux"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer lacks %q:\n%s", want, answer)
		}
	}
	if strings.Contains(answer, "a=sendrecv") || strings.Contains(answer, "a=sendonly") {
		t.Errorf("the answer to a publisher sends:\n%s", answer)
	}
	eventually(t, "transport-wide feedback", func() bool { return b.Video.Feedback.Load()+b.Audio.Feedback.Load() > 5 })
}

// TestSendrecvOffer: clients that leave the direction at its default get the
// answer of their part.
func TestSendrecvOffer(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.broadcast(t, "a", api, small())
	sub, err := s.hub.Subscribe("a")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := api.NewClient(t)
	c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: {}, media.Opus: {}})
	offer := strings.ReplaceAll(c.Offer(t), "a=recvonly", "a=sendrecv")
	viewer, answer, err := s.port.NewViewer(t.Context(), offer, tracks)
	if err != nil {
		t.Fatal(err)
	}
	defer viewer.Close()
	if strings.Count(answer, "a=sendonly") != 2 {
		t.Errorf("the answer to a viewer is\n%s", answer)
	}
}

// TestBadFeedback: what a viewer sends that is not RTCP, or asks for what never
// was, disturbs nobody.
func TestBadFeedback(t *testing.T) {
	s := newServer(t, nil, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{})
	s.broadcast(t, "a", api, small())
	video := newInbox(media.VP8)
	c := api.NewClient(t)
	c.Receive(t, map[media.Codec]peertest.Incoming{media.VP8: video.incoming()})
	run := s.view(t, "a", c)
	video.next(t)
	ssrc := uint32(receiverOf(c).Track().SSRC())
	// Transport-layer feedback of a format that there is not.
	broken := rtcp.RawPacket{0x9f, 205, 0, 2, 0, 0, 0, 1, byte(ssrc >> 24), byte(ssrc >> 16), byte(ssrc >> 8), byte(ssrc)}
	var everything []rtcp.NackPair
	for id := range uint32(1 << 12) {
		everything = append(everything, rtcp.NackPair{PacketID: uint16(id * 16), LostPackets: 0xffff})
	}
	for range 20 {
		for _, p := range []rtcp.Packet{
			&broken,
			&rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: everything[:200]},
			&rtcp.TransportLayerNack{MediaSSRC: ssrc + 1, Nacks: everything[:10]},
		} {
			if err := c.PC.WriteRTCP([]rtcp.Packet{p}); err != nil {
				t.Fatal(err)
			}
		}
		video.unbroken(t, 3)
	}
	// The reader of feedback has survived: a request is still answered.
	before := run.viewer.Stats()
	if before.Missing == 0 {
		t.Errorf("requests for what never was are not counted: %+v", before)
	}
	eventually(t, "an answer to a request", func() bool {
		for len(video.packets) > 1 {
			<-video.packets
		}
		p := receive(t, video.packets, "packet")
		if err := c.PC.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: ssrc,
			Nacks: []rtcp.NackPair{{PacketID: p.SequenceNumber}}}}); err != nil {
			t.Fatal(err)
		}
		return run.viewer.Stats().Resent > before.Resent
	})
}

func receiverOf(c *peertest.Client) *webrtc.RTPReceiver { return c.PC.GetReceivers()[0] }
