package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/logging"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
	"weir/sfu/udp"
)

// publisher is one WHIP session, a plain PeerConnection.
type publisher struct {
	// set once
	name         string
	pc           *webrtc.PeerConnection
	socket       *burst
	mux          ice.UDPMux                  // closes socket
	video, audio *webrtc.TrackLocalStaticRTP // audio may be nil
	session      *session
	connected    chan struct{} // closed when media can flow
	gone         chan struct{} // closed when it cannot any more
	once         [2]sync.Once  // for these
	reading      sync.WaitGroup

	wanted atomic.Bool                 // a keyframe was asked for
	left   [media.Video + 1]departures // of each kind
	sent   sentCounters
	window [media.Video + 1]numbers // of each kind; owned by the fleet's goroutine
}

// sentCounters are what a publisher sent, and was asked for.
type sentCounters struct {
	video, audio                        atomic.Int64 // packets
	frames, keyframes, requests, nacked atomic.Int64
}

// plus returns n with what was sent.
func (s *sentCounters) plus(n Sent) Sent {
	n.Packets += s.video.Load() + s.audio.Load()
	n.Frames += s.frames.Load()
	n.Keyframes += s.keyframes.Load()
	n.KeyframeRequests += s.requests.Load()
	n.Nacked += s.nacked.Load()
	return n
}

// publishing is what makes the connections of publishers: VP8, Opus,
// retransmission and sender reports.
type publishing struct {
	engine       *webrtc.MediaEngine
	interceptors *interceptor.Registry
}

func newPublishing() (*publishing, error) {
	engine := &webrtc.MediaEngine{}
	feedback := []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}
	err := errors.Join(
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: typeVP8, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeVP8, ClockRate: 90000, RTCPFeedback: feedback}}, webrtc.RTPCodecTypeVideo),
		engine.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: typeOpus, RTPCodecCapability: webrtc.RTPCodecCapability{
			MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1"}}, webrtc.RTPCodecTypeAudio))
	if err != nil {
		return nil, err
	}
	responder, err1 := nack.NewResponderInterceptor()
	reports, err2 := report.NewSenderInterceptor()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	registry.Add(responder)
	registry.Add(reports)
	return &publishing{engine, registry}, nil
}

// connection returns a connection over a mux.
func (p *publishing) connection(mux ice.UDPMux) (*webrtc.PeerConnection, error) {
	settings := webrtc.SettingEngine{}
	settings.SetICEUDPMux(mux)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	settings.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	settings.SetIncludeLoopbackCandidate(true)
	settings.LoggerFactory = quiet()
	return webrtc.NewAPI(webrtc.WithMediaEngine(p.engine), webrtc.WithInterceptorRegistry(p.interceptors), webrtc.WithSettingEngine(settings)).
		NewPeerConnection(webrtc.Configuration{BundlePolicy: webrtc.BundlePolicyMaxBundle})
}

// quiet keeps pion's log to itself: the report tells what counts.
func quiet() logging.LoggerFactory {
	f := logging.NewDefaultLoggerFactory()
	f.Writer = io.Discard
	return f
}

// newPublisher connects a publisher. On an error there is nothing to close.
func newPublisher(ctx context.Context, api *publishing, client *http.Client, c Config, name string) (*publisher, error) {
	conn, err := udp.Listen(ctx, "0.0.0.0:0")
	if err != nil {
		return nil, err
	}
	socket := newBurst(conn)
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: socket, Logger: quiet().NewLogger("ice")})
	pc, err := api.connection(mux)
	if err != nil {
		return nil, errors.Join(err, mux.Close())
	}
	p := &publisher{name: name, pc: pc, socket: socket, mux: mux, connected: make(chan struct{}), gone: make(chan struct{})}
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		switch s {
		case webrtc.PeerConnectionStateConnected:
			p.once[0].Do(func() { close(p.connected) })
		case webrtc.PeerConnectionStateFailed, webrtc.PeerConnectionStateClosed:
			p.once[1].Do(func() { close(p.gone) })
		}
	})
	if err := p.connect(ctx, client, c); err != nil {
		p.close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("publish %s: %w", name, err)
	}
	return p, nil
}

func (p *publisher) connect(ctx context.Context, client *http.Client, c Config) error {
	ctx, cancel := context.WithTimeout(ctx, joinTimeout)
	defer cancel()
	var err error
	if p.video, err = p.addTrack(webrtc.MimeTypeVP8, "video"); err != nil {
		return err
	}
	if c.AudioBitrate != 0 {
		if p.audio, err = p.addTrack(webrtc.MimeTypeOpus, "audio"); err != nil {
			return err
		}
	}
	offer, err := p.pc.CreateOffer(nil)
	if err != nil {
		return err
	}
	gathered := webrtc.GatheringCompletePromise(p.pc)
	if err := p.pc.SetLocalDescription(offer); err != nil {
		return err
	}
	select {
	case <-gathered:
	case <-ctx.Done():
		return errors.New("no candidates of our own")
	}
	named := strings.NewReplacer("{name}", p.name)
	var sdp string
	p.session, sdp, err = post(ctx, client, named.Replace(c.WHIP), named.Replace(c.Token), p.pc.LocalDescription().SDP)
	if err != nil {
		return err
	}
	if err := p.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: sdp}); err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	select {
	case <-p.connected:
		return nil
	case <-p.gone:
	case <-ctx.Done():
	}
	return errors.New("the connection was not made: does the answer name an address that is reached from here?")
}

func (p *publisher) addTrack(mime, id string) (*webrtc.TrackLocalStaticRTP, error) {
	t, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: mime}, id, "load")
	if err != nil {
		return nil, err
	}
	transceiver, err := p.pc.AddTransceiverFromTrack(t, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionSendonly})
	if err != nil {
		return nil, err
	}
	p.reading.Go(func() { p.readFeedback(transceiver.Sender()) })
	return t, nil
}

// readFeedback reads until the connection ends.
func (p *publisher) readFeedback(s *webrtc.RTPSender) {
	for {
		packets, _, err := s.ReadRTCP()
		if err != nil {
			return
		}
		for _, packet := range packets {
			switch packet := packet.(type) {
			case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
				p.sent.requests.Add(1)
				p.wanted.Store(true)
			case *rtcp.TransportLayerNack:
				for _, pair := range packet.Nacks {
					p.sent.nacked.Add(int64(len(pair.PacketList())))
				}
			}
		}
	}
}

// isGone reports whether the connection has been lost.
func (p *publisher) isGone() bool {
	select {
	case <-p.gone:
		return true
	default:
		return false
	}
}

// close ends the session and waits until nothing of the publisher runs.
func (p *publisher) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if p.session != nil {
		_ = p.session.end(ctx) // the connection's end says the same
	}
	_ = p.pc.GracefulClose()
	p.reading.Wait()
	_ = p.mux.Close()
}

// closeTimeout bounds the requests with which sessions are ended.
const closeTimeout = 10 * time.Second
