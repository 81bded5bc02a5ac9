package transport

import (
	"net"
	"testing"

	"weir/sfu/peer/peertest"
	"weir/sfu/peer/sdp"
	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// What comes over the wire.
var (
	checkBy, controlling, aRecord, aServerHello = peertest.CheckBy, peertest.Controlling, peertest.Record, peertest.ServerHello
	aCertificate                                = peertest.Certificate
)

const (
	testUfrag, testPwd = peertest.Ufrag, peertest.Pwd
	remoteUfrag        = peertest.RemoteUfrag
)

// nowhere is a socket that takes everything.
type nowhere struct{ net.PacketConn }

func (nowhere) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }

// newTestClient returns a client without a session, at a socket.
func newTestClient(socket net.PacketConn, sends bool) *Client {
	return NewClient(NewDemux(socket), NewConnectionState(func() {}), &sdp.Offer{}, sends)
}
