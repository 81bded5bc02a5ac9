package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"
	"github.com/pion/srtp/v3"
	"github.com/pion/transport/v4/deadline"

	"weir/sfu/peer/sdp"
)

// dtlsOptions are what all handshakes with viewers have in common.
func dtlsOptions(certificate tls.Certificate, logs logging.LoggerFactory) []dtls.Option {
	return []dtls.Option{
		dtls.WithCertificates(certificate),
		dtls.WithLoggerFactory(logs),
		dtls.WithCipherSuites(cipherSuites...),
		dtls.WithSRTPProtectionProfiles(srtpProfiles...),
		// Certificates are their own authorities: the fingerprint is what counts.
		dtls.WithInsecureSkipVerify(true),
	}
}

// dtlsServerOptions are what is added to them where we are the server.
func dtlsServerOptions(known *secrets) []dtls.ServerOption {
	return []dtls.ServerOption{
		dtls.WithServerHelloMessageHook(known.serverHello),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		// The cookie exchange protects from spoofed addresses, and costs a round trip:
		// DTLS is only taken from addresses that have passed ICE.
		dtls.WithInsecureSkipVerifyHello(true),
	}
}

// link is the DTLS association of a viewer. Its connection, with three goroutines
// and some 20 KiB, lives only until the client has shown that it has got our last
// flight: as long as it may be lost, it may have to be sent again (RFC 6347
// section 4.2.4). What may come later, an alert, needs the keys alone.
type link struct {
	conn *dtls.Conn
	pipe *pipe
}

// handshake is our side of a handshake. It begins with the records in first, if we
// are the server; otherwise we begin, and first is nil. It returns the keys. An error
// that is sdp.ErrFingerprint says who the client is not; others may be anybody's fault.
func (l *link) handshake(ctx context.Context, options []dtls.Option, t *transport, first []byte) (*secured, error) {
	known := &secrets{}
	mismatch := false
	options = append(slices.Clip(options),
		dtls.WithVerifyPeerCertificate(func(chain [][]byte, _ [][]*x509.Certificate) error {
			err := sdp.CheckCertificate(t.offered, chain)
			mismatch = mismatch || err != nil
			return err
		}),
		dtls.WithKeyLogWriter(known))
	l.pipe = newPipe(t, first)
	if err := l.open(t.role, options, known); err != nil {
		return nil, fmt.Errorf("peer: DTLS: %w", err)
	}
	keys, err := l.establish(ctx, t.role, known)
	if err != nil {
		l.drop()
		if mismatch {
			return nil, sdp.ErrFingerprint
		}
		return nil, err
	}
	return keys, nil
}

// open makes the connection of a handshake.
func (l *link) open(role sdp.Role, shared []dtls.Option, known *secrets) (err error) {
	if role == sdp.Client {
		l.pipe.greeting = &greeting{known: known}
		var options []dtls.ClientOption
		for _, o := range shared {
			options = append(options, o)
		}
		l.conn, err = dtls.ClientWithOptions(l.pipe, l.pipe.LocalAddr(), options...)
		return err
	}
	options := dtlsServerOptions(known)
	for _, o := range shared {
		options = append(options, o)
	}
	l.conn, err = dtls.ServerWithOptions(l.pipe, l.pipe.LocalAddr(), options...)
	return err
}

func (l *link) establish(ctx context.Context, role sdp.Role, known *secrets) (*secured, error) {
	if err := l.conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("peer: DTLS: %w", err)
	}
	profile, ok := l.conn.SelectedSRTPProtectionProfile()
	if !ok {
		return nil, errors.New("peer: DTLS: the client takes none of our SRTP profiles")
	}
	state, ok := l.conn.ConnectionState()
	if !ok {
		return nil, errors.New("peer: DTLS: no state after a handshake")
	}
	alerts, err := newAlertKeys(role, known.master, known.clientRandom, known.serverRandom)
	if err != nil {
		return nil, err
	}
	return newSecured(srtp.ProtectionProfile(profile), &state, alerts)
}

// drop gives up the connection, without a word to the client.
func (l *link) drop() {
	if l.conn == nil {
		return
	}
	_ = l.pipe.Close() // first, so that the connection cannot say goodbye
	_ = l.conn.Close() // its error says that it could not
	l.conn, l.pipe = nil, nil
}

// pipe is the net.PacketConn of a handshake: it yields the client's handshake
// records, and sends to where the client is.
type pipe struct {
	transport *transport
	deadline  *deadline.Deadline
	closed    chan struct{}
	closeOnce sync.Once
	// owned by the reader
	first    []byte    // read first
	greeting *greeting // nil: we are the server
}

func newPipe(t *transport, first []byte) *pipe {
	return &pipe{transport: t, deadline: deadline.New(), closed: make(chan struct{}), first: first}
}

// ReadFrom implements net.PacketConn.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	if p.first != nil {
		n := copy(b, p.first)
		p.first = nil
		return n, p.LocalAddr(), nil
	}
	for {
		select {
		case datagram := <-p.transport.incoming:
			if p.greeting != nil {
				datagram = p.greeting.filter(datagram)
			}
			if len(datagram) > 0 {
				return copy(b, datagram), p.LocalAddr(), nil
			}
		case <-p.deadline.Done():
			return 0, nil, os.ErrDeadlineExceeded
		case <-p.closed:
			return 0, nil, net.ErrClosed
		case <-p.transport.gone:
			return 0, nil, net.ErrClosed
		}
	}
}

// WriteTo implements net.PacketConn. The client may have moved meanwhile: to is
// not looked at.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-p.closed:
		return 0, net.ErrClosed
	default:
	}
	if err := p.transport.send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (p *pipe) Close() error {
	p.closeOnce.Do(func() { close(p.closed) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (p *pipe) LocalAddr() net.Addr { return p.transport.demux.LocalAddr() }

// SetDeadline implements net.PacketConn.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn: writing does not wait.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
