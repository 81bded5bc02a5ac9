package peertest

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
)

// patience is how long a client waits for what must come: long enough that only
// a fault ends it.
const patience = 30 * time.Second

const (
	// nackInterval is how often a client asks for lost packets, as a browser does, and
	// maxNacks how often for one of them. Pion does not know what came in a
	// retransmission stream, asks for it until then, and reads one packet of that stream
	// for each packet of the track; beyond 50 that wait it drops them. At 10 % loss five
	// requests make half a packet for each, where the ten of a browser make a whole one.
	nackInterval = 20 * time.Millisecond
	maxNacks     = 5
	// replayWindow is a browser's, too: of a viewer that has no retransmission stream a
	// lost packet comes again under its old number, and must not be taken for a replay
	// when others came meanwhile.
	replayWindow = 1024
)

// Options are what a client offers.
type Options struct {
	// Net is the client's network. Default: loopback.
	Net transport.Net
	// NoRTX leaves retransmissions in a stream of their own out of the offer.
	NoRTX bool
	// Interceptors are added to those of every client: between the network and the
	// others, so that they see what these send.
	Interceptors []interceptor.Factory
}

// API makes clients. Making one costs more than a client.
type API struct{ api *webrtc.API }

// NewAPI returns an API whose clients offer what o says.
func NewAPI(tb testing.TB, o Options) *API {
	tb.Helper()
	engine := &webrtc.MediaEngine{}
	must(tb, registerCodecs(engine, o.NoRTX))
	settings := webrtc.SettingEngine{}
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetSRTPReplayProtectionWindow(replayWindow)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	if o.Net != nil {
		settings.SetNet(o.Net)
	} else {
		settings.SetIncludeLoopbackCandidate(true)
		settings.SetIPFilter(net.IP.IsLoopback)
	}
	registry := &interceptor.Registry{}
	for _, f := range o.Interceptors {
		registry.Add(f)
	}
	must(tb, registerInterceptors(engine, registry))
	return &API{webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(settings), webrtc.WithInterceptorRegistry(registry))}
}

// registerCodecs registers pion's default codecs, or VP8 and Opus alone.
func registerCodecs(engine *webrtc.MediaEngine, noRTX bool) error {
	if !noRTX {
		return engine.RegisterDefaultCodecs()
	}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "transport-cc"}}
	return errors.Join(
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 100, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback}}, webrtc.RTPCodecTypeVideo),
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: 101, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}}, webrtc.RTPCodecTypeAudio))
}

// registerInterceptors registers what pion registers by default, but that lost
// packets are asked for more often and outgoing packets carry transport-wide
// numbers.
func registerInterceptors(engine *webrtc.MediaEngine, registry *interceptor.Registry) error {
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, webrtc.RTPCodecTypeVideo)
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"}, webrtc.RTPCodecTypeVideo)
	engine.RegisterFeedback(webrtc.RTCPFeedback{Type: "nack"}, webrtc.RTPCodecTypeAudio)
	generator, err := nack.NewGeneratorInterceptor(nack.GeneratorInterval(nackInterval), nack.GeneratorMaxNacksPerPacket(maxNacks))
	if err != nil {
		return err
	}
	responder, err := nack.NewResponderInterceptor()
	if err != nil {
		return err
	}
	received, err := report.NewReceiverInterceptor()
	if err != nil {
		return err
	}
	sent, err := report.NewSenderInterceptor(report.SenderInterval(reportInterval))
	if err != nil {
		return err
	}
	for _, f := range []interceptor.Factory{generator, responder, received, sent} {
		registry.Add(f)
	}
	return errors.Join(webrtc.ConfigureTWCCHeaderExtensionSender(engine, registry),
		webrtc.ConfigureSimulcastExtensionHeaders(engine))
}

// Client is one PeerConnection.
type Client struct {
	PC *webrtc.PeerConnection

	connected chan struct{} // closed when ICE and DTLS are through
	gone      chan struct{} // closed when the connection failed or was closed
	nominated chan struct{} // closed when ICE is through
	hurry     sync.WaitGroup
}

// NewClient returns a client that has offered nothing yet. The test's end closes
// it.
func (a *API) NewClient(tb testing.TB) *Client {
	tb.Helper()
	pc, err := a.api.NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
	must(tb, err)
	c := &Client{PC: pc, connected: make(chan struct{}), gone: make(chan struct{}), nominated: make(chan struct{})}
	pc.OnICEConnectionStateChange(func(s webrtc.ICEConnectionState) {
		if s == webrtc.ICEConnectionStateConnected {
			closeOnce(c.nominated)
		}
	})
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			closeOnce(c.connected)
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			closeOnce(c.gone)
		}
	})
	tb.Cleanup(func() { c.Close() })
	return c
}

// closeOnce closes c. Pion calls a state handler one call at a time.
func closeOnce(c chan struct{}) {
	select {
	case <-c:
	default:
		close(c)
	}
}

// Offer returns an offer with all candidates.
func (c *Client) Offer(tb testing.TB) string {
	tb.Helper()
	return c.offer(tb, nil)
}

func (c *Client) offer(tb testing.TB, o *webrtc.OfferOptions) string {
	tb.Helper()
	offer, err := c.PC.CreateOffer(o)
	must(tb, err)
	gathered := webrtc.GatheringCompletePromise(c.PC)
	must(tb, c.PC.SetLocalDescription(offer))
	wait(tb, gathered, "candidates")
	return c.PC.LocalDescription().SDP
}

// Answer takes in the server's answer.
func (c *Client) Answer(tb testing.TB, sdp string) {
	tb.Helper()
	must(tb, c.PC.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}))
	c.hurry.Go(func() { c.nominate() })
}

// nominate makes pion choose its path as soon as a first check was answered, as
// browsers do when the server is an ICE-lite agent. By itself it does so at its next
// round of checks, 200 ms later; a further candidate makes it start a round. The
// candidates are of port 9 (discard) and above, where no server answers.
func (c *Client) nominate() {
	for i := range uint16(6) {
		select {
		case <-c.nominated:
			return
		case <-c.gone:
			return
		case <-time.After(time.Millisecond << i):
		}
		candidate := fmt.Sprintf("candidate:9 1 udp 1 127.0.0.1 %d typ host", 9+i)
		// An error means that the client is being closed.
		_ = c.PC.AddICECandidate(webrtc.ICECandidateInit{Candidate: candidate, SDPMid: new("0")})
	}
}

// AwaitConnected waits until media can flow.
func (c *Client) AwaitConnected(tb testing.TB) {
	tb.Helper()
	wait(tb, c.connected, "the connection")
}

// Connected is closed when media can flow.
func (c *Client) Connected() <-chan struct{} { return c.connected }

// AwaitGone waits until the server has ended the connection.
func (c *Client) AwaitGone(tb testing.TB) {
	tb.Helper()
	wait(tb, c.gone, "the connection's end")
}

// Close ends the connection and waits until nothing of the client runs.
func (c *Client) Close() error {
	err := c.PC.GracefulClose()
	c.hurry.Wait()
	return err
}

func kindOf(codec media.Codec) webrtc.RTPCodecType {
	if codec.Kind() == media.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// mimes are the codecs that clients know, video in front.
var mimes = []struct {
	codec media.Codec
	mime  string
}{
	{media.VP8, webrtc.MimeTypeVP8}, {media.VP9, webrtc.MimeTypeVP9}, {media.AV1, webrtc.MimeTypeAV1},
	{media.H264, webrtc.MimeTypeH264}, {media.Opus, webrtc.MimeTypeOpus},
}

func codecOf(mime string) (media.Codec, bool) {
	for _, m := range mimes {
		if m.mime == mime {
			return m.codec, true
		}
	}
	return 0, false
}

func mimeOf(c media.Codec) string {
	for _, m := range mimes {
		if m.codec == c {
			return m.mime
		}
	}
	panic("peertest: unknown codec")
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

func wait(tb testing.TB, c <-chan struct{}, what string) {
	tb.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		tb.Fatalf("%s did not come", what)
	}
}
