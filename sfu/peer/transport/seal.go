package transport

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	// RTPHeader is the size of the headers that we send: no sources, no extensions.
	RTPHeader = 12
	// SealOverhead is the most that sealing adds to a packet: the tag of AES-GCM (RFC
	// 7714 section 5.3), or that of HMAC-SHA1-80.
	SealOverhead = 16
)

// Sealer turns RTP packets into SRTP ones.
type Sealer interface {
	// Seal appends the packet to dst, which has room for RTPHeader and SealOverhead
	// bytes more than the payload and the padding, of which there are pad bytes (RFC
	// 3550 section 5.1; 0: none). index is the packet's number (RFC 3711 section
	// 3.3.1): 65536 times the rollover counter, plus h.SequenceNumber. One and the same
	// index of an SSRC must not be used for different packets: nor for one with other
	// padding.
	Seal(dst []byte, h *rtp.Header, index uint64, payload []byte, pad uint8) ([]byte, error)
}

// NewSealer returns a Sealer for a profile with the keys that DTLS yielded.
func NewSealer(profile srtp.ProtectionProfile, masterKey, masterSalt []byte) (Sealer, error) {
	switch profile {
	case srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm:
		return newGCMSealer(masterKey, masterSalt)
	}
	c, err := srtp.CreateContext(masterKey, masterSalt, profile)
	if err != nil {
		return nil, fmt.Errorf("transport: SRTP: %w", err)
	}
	return &contextSealer{context: c}, nil
}

// gcmSealer is AES-GCM (RFC 7714). It encrypts from the payload's place, which all
// viewers of a track share, straight to where it is sent from, and keeps no state
// but the key: the caller knows the packet's index. It is not safe for concurrent
// use.
type gcmSealer struct {
	aead cipher.AEAD
	salt [12]byte
	iv   [12]byte // here, since it would escape to the heap as a local
}

func newGCMSealer(masterKey, masterSalt []byte) (*gcmSealer, error) {
	key, err := deriveKey(masterKey, masterSalt, labelKey, len(masterKey))
	if err != nil {
		return nil, err
	}
	s := &gcmSealer{}
	salt, err := deriveKey(masterKey, masterSalt, labelSalt, len(s.salt))
	if err != nil {
		return nil, err
	}
	copy(s.salt[:], salt)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("transport: SRTP: %w", err)
	}
	if s.aead, err = cipher.NewGCM(block); err != nil {
		return nil, fmt.Errorf("transport: SRTP: %w", err)
	}
	return s, nil
}

// The labels of the session keys for RTP (RFC 3711 section 4.3.1).
const (
	labelKey  = 0x00
	labelSalt = 0x02
)

// deriveKey derives n bytes of a session key: the key stream of AES in counter
// mode, where the counter's block is the master salt with the label in its eighth
// byte (RFC 3711 section 4.3.3; RFC 7714 section 11 for shorter salts). There is
// no key derivation rate.
func deriveKey(masterKey, masterSalt []byte, label byte, n int) ([]byte, error) {
	block, err := aes.NewCipher(masterKey)
	if err != nil {
		return nil, fmt.Errorf("transport: SRTP: %w", err)
	}
	var counter [aes.BlockSize]byte
	copy(counter[:14], masterSalt)
	counter[7] ^= label
	out := make([]byte, n)
	cipher.NewCTR(block, counter[:]).XORKeyStream(out, out)
	return out, nil
}

func (s *gcmSealer) Seal(dst []byte, h *rtp.Header, index uint64, payload []byte, pad uint8) ([]byte, error) {
	start := len(dst)
	dst = appendHeader(dst, h, pad)
	if pad > 0 { // in its place, where it is encrypted then
		payload = appendPadded(dst, payload, pad)[len(dst):]
	}
	// RFC 7714 section 8.1: two zero bytes, SSRC, rollover counter, sequence number;
	// the last two are the index, of 48 bits.
	iv := s.iv[:]
	copy(iv, s.salt[:])
	binary.BigEndian.PutUint32(iv[2:], binary.BigEndian.Uint32(iv[2:])^h.SSRC)
	binary.BigEndian.PutUint32(iv[6:], binary.BigEndian.Uint32(iv[6:])^uint32(index>>16))
	binary.BigEndian.PutUint16(iv[10:], binary.BigEndian.Uint16(iv[10:])^uint16(index))
	return s.aead.Seal(dst, iv, payload, dst[start:]), nil
}

// appendPadded appends the payload and pad bytes, the last of which tells how many
// they are.
func appendPadded(dst, payload []byte, pad uint8) []byte {
	dst = append(dst, payload...)
	if pad == 0 {
		return dst
	}
	for range pad - 1 {
		dst = append(dst, 0)
	}
	return append(dst, pad)
}

// appendHeader appends the header's fixed part (RFC 3550 section 5.1) for a packet
// with pad bytes of padding.
func appendHeader(dst []byte, h *rtp.Header, pad uint8) []byte {
	const version2, padding, marker = 0x80, 0x20, 0x80
	first, second := byte(version2), h.PayloadType
	if pad > 0 {
		first |= padding
	}
	if h.Marker {
		second |= marker
	}
	dst = append(dst, first, second)
	dst = binary.BigEndian.AppendUint16(dst, h.SequenceNumber)
	dst = binary.BigEndian.AppendUint32(dst, h.Timestamp)
	return binary.BigEndian.AppendUint32(dst, h.SSRC)
}

// contextSealer is pion's SRTP, for clients that have no AES-GCM. It takes the
// rollover counter from the order of sequence numbers, as a Receiver does: the
// index may lie at most 2^15 behind the newest one.
type contextSealer struct {
	context *srtp.Context
	header  rtp.Header
	plain   []byte
}

func (s *contextSealer) Seal(dst []byte, h *rtp.Header, _ uint64, payload []byte, pad uint8) ([]byte, error) {
	s.plain = appendPadded(appendHeader(s.plain[:0], h, pad), payload, pad)
	sealed, err := s.context.EncryptRTP(dst[len(dst):], s.plain, &s.header)
	if err != nil {
		return nil, err
	}
	return append(dst, sealed...), nil // in its place already, if there was room
}
