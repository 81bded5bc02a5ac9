package peertest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"math/big"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

// Credentials of both sides, for Controlling.
const (
	Ufrag, Pwd  = "serverufrag", "serverpasswordofsomelength"
	RemoteUfrag = "client"
)

// CheckBy returns a connectivity check as a browser sends it.
func CheckBy(username, pwd string, more ...stun.Setter) []byte {
	setters := append([]stun.Setter{stun.TransactionID, stun.BindingRequest, stun.NewUsername(username), ice.PriorityAttr(1)}, more...)
	m, err := stun.Build(append(setters, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)...)
	if err != nil {
		panic(err)
	}
	return m.Raw
}

// Controlling is CheckBy by these credentials.
func Controlling(more ...stun.Setter) []byte {
	return CheckBy(Ufrag+":"+RemoteUfrag, Pwd, append(more, ice.AttrControlling(7))...)
}

// Record returns a DTLS record.
func Record(contentType byte, epoch uint16, content ...byte) []byte {
	r := []byte{contentType, 0xfe, 0xfd}
	r = binary.BigEndian.AppendUint16(r, epoch)
	r = append(r, 0, 0, 0, 0, 0, 1)
	r = binary.BigEndian.AppendUint16(r, uint16(len(content)))
	return append(r, content...)
}

// ServerHello returns the record of a ServerHello with a random of one byte's
// repetitions.
func ServerHello(t testing.TB, random byte, number uint16) []byte {
	t.Helper()
	suite := uint16(dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256)
	m := handshake.MessageServerHello{
		Version: protocol.Version1_2, CipherSuiteID: &suite, CompressionMethod: &protocol.CompressionMethod{},
		Extensions: []extension.Extension{&extension.UseSRTP{ProtectionProfiles: []extension.SRTPProtectionProfile{extension.SRTP_AEAD_AES_128_GCM}}},
	}
	m.Random.UnmarshalFixed([32]byte(bytes.Repeat([]byte{random}, 32)))
	raw, err := (&handshake.Handshake{Header: handshake.Header{MessageSequence: number}, Message: &m}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return Record(handshakeRecord, 0, raw...)
}

// Certificate returns one that signs itself.
func Certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return CertificateOf(t, key)
}

// CertificateOf returns one that signs itself with a key.
func CertificateOf(t *testing.T, key crypto.Signer) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// handshakeRecord is the content type of a handshake (RFC 6347 section 4.1).
const handshakeRecord = 22
