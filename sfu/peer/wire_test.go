package peer

import (
	"bytes"
	"testing"

	"github.com/pion/srtp/v3"

	"weir/sfu/peer/peertest"
	"weir/sfu/peer/transport"
)

// What comes over the wire.
var (
	checkBy, controlling, aRecord, aServerHello = peertest.CheckBy, peertest.Controlling, peertest.Record, peertest.ServerHello
	aCertificate, certificateOf                 = peertest.Certificate, peertest.CertificateOf
)

const (
	testUfrag, testPwd = peertest.Ufrag, peertest.Pwd
	remoteUfrag        = peertest.RemoteUfrag
)

// The content types of DTLS records (RFC 6347 section 4.1), the sizes of headers, and
// the types of two messages.
const (
	changeCipherSpec, alertRecord, handshakeRecord = 20, 21, 22
	recordHeader, messageHeader                    = 13, 12
	clientHelloMessage, serverHelloMessage         = 1, 2
)

// keysOf returns a master key and salt for a profile.
func keysOf(p srtp.ProtectionProfile) (key, salt []byte) {
	k, _ := p.KeyLen()
	s, _ := p.SaltLen()
	return bytes.Repeat([]byte{7}, k), bytes.Repeat([]byte{9}, s)
}

// opening is the client's side.
func opening(t testing.TB, p srtp.ProtectionProfile) *srtp.Context {
	t.Helper()
	key, salt := keysOf(p)
	c, err := srtp.CreateContext(key, salt, p, srtp.SRTPReplayProtection(64))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sealerOf(t testing.TB, p srtp.ProtectionProfile) transport.Sealer {
	t.Helper()
	key, salt := keysOf(p)
	s, err := transport.NewSealer(p, key, salt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
