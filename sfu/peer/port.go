package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	network "github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"

	"weir/sfu/peer/sdp"
)

const (
	// defaultConnectTimeout: with what it takes to tear down, a session that never
	// completes ICE is gone within 12 s.
	defaultConnectTimeout = 10 * time.Second
	defaultMaxConnecting  = 500
	// defaultMediaTimeout: with what it takes to notice and to tear down, the session
	// of a publisher of which nothing can be used is gone within 10 s.
	defaultMediaTimeout = 8 * time.Second
	// A client that falls silent counts as disconnected after 5 s, which heals by
	// itself, and as lost 10 s later. Chromium sends consent checks (RFC 7675) about
	// every 2.5 s and Firefox every 5 to 6 s, and after a change of its address
	// nothing else comes through: two of them may be lost.
	disconnectedTimeout = 5 * time.Second
	failedTimeout       = 10 * time.Second
	keepalive           = 2 * time.Second
	// replayWindow is how far behind the newest packet one may come, in packets. A
	// client that has no retransmission stream sends a lost packet again under its
	// old number: with the usual window of 64 it would be dropped as a replay when
	// the round trip is longer than 0.1 s at 5 Mbit/s.
	replayWindow = 2048
)

// Config configures a Port.
type Config struct {
	// Conn is the UDP socket of all sessions. The Port closes it.
	Conn net.PacketConn
	// Log takes what the WebRTC stack has to say. Default: discarded.
	Log *slog.Logger
	// ConnectTimeout is how long a session may take from its answer to media.
	// Default 10 s.
	ConnectTimeout time.Duration
	// MediaTimeout is for how long a publisher may send packets none of which can be
	// used. Default 8 s.
	MediaTimeout time.Duration
	// MaxConnecting is how many sessions may be connecting at a time: a publisher's
	// holds some ten goroutines and 0.2 MiB until it is connected or given up. Default
	// 500.
	MaxConnecting int
	// Net replaces the operating system's network, for tests on a virtual one.
	Net network.Net
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Conn == nil {
		return errors.New("peer: Conn is needed")
	}
	if c.ConnectTimeout < 0 || c.MediaTimeout < 0 || c.MaxConnecting < 0 {
		return errors.New("peer: ConnectTimeout, MediaTimeout and MaxConnecting must not be negative")
	}
	return nil
}

// Port answers offers. All sessions share its UDP socket and its certificate. It
// is safe for concurrent use.
type Port struct {
	// set once
	mux            ice.UDPMux
	conn           net.PacketConn
	log            *slog.Logger
	publishers     api
	demux          *demux
	dtls           []dtls.Option // of handshakes with viewers
	answerer       sdp.Answerer
	configuration  webrtc.Configuration
	connectTimeout time.Duration
	mediaTimeout   time.Duration
	maxConnecting  int64

	connecting atomic.Int64 // sessions that are neither connected nor gone
}

// New returns a port on c.Conn.
func New(c Config) (*Port, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = defaultConnectTimeout
	}
	if c.MediaTimeout == 0 {
		c.MediaTimeout = defaultMediaTimeout
	}
	if c.MaxConnecting == 0 {
		c.MaxConnecting = defaultMaxConnecting
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
	der, err := derOf(certificate)
	if err != nil {
		return nil, err
	}
	logs := loggerFactory{c.Log}
	d := newDemux(c.Conn)
	mux := ice.NewUDPMuxDefault(ice.UDPMuxParams{UDPConn: d, Logger: logs.NewLogger("udpmux"), Net: c.Net})
	candidates, err := hostCandidates(mux.GetListenAddresses())
	if err != nil {
		return nil, errors.Join(err, mux.Close())
	}
	p := &Port{
		conn: c.Conn, log: c.Log, connectTimeout: c.ConnectTimeout, mediaTimeout: c.MediaTimeout, maxConnecting: int64(c.MaxConnecting),
		mux: mux, demux: d,
		dtls:     dtlsOptions(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, logs),
		answerer: sdp.Answerer{Fingerprint: sdp.FingerprintOf(der), Candidates: candidates},
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
	if p.publishers, err = newAPI(settings); err != nil {
		return nil, err
	}
	return p, nil
}

// derOf returns the certificate itself.
func derOf(c *webrtc.Certificate) ([]byte, error) {
	raw, err := c.PEM()
	if err != nil {
		return nil, fmt.Errorf("peer: read own certificate: %w", err)
	}
	block, _ := pem.Decode([]byte(raw))
	if block == nil {
		return nil, errors.New("peer: own certificate is no PEM")
	}
	return block.Bytes, nil
}

// settings are the transport settings of publishers' connections.
func (p *Port) settings(c Config, logs loggerFactory) (webrtc.SettingEngine, error) {
	s := webrtc.SettingEngine{LoggerFactory: logs}
	s.SetLite(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6})
	s.SetIncludeLoopbackCandidate(isLoopback(c.Conn.LocalAddr()))
	s.SetICETimeouts(0, 0, keepalive) // pion does not see the media: see ingress
	// The cookie exchange protects from spoofed addresses, and costs a round trip:
	// DTLS is only taken from addresses that have passed ICE.
	s.SetDTLSInsecureSkipHelloVerify(true)
	s.SetSRTPProtectionProfiles(srtpProfiles...)
	s.SetDTLSCipherSuites(cipherSuites...)
	if c.Net != nil {
		s.SetNet(c.Net)
	}
	return s, nil
}

func isLoopback(a net.Addr) bool {
	udp, ok := a.(*net.UDPAddr)
	return ok && udp.IP.IsLoopback()
}

// api is what the connections of all publishers have in common.
type api struct {
	engine   *webrtc.MediaEngine
	settings webrtc.SettingEngine
}

// newAPI returns an api with our codecs only, and without interceptors: what they do,
// an ingress has to see to.
func newAPI(s webrtc.SettingEngine) (api, error) {
	engine, err := newMediaEngine()
	if err != nil {
		return api{}, err
	}
	return api{engine, s}, nil
}

// newConnection returns a PeerConnection over a mux, the secrets of whose handshake
// are caught.
func (a api) newConnection(c webrtc.Configuration, mux ice.UDPMux, caught *secrets) (*webrtc.PeerConnection, error) {
	a.settings.SetICEUDPMux(mux)
	a.settings.SetDTLSKeyLogWriter(caught)
	a.settings.SetDTLSServerHelloMessageHook(caught.serverHello)
	return webrtc.NewAPI(webrtc.WithMediaEngine(a.engine), webrtc.WithSettingEngine(a.settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(c)
}

// Addr returns the address of the UDP socket.
func (p *Port) Addr() net.Addr { return p.conn.LocalAddr() }

// Close closes the socket, which the mux does. Sessions must have ended before.
func (p *Port) Close() error { return p.mux.Close() }
