package transport

import (
	"crypto/sha256"
	"fmt"
	"hash"

	"github.com/pion/dtls/v3"
	"github.com/pion/dtls/v3/pkg/crypto/ciphersuite"
	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol"
	"github.com/pion/dtls/v3/pkg/protocol/alert"
	"github.com/pion/dtls/v3/pkg/protocol/recordlayer"

	"weir/sfu/peer/sdp"
)

// closeNumber is the sequence number of our close_notify: beyond any that the
// handshake can have used, since a number must not be used twice with one key.
const closeNumber = 1 << 32

// alertKeys are what remains of a DTLS association when its handshake is over: the
// keys that alerts are encrypted with. They are kept rather than ciphers: at most two
// alerts are encrypted in a session's life.
type alertKeys struct {
	keys *prf.EncryptionKeys
	role sdp.Role // ours
}

// CipherSuites are those of all associations. Every WebRTC client has the first one
// (RFC 8827 section 6.5). The second one, which has the same keys and the same hash,
// is for a client that is the DTLS server, and whose certificate has an RSA key.
var CipherSuites = []dtls.CipherSuiteID{
	dtls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, dtls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
}

// newAlertKeys derives the keys (RFC 5246 section 6.3).
func newAlertKeys(role sdp.Role, master, clientRandom, serverRandom []byte) (alertKeys, error) {
	const keySize, saltSize = 16, 4 // RFC 5288 section 3
	keys, err := prf.GenerateEncryptionKeys(master, clientRandom, serverRandom, 0, keySize, saltSize, func() hash.Hash { return sha256.New() })
	if err != nil {
		return alertKeys{}, fmt.Errorf("transport: derive keys: %w", err)
	}
	return alertKeys{keys, role}, nil
}

func (k alertKeys) cipher() (*ciphersuite.GCM, error) {
	if k.role == sdp.Client {
		return ciphersuite.NewGCM(k.keys.ClientWriteKey, k.keys.ClientWriteIV, k.keys.ServerWriteKey, k.keys.ServerWriteIV)
	}
	return ciphersuite.NewGCM(k.keys.ServerWriteKey, k.keys.ServerWriteIV, k.keys.ClientWriteKey, k.keys.ClientWriteIV)
}

// ends reports whether an alert of the client is genuine and ends the association (RFC
// 5246 section 7.2): close_notify, or a fatal one.
func (k alertKeys) ends(r record) bool {
	gcm, err := k.cipher()
	if err != nil {
		return false
	}
	plain, err := gcm.Decrypt(recordlayer.Header{}, r) // in place
	if err != nil {
		return false
	}
	var a alert.Alert
	if err := a.Unmarshal(plain[recordHeader:]); err != nil {
		return false
	}
	return a.Level == alert.Fatal || a.Description == alert.CloseNotify
}

// closeNotify returns the record that tells the client that we are gone.
func (k alertKeys) closeNotify() ([]byte, error) {
	gcm, err := k.cipher()
	if err != nil {
		return nil, err
	}
	r := &recordlayer.RecordLayer{
		Header:  recordlayer.Header{Version: protocol.Version1_2, Epoch: 1, SequenceNumber: closeNumber},
		Content: &alert.Alert{Level: alert.Warning, Description: alert.CloseNotify},
	}
	raw, err := r.Marshal()
	if err != nil {
		return nil, err
	}
	return gcm.Encrypt(r, raw)
}
