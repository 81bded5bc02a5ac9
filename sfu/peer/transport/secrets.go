package transport

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"

	"github.com/pion/dtls/v3/pkg/crypto/prf"
	"github.com/pion/dtls/v3/pkg/protocol/extension"
	"github.com/pion/dtls/v3/pkg/protocol/handshake"
	"github.com/pion/srtp/v3"
)

// Secrets catches what the keys of a DTLS association are derived from: pion keeps
// that to itself. It belongs to the handshake's goroutine until that is over, but
// that the reader of the socket may take note of the hello of a server, before it
// hands it over.
type Secrets struct {
	clientRandom, serverRandom, master []byte
	profile                            srtp.ProtectionProfile // 0: none was negotiated

	onMaster func() // or nil; called when the master secret is known
}

// Write implements io.Writer: the handshake writes a line of a key log,
// "CLIENT_RANDOM <client random> <master secret>".
func (s *Secrets) Write(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) != 3 || string(fields[0]) != "CLIENT_RANDOM" {
		return 0, errors.New("transport: unknown line in a key log")
	}
	var err error
	if s.clientRandom, err = hex.DecodeString(string(fields[1])); err != nil {
		return 0, err
	}
	if s.master, err = hex.DecodeString(string(fields[2])); err != nil {
		return 0, err
	}
	if s.onMaster != nil {
		s.onMaster()
	}
	return len(line), nil
}

// ServerHello takes note of the hello of the server, and leaves it as it is.
func (s *Secrets) ServerHello(h handshake.MessageServerHello) handshake.Message {
	r := h.Random.MarshalFixed()
	s.serverRandom = append([]byte(nil), r[:]...)
	s.profile = 0
	for _, e := range h.Extensions {
		if use, ok := e.(*extension.UseSRTP); ok && len(use.ProtectionProfiles) == 1 {
			s.profile = srtp.ProtectionProfile(use.ProtectionProfiles[0])
		}
	}
	return &h
}

// ExportKeyingMaterial implements srtp.KeyingMaterialExporter (RFC 5705 section 4,
// without a context), for the cipher suites that associations have (see
// CipherSuites).
func (s *Secrets) ExportKeyingMaterial(label string, context []byte, length int) ([]byte, error) {
	if len(context) > 0 || s.master == nil || s.serverRandom == nil {
		return nil, errors.New("transport: no keys to be derived")
	}
	seed := append(append([]byte(label), s.clientRandom...), s.serverRandom...)
	return prf.PHash(s.master, seed, length, func() hash.Hash { return sha256.New() })
}

// Profile returns the SRTP profile that was negotiated, or 0.
func (s *Secrets) Profile() srtp.ProtectionProfile { return s.profile }
