package peer

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/pion/dtls/v3"

	"weir/sfu/peer/transport"
)

// clientHello returns the first datagram of a DTLS handshake, as a WebRTC client
// sends it.
func clientHello(t testing.TB) []byte {
	t.Helper()
	there := &firstWrite{wire: newWire(), first: make(chan []byte, 1)}
	conn, err := dtls.ClientWithOptions(there, there.LocalAddr(),
		dtls.WithSRTPProtectionProfiles(transport.SRTPProfiles...), dtls.WithInsecureSkipVerify(true))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- conn.HandshakeContext(ctx) }()
	var hello []byte
	select {
	case hello = <-there.first:
	case <-time.After(30 * time.Second):
		t.Fatal("a DTLS client says nothing")
	}
	cancel()
	there.Close()
	if err := <-ended; err == nil {
		t.Fatal("a handshake with nobody")
	}
	if err := conn.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		t.Fatal(err)
	}
	return hello
}

// firstWrite keeps the first datagram that is written.
type firstWrite struct {
	*wire
	first chan []byte
}

// WriteTo implements net.PacketConn.
func (w *firstWrite) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case w.first <- append([]byte(nil), b...):
	default:
	}
	return len(b), nil
}
