package peer

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"time"

	pionnet "github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

const (
	// defaultConnectTimeout: with what it takes to tear down, a session that never
	// completes ICE is gone within 12 s.
	defaultConnectTimeout = 10 * time.Second
	defaultMaxConnecting  = 500
	// defaultMediaTimeout: with what it takes to notice and to tear down, the session
	// of a publisher of which nothing can be used is gone within 10 s.
	defaultMediaTimeout = 8 * time.Second
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
	Net pionnet.Net
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
	conn           net.PacketConn
	log            *slog.Logger
	publishers     api
	demux          *transport.Demux
	handshakes     transport.Handshakes // with viewers
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
	if c.Net == nil {
		if c.Net, err = stdnet.NewNet(); err != nil {
			return nil, fmt.Errorf("peer: %w", err)
		}
	}
	addresses, err := listenAddresses(c.Conn.LocalAddr(), c.Net)
	if err != nil {
		return nil, err
	}
	candidates, err := hostCandidates(addresses)
	if err != nil {
		return nil, err
	}
	p := &Port{
		conn: c.Conn, log: c.Log, connectTimeout: c.ConnectTimeout, mediaTimeout: c.MediaTimeout, maxConnecting: int64(c.MaxConnecting),
		demux:      transport.NewDemux(c.Conn),
		handshakes: transport.NewHandshakes(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, logs),
		answerer:   sdp.Answerer{Fingerprint: sdp.FingerprintOf(der), Candidates: candidates},
		configuration: webrtc.Configuration{
			Certificates:  []webrtc.Certificate{*certificate},
			BundlePolicy:  webrtc.BundlePolicyMaxBundle,
			RTCPMuxPolicy: webrtc.RTCPMuxPolicyRequire,
		},
	}
	if p.publishers, err = newAPI(logs, c.Net); err != nil {
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

// newState returns the state of a client that is connecting, or ErrBusy.
func (p *Port) newState() (*transport.ConnectionState, error) {
	if p.connecting.Add(1) > p.maxConnecting {
		p.connecting.Add(-1)
		return nil, ErrBusy
	}
	return transport.NewConnectionState(func() { p.connecting.Add(-1) }), nil
}

// causeOf returns why a client is closed.
func causeOf(c *transport.Client) error {
	if c.State().Failed() {
		return ErrLost
	}
	return ErrClosed
}

// restart answers a client's ICE restart. kind and mid are of its first section.
func (p *Port) restart(c *transport.Client, f Fragment, kind media.Kind, mid string) (Fragment, error) {
	remote, err := f.Restart()
	if err != nil {
		return Fragment{}, err
	}
	select {
	case <-c.State().Closed():
		return Fragment{}, ErrLost
	default:
	}
	local, err := c.Restart(strings.Clone(remote.Ufrag))
	if err != nil {
		return Fragment{}, ErrLost
	}
	return p.answerer.Restart(kind, mid, local), nil
}

// Addr returns the address of the UDP socket.
func (p *Port) Addr() net.Addr { return p.conn.LocalAddr() }

// Run reads the socket, and hands what comes to the sessions, until Close, which is no
// error, or until ctx is done, whose cause it returns: then it has closed the socket.
// Sessions should have ended before. No session is connected before Run.
func (p *Port) Run(ctx context.Context) error { return p.demux.Run(ctx) }

// Close closes the socket, which ends Run. Sessions must have ended before. Closing
// twice is fine.
func (p *Port) Close() error {
	if err := p.demux.Close(); err != nil {
		return fmt.Errorf("peer: close: %w", err)
	}
	return nil
}

// PortStats is a snapshot of what a Port has done.
type PortStats struct {
	Dropped uint64 // datagrams of handshakes for which a session had no room: the client sends them again
}

// Stats returns a snapshot.
func (p *Port) Stats() PortStats { return PortStats{Dropped: p.demux.Dropped()} }
