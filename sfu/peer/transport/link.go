package transport

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/logging"

	"weir/sfu/peer/sdp"
)

// Handshakes is what all handshakes of links have in common.
type Handshakes struct{ options []dtls.Option }

// NewHandshakes returns what links shake hands with.
func NewHandshakes(certificate tls.Certificate, logs logging.LoggerFactory) Handshakes {
	return Handshakes{[]dtls.Option{
		dtls.WithCertificates(certificate),
		dtls.WithLoggerFactory(logs),
		dtls.WithCipherSuites(CipherSuites...),
		dtls.WithSRTPProtectionProfiles(SRTPProfiles...),
		// Certificates are their own authorities: the fingerprint is what counts.
		dtls.WithInsecureSkipVerify(true),
	}}
}

// dtlsServerOptions are what is added where we are the server.
func dtlsServerOptions(known *Secrets) []dtls.ServerOption {
	return []dtls.ServerOption{
		dtls.WithServerHelloMessageHook(known.ServerHello),
		dtls.WithClientAuth(dtls.RequireAnyClientCert),
		// The cookie exchange protects from spoofed addresses, and costs a round trip:
		// DTLS is only taken from addresses that have passed ICE.
		dtls.WithInsecureSkipVerifyHello(true),
	}
}

// Link is the DTLS association of a client. Its connection, with three goroutines and
// some 20 KiB, lives only until the client has shown that it has got our last flight:
// as long as it may be lost, it may have to be sent again (RFC 6347 section 4.2.4). An
// alert, which may come later, needs the keys alone.
type Link struct {
	conn *dtls.Conn
	pipe *Pipe
}

// handshake is our side of a handshake. It begins with the records in first, if we are
// the server; otherwise we begin, and first is nil. An error that is sdp.ErrFingerprint
// means another client than that of the offer; others may be the fault of a third
// party.
func (l *Link) handshake(ctx context.Context, options []dtls.Option, c *Client, first []byte) error {
	known := c.NewSecrets()
	mismatch := false
	options = append(slices.Clip(options),
		dtls.WithVerifyPeerCertificate(func(chain [][]byte, _ [][]*x509.Certificate) error {
			err := sdp.CheckCertificate(c.offered, chain)
			mismatch = mismatch || err != nil
			return err
		}),
		dtls.WithKeyLogWriter(known))
	l.pipe = newPipe(c, first, known)
	if err := l.open(c.role, options, known); err != nil {
		return fmt.Errorf("transport: DTLS: %w", err)
	}
	if err := l.conn.HandshakeContext(ctx); err != nil {
		l.Drop()
		if mismatch {
			return sdp.ErrFingerprint
		}
		return fmt.Errorf("transport: DTLS: %w", err)
	}
	if err := c.Establish(); err != nil {
		l.Drop()
		return err
	}
	return nil
}

// open makes the connection of a handshake.
func (l *Link) open(role sdp.Role, shared []dtls.Option, known *Secrets) (err error) {
	if role == sdp.Client {
		var options []dtls.ClientOption
		for _, o := range shared {
			options = append(options, o)
		}
		l.conn, err = dtls.ClientWithOptions(l.pipe, net.UDPAddrFromAddrPort(PipeThere), options...)
		return err
	}
	options := dtlsServerOptions(known)
	for _, o := range shared {
		options = append(options, o)
	}
	l.conn, err = dtls.ServerWithOptions(l.pipe, net.UDPAddrFromAddrPort(PipeThere), options...)
	return err
}

// Drop gives up the connection, without a word to the client. Dropping twice is fine.
func (l *Link) Drop() {
	if l.conn == nil {
		return
	}
	_ = l.pipe.Close() // first, so that the connection cannot say goodbye
	_ = l.conn.Close() // its error tells that it could not
	l.conn, l.pipe = nil, nil
}

// helloPause is how long after the start of a handshake that has failed we begin
// another one, as its client: not sooner than we would have repeated our hello (RFC
// 6347 section 4.2.4.1), so that no attacker makes us send more by breaking it.
const helloPause = time.Second

// Connect waits until the client has completed ICE and DTLS, but not longer than
// timeout. The error wraps ErrNotConnected, or is the cause of ctx.
func (l *Link) Connect(ctx context.Context, c *Client, timeout time.Duration, h Handshakes) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var pause <-chan time.Time // before we say hello again
	for limited.Err() == nil {
		first, err := c.beginning(limited, pause)
		if err != nil {
			break
		}
		pause = time.After(helloPause)
		err = l.handshake(limited, h.options, c, first)
		if errors.Is(err, sdp.ErrFingerprint) {
			return fmt.Errorf("%w: %v", ErrNotConnected, err)
		}
		if err != nil {
			continue // a third party may have interfered: the client tries again
		}
		if c.Handshaken() {
			l.Drop()
		}
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrNotConnected
}

// beginning waits until a handshake can begin: for the client's first records, or,
// if it is ours to begin, until we know where the client is, and until after pause,
// which is nil at the first time.
func (c *Client) beginning(ctx context.Context, pause <-chan time.Time) (first []byte, err error) {
	if c.role == sdp.Server {
		select {
		case first = <-c.incoming:
			return first, nil
		case <-c.state.closed:
		case <-ctx.Done():
		}
		return nil, ErrNotConnected
	}
	begin := pause
	for {
		if begin == nil && c.path.Load() != nil {
			return nil, nil
		}
		select {
		case <-c.found:
		case <-begin:
			begin = nil
		case <-c.incoming: // of a handshake that failed
		case <-c.state.closed:
			return nil, ErrNotConnected
		case <-ctx.Done():
			return nil, ErrNotConnected
		}
	}
}
