package load

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/selfsign"
	"github.com/pion/logging"
	"github.com/pion/transport/v4/packetio"
)

// identity is the certificate of all viewers: making one costs as much as a
// handshake.
type identity struct {
	certificate tls.Certificate
	fingerprint string
}

func newIdentity() (identity, error) {
	c, err := selfsign.GenerateSelfSigned()
	if err != nil {
		return identity{}, fmt.Errorf("certificate: %w", err)
	}
	return identity{c, fingerprint(c.Certificate[0])}, nil
}

// fingerprint is the SHA-256 of a certificate, as SDP has it (RFC 8122 section 5).
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	parts := make([]string, len(sum))
	for i, b := range sum {
		parts[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(parts, ":")
}

// handshake makes the DTLS connection of a viewer, in the role that the answer
// leaves us (RFC 5763 section 5), with a server whose certificate is the one
// that the answer names.
func handshake(ctx context.Context, v *viewer, id identity, a *answer) (*dtls.Conn, error) {
	quiet := logging.NewDefaultLoggerFactory()
	quiet.Writer = io.Discard
	options := []dtls.Option{
		dtls.WithCertificates(id.certificate),
		dtls.WithSRTPProtectionProfiles(profiles...),
		dtls.WithInsecureSkipVerify(true), // the fingerprint is what counts
		dtls.WithVerifyPeerCertificate(func(raw [][]byte, _ [][]*x509.Certificate) error {
			if len(raw) == 0 || "sha-256 "+fingerprint(raw[0]) != a.fingerprint {
				return fmt.Errorf("the server's certificate is not the one that the answer names")
			}
			return nil
		}),
		dtls.WithLoggerFactory(quiet),
	}
	to := net.UDPAddrFromAddrPort(v.ice.remote())
	var conn *dtls.Conn
	var err error
	if a.active {
		server := []dtls.ServerOption{dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerifyHello(true)}
		for _, o := range options {
			server = append(server, o)
		}
		conn, err = dtls.ServerWithOptions(&wire{v, to}, to, server...)
	} else {
		client := make([]dtls.ClientOption, 0, len(options))
		for _, o := range options {
			client = append(client, o)
		}
		conn, err = dtls.ClientWithOptions(&wire{v, to}, to, client...)
	}
	if err != nil {
		return nil, fmt.Errorf("DTLS: %w", err)
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("DTLS handshake with %v: %w", to, err)
	}
	return conn, nil
}

// wire is what DTLS reads from and writes to: the viewer's DTLS records.
type wire struct {
	v  *viewer
	to net.Addr
}

// newRecords returns where the reading goroutine puts a viewer's DTLS records.
func newRecords() *packetio.Buffer {
	b := packetio.NewBuffer()
	b.SetLimitSize(64 << 10)
	return b
}

// ReadFrom implements net.PacketConn.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	n, err := w.v.records.Read(b)
	return n, w.to, err
}

// WriteTo implements net.PacketConn.
func (w *wire) WriteTo(b []byte, _ net.Addr) (int, error) {
	w.v.socket.send(b, w.v.ice.remote())
	return len(b), nil
}

// Close implements net.PacketConn. The socket is closed by its viewer.
func (w *wire) Close() error { return w.v.records.Close() }

// LocalAddr implements net.PacketConn.
func (w *wire) LocalAddr() net.Addr { return &net.UDPAddr{} }

// SetDeadline implements net.PacketConn.
func (w *wire) SetDeadline(t time.Time) error { return w.v.records.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (w *wire) SetReadDeadline(t time.Time) error { return w.v.records.SetReadDeadline(t) }

// SetWriteDeadline implements net.PacketConn. Writing never blocks.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
