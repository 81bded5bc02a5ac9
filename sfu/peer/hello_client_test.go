package peer

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/peertest"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// TestHelloOfOurs: with a client that is the DTLS server we say hello as soon as a
// check has shown where it is, not sooner and nowhere else; what others send in its
// name does no harm; and a client with another certificate than its offer has gets
// nothing.
func TestHelloOfOurs(t *testing.T) {
	certificate, another := aCertificate(t), aCertificate(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	old := certificateOf(t, key) // as some clients have it that are no browsers
	for _, kind := range []string{"publisher", "viewer"} {
		for _, tt := range []struct {
			offered, certificate tls.Certificate
			genuine              bool
		}{{certificate, certificate, true}, {another, certificate, false}, {old, old, true}, {old, certificate, false}} {
			offered, certificate, genuine := tt.offered, tt.certificate, tt.genuine
			s := newHalfOpen(t, kind, func(offer string) string { return passive(certified(offer, offered)) })
			client := dial(t, s.addr)
			client.send(t, checkBy("nobody:Yp5S", "another password of this length"))
			if d := client.read(t, 50*time.Millisecond); len(d) > 0 {
				t.Fatalf("%s: before its check the client gets %x", kind, d)
			}
			var hello []byte
			client.ask(t, func() []byte { return checkOf(s.answer) }, func(d []byte) bool { hello = d; return d[0] == handshakeRecord })
			for _, forged := range [][]byte{
				aRecord(alertRecord, 0, 2, 40), aRecord(alertRecord, 0, 1, 0), aRecord(alertRecord, 1, bytes.Repeat([]byte{1}, 40)...),
				aRecord(handshakeRecord, 0, make([]byte, 12)...), aRecord(handshakeRecord, 0, append([]byte{clientHelloMessage}, hello[recordHeader+1:]...)...),
				aRecord(handshakeRecord, 0, serverHelloMessage, 0, 0, 70, 0, 0, 0, 0, 0, 0, 0, 9), hello, {22}, {22, 254, 253}, aRecord(23, 0, 1, 2, 3),
			} {
				client.send(t, forged)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			if !genuine {
				go func() { // it is told nothing
					<-s.ended
					s.ended <- nil
					cancel()
				}()
			}
			if err := client.shake(t, ctx, hello, certificate); (err == nil) != genuine {
				t.Errorf("%s, genuine %v: the handshake ends with %v", kind, genuine, err)
			}
			until(t, "the end of connecting", func() bool { return s.port.connecting.Load() == 0 })
			cancel()
			s.end(t)
		}
	}
}

// certified returns an offer of a client that has a certificate.
func certified(offer string, certificate tls.Certificate) string {
	const old = "19:E2:1C:3B:4B:9F:81:E6:B8:5C:F4:A5:A8:D8:73:04:BB:05:2F:70:9F:04:A9:0E:05:E9:26:33:E8:70:88:A2"
	_, sum, _ := strings.Cut(sdp.FingerprintOf(certificate.Certificate[0]).String(), " ")
	return strings.ReplaceAll(offer, old, sum)
}

// TestLateNomination: a client that makes checks for a while before it chooses its way
// comes through, whichever side begins with DTLS, and whether it does so before or not.
func TestLateNomination(t *testing.T) {
	certificate := aCertificate(t)
	for _, kind := range []string{"publisher", "viewer"} {
		for _, early := range []bool{true, false} {
			s := newHalfOpen(t, kind, func(offer string) string { return certified(offer, certificate) })
			client := dial(t, s.addr)
			check := func(setters ...stun.Setter) []byte {
				return checkBy(peertest.Attribute(s.answer, "ice-ufrag")+":Yp5S", peertest.Attribute(s.answer, "ice-pwd"), append(setters, ice.AttrControlling(7))...)
			}
			client.ask(t, func() []byte { return check() }, func(d []byte) bool { return d[0] == stunSuccess })
			shaken := make(chan error, 1)
			shake := func() { shaken <- client.greet(t, certificate) }
			if early {
				go shake()
			}
			for range 8 {
				client.send(t, check())
				time.Sleep(25 * time.Millisecond)
			}
			client.send(t, check(ice.UseCandidate()))
			if !early {
				go shake()
			}
			if err := <-shaken; err != nil {
				t.Errorf("%s, DTLS before the choice %v: %v", kind, early, err)
			}
			until(t, "the end of connecting", func() bool { return s.port.connecting.Load() == 0 })
			select {
			case err := <-s.ended:
				t.Errorf("%s: the session has ended: %v", kind, err)
			default:
				s.end(t)
			}
		}
	}
}

// greet is the client's side of a handshake.
func (s *somebody) greet(t *testing.T, certificate tls.Certificate) error {
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	through := &connected{UDPConn: s.conn}
	conn, err := dtls.ClientWithOptions(through, s.conn.RemoteAddr(), dtls.WithCertificates(certificate),
		dtls.WithSRTPProtectionProfiles(transport.SRTPProfiles...), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = conn.HandshakeContext(ctx)
	through.Close()
	conn.Close()
	return err
}

// TestHelloIsRepeated: a hello that gets no answer is repeated a few times, more
// seldom each time, and so is one to a client that breaks each handshake.
func TestHelloIsRepeated(t *testing.T) {
	for _, kind := range []string{"publisher", "viewer"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			s := newHalfOpen(t, kind, passive)
			silent, hellos := dial(t, s.addr), 0
			silent.ask(t, func() []byte { return checkOf(s.answer) }, func(d []byte) bool { return d[0] == handshakeRecord })
			bad := aServerHello(t, 1, 0)
			bad[recordHeader+messageHeader+1] = 1 // of a version that nobody knows
			for deadline := time.Now().Add(1200 * time.Millisecond); time.Now().Before(deadline); {
				silent.send(t, bad)
				if d := silent.read(t, 20*time.Millisecond); len(d) > 0 && d[0] == handshakeRecord {
					hellos++
				}
			}
			if hellos > 2 {
				t.Errorf("%d more hellos within 1.2 s", hellos)
			}
			s.end(t)
		})
	}
}

// shake is the server's side of a handshake whose first hello has come.
func (s *somebody) shake(t *testing.T, ctx context.Context, hello []byte, certificate tls.Certificate) error {
	t.Helper()
	through := &connected{UDPConn: s.conn, first: hello}
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	conn, err := dtls.ServerWithOptions(through, s.conn.RemoteAddr(),
		dtls.WithCertificates(certificate), dtls.WithSRTPProtectionProfiles(transport.SRTPProfiles...),
		dtls.WithClientAuth(dtls.RequireAnyClientCert), dtls.WithInsecureSkipVerify(true), dtls.WithInsecureSkipVerifyHello(true))
	if err != nil {
		t.Fatal(err)
	}
	err = conn.HandshakeContext(ctx)
	through.Close()
	conn.Close()
	return err
}

// connected is a connected socket as one that is not, which yields first once more.
type connected struct {
	*net.UDPConn
	closed atomic.Bool

	// guarded by mu
	mu    sync.Mutex
	first []byte
}

// ReadFrom implements net.PacketConn.
func (c *connected) ReadFrom(b []byte) (int, net.Addr, error) {
	c.mu.Lock()
	first := c.first
	c.first = nil
	c.mu.Unlock()
	if first != nil {
		return copy(b, first), c.RemoteAddr(), nil
	}
	n, err := c.Read(b)
	if c.closed.Load() {
		err = net.ErrClosed
	}
	return n, c.RemoteAddr(), err
}

// WriteTo implements net.PacketConn.
func (c *connected) WriteTo(b []byte, _ net.Addr) (int, error) {
	if c.closed.Load() {
		return 0, net.ErrClosed // so that nothing says goodbye
	}
	return c.Write(b)
}

// Close implements net.PacketConn. The socket stays open.
func (c *connected) Close() error {
	c.closed.Store(true)
	return c.SetReadDeadline(time.Unix(1, 0))
}
