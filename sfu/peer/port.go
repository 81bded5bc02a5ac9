package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
	"github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"
)

const (
	// connectTimeout is how long a session may take from its answer to media:
	// with what it takes to tear down, a session that never completes ICE is
	// gone within 12 s.
	connectTimeout = 10 * time.Second
	// A client that falls silent counts as disconnected after 5 s, which heals by
	// itself, and as lost 5 s later. Browsers send consent checks (RFC 7675)
	// about every 2.5 s.
	disconnectedTimeout = 5 * time.Second
	failedTimeout       = 5 * time.Second
	keepalive           = 2 * time.Second
	// nackInterval is how often a publisher is asked for what is missing: often
	// enough that a packet can be asked for several times within the window in
	// which it is of use.
	nackInterval = 20 * time.Millisecond
)

// Config configures a Port.
type Config struct {
	// Conn is the UDP socket of all sessions. The Port closes it.
	Conn net.PacketConn
	// Log takes what the WebRTC stack has to say. Default: discarded.
	Log *slog.Logger
	// Net replaces the operating system's network, for tests on a virtual one.
	Net transport.Net
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Conn == nil {
		return errors.New("peer: Conn is needed")
	}
	return nil
}

// Port answers offers. All sessions share its UDP socket and its certificate. It
// is safe for concurrent use.
type Port struct {
	mux           ice.UDPMux
	conn          net.PacketConn
	log           *slog.Logger
	publishers    *webrtc.API
	viewers       *webrtc.API
	configuration webrtc.Configuration
}

// New returns a port on c.Conn.
func New(c Config) (*Port, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	// One certificate for all sessions: making one costs as much as a handshake.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("peer: make a key: %w", err)
	}
	certificate, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return nil, fmt.Errorf("peer: make a certificate: %w", err)
	}
	logs := loggerFactory{c.Log}
	p := &Port{
		conn: c.Conn, log: c.Log,
		mux: ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: c.Conn, Logger: logs.NewLogger("udpmux"), Net: c.Net}),
		configuration: webrtc.Configuration{
			Certificates:  []webrtc.Certificate{*certificate},
			BundlePolicy:  webrtc.BundlePolicyMaxBundle,
			RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
		},
	}
	settings, err := p.settings(c, logs)
	if err != nil {
		return nil, err
	}
	if p.publishers, err = newAPI(settings, publisherInterceptors, publisherExtensions...); err != nil {
		return nil, err
	}
	// A viewer needs no interceptor: the hub's rings answer NACKs, and the viewer
	// makes its own sender reports.
	if p.viewers, err = newAPI(settings, nil); err != nil {
		return nil, err
	}
	return p, nil
}

// settings are the transport settings of all sessions.
func (p *Port) settings(c Config, logs loggerFactory) (webrtc.SettingEngine, error) {
	s := webrtc.SettingEngine{LoggerFactory: logs}
	s.SetLite(true)
	s.SetICEUDPMux(p.mux)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetIncludeLoopbackCandidate(isLoopback(c.Conn.LocalAddr()))
	s.SetICETimeouts(disconnectedTimeout, failedTimeout, keepalive)
	// AES-128-GCM costs a sixth of AES-CM with HMAC-SHA1 on common processors. The
	// DTLS server chooses, and browsers would choose AES-CM: so we are the server.
	if err := s.SetAnsweringDTLSRole(webrtc.DTLSRoleServer); err != nil {
		return s, fmt.Errorf("peer: %w", err)
	}
	// The cookie exchange protects from spoofed addresses, and costs a round trip:
	// DTLS is only taken from addresses that have passed ICE.
	s.SetDTLSInsecureSkipHelloVerify(true)
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	if c.Net != nil {
		s.SetNet(c.Net)
	}
	return s, nil
}

func isLoopback(a net.Addr) bool {
	udp, ok := a.(*net.UDPAddr)
	return ok && udp.IP.IsLoopback()
}

// newAPI returns a pion API with our codecs and interceptors only.
func newAPI(s webrtc.SettingEngine, interceptors func(*interceptor.Registry) error, extensions ...string) (*webrtc.API, error) {
	engine, err := newMediaEngine(extensions...)
	if err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	if interceptors != nil {
		if err := interceptors(registry); err != nil {
			return nil, err
		}
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(engine), webrtc.WithSettingEngine(s), webrtc.WithInterceptorRegistry(registry)), nil
}

// publisherInterceptors asks publishers for lost packets, tells them what came
// when (transport-wide feedback) and sends receiver reports.
func publisherInterceptors(r *interceptor.Registry) error {
	nacks, err := nack.NewGeneratorInterceptor(nack.GeneratorInterval(nackInterval))
	if err != nil {
		return fmt.Errorf("peer: NACK generator: %w", err)
	}
	feedback, err := twcc.NewSenderInterceptor()
	if err != nil {
		return fmt.Errorf("peer: transport-wide feedback: %w", err)
	}
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return fmt.Errorf("peer: receiver reports: %w", err)
	}
	r.Add(nacks)
	r.Add(feedback)
	r.Add(reports)
	return nil
}

// Addr returns the address of the UDP socket.
func (p *Port) Addr() net.Addr { return p.conn.LocalAddr() }

// Close closes the socket. Sessions must have ended before.
func (p *Port) Close() error {
	return errors.Join(p.mux.Close(), ignoreClosed(p.conn.Close()))
}

// ignoreClosed drops the error of closing what the mux may have closed already.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
