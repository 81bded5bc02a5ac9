package peer

import (
	"context"
	"crypto/tls"
	"runtime"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"

	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// TestGoroutines: a connected publisher costs the goroutine of its session, as a viewer
// does, and nothing else; while it connects it costs what its PeerConnection has.
func TestGoroutines(t *testing.T) {
	certificate := aCertificate(t)
	const clients = 4
	for _, kind := range []string{"publisher", "viewer"} {
		for _, role := range []sdp.Role{sdp.Server, sdp.Client} {
			before := steady(t)
			var all []*halfOpen
			for range clients {
				s := newHalfOpen(t, kind, func(offer string) string {
					if offer = certified(offer, certificate); role == sdp.Client {
						offer = passive(offer)
					}
					return offer
				})
				client := dial(t, s.addr)
				if role == sdp.Server {
					client.ask(t, func() []byte { return checkOf(s.answer) }, func(d []byte) bool { return d[0] == stunSuccess })
					client.prove(t, certificate, s.port)
				} else {
					var hello []byte
					client.ask(t, func() []byte { return checkOf(s.answer) }, func(d []byte) bool { hello = d; return d[0] == handshakeRecord })
					if err := client.shake(t, t.Context(), hello, certificate); err != nil {
						t.Fatal(err)
					}
				}
				until(t, "the end of connecting", func() bool { return s.port.connecting.Load() == 0 })
				all = append(all, s)
			}
			// The session's, and the one that reads the port's socket: each has a port here.
			want := 2 * clients
			// A viewer has a shard, too, which serves all viewers of its stream.
			if kind == "viewer" {
				want += clients
			}
			got := 0
			for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
				if got = runtime.NumGoroutine() - before; got == want {
					break
				}
			}
			if got != want {
				stacks := make([]byte, 1<<20)
				t.Errorf("%d connected %ss, role %v: %d goroutines, want %d:\n%s", clients, kind, role, got, want, stacks[:runtime.Stack(stacks, true)])
			}
			for _, s := range all {
				s.end(t)
				s.stop()
			}
		}
	}
}

// steady returns how many goroutines there are, once that does not change any more.
func steady(t *testing.T) int {
	t.Helper()
	n, since := runtime.NumGoroutine(), time.Now()
	for deadline := time.Now().Add(30 * time.Second); time.Since(since) < 200*time.Millisecond; time.Sleep(10 * time.Millisecond) {
		if now := runtime.NumGoroutine(); now != n {
			n, since = now, time.Now()
		}
		if time.Now().After(deadline) {
			t.Fatal("goroutines come and go")
		}
	}
	return n
}

// prove is the client's side of a handshake with port, and a report that shows that it
// has the keys.
func (s *somebody) prove(t *testing.T, certificate tls.Certificate, port *Port) {
	t.Helper()
	if err := s.conn.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	through := &connected{UDPConn: s.conn}
	conn, err := dtls.ClientWithOptions(through, s.conn.RemoteAddr(), dtls.WithCertificates(certificate),
		dtls.WithSRTPProtectionProfiles(transport.SRTPProfiles[0]), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		t.Fatal(err)
	}
	state, ok := conn.ConnectionState()
	if !ok {
		t.Fatal("no state after a handshake")
	}
	through.Close()
	conn.Close()
	c := srtp.Config{Profile: srtp.ProtectionProfile(transport.SRTPProfiles[0])}
	if err := c.ExtractSessionKeysFromDTLS(&state, true); err != nil {
		t.Fatal(err)
	}
	seal, err := srtp.CreateContext(c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt, c.Profile)
	if err != nil {
		t.Fatal(err)
	}
	report, err := seal.EncryptRTCP(nil, mustMarshal(t, &rtcp.ReceiverReport{SSRC: 1}), nil)
	if err != nil {
		t.Fatal(err)
	}
	// What comes before the server's side of the handshake is over is taken in with the
	// next datagram, and this client has no other.
	until(t, "the end of connecting", func() bool { return port.connecting.Load() == 0 })
	for range 3 { // one may get lost
		s.send(t, report)
	}
}
