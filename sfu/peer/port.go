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

	"github.com/pion/dtls/v3"
	pionnet "github.com/pion/transport/v4"
	"github.com/pion/transport/v4/stdnet"
	"github.com/pion/webrtc/v4"

	"weir/sfu/media"
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
		demux:    newDemux(c.Conn),
		dtls:     dtlsOptions(tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, logs),
		answerer: sdp.Answerer{Fingerprint: sdp.FingerprintOf(der), Candidates: candidates},
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

// restart answers a client's ICE restart. kind and mid are of its first section.
func (p *Port) restart(c *client, f Fragment, kind media.Kind, mid string) (Fragment, error) {
	remote, err := f.Restart()
	if err != nil {
		return Fragment{}, err
	}
	select {
	case <-c.state.closed:
		return Fragment{}, ErrLost
	default:
	}
	local, err := c.restart(strings.Clone(remote.Ufrag))
	if err != nil {
		return Fragment{}, err
	}
	return p.answerer.Restart(kind, mid, local), nil
}

// Addr returns the address of the UDP socket.
func (p *Port) Addr() net.Addr { return p.conn.LocalAddr() }

// Run reads the socket, and hands what comes to the sessions, until Close, which is no
// error, or until ctx is done, whose cause it returns: then it has closed the socket.
// Sessions should have ended before. No session is connected before Run.
func (p *Port) Run(ctx context.Context) error { return p.demux.run(ctx) }

// Close closes the socket, which ends Run. Sessions must have ended before. Closing
// twice is fine.
func (p *Port) Close() error {
	if err := p.demux.close(); err != nil {
		return fmt.Errorf("peer: close: %w", err)
	}
	return nil
}

// PortStats is a snapshot of what a Port has done.
type PortStats struct {
	Dropped uint64 // datagrams of handshakes for which a session had no room: the client sends them again
}

// Stats returns a snapshot.
func (p *Port) Stats() PortStats { return PortStats{Dropped: p.demux.dropped.Load()} }
