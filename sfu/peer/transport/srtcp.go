package transport

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/pion/dtls/v3"
	"github.com/pion/rtcp"
	"github.com/pion/srtp/v3"
)

const (
	// rtcpReplayWindow is how far behind the newest of the client's reports one may
	// come, in packets.
	rtcpReplayWindow = 64
	// maxReporters bounds the SSRCs that a viewer may report under, MaxSources those
	// that a publisher may send and report under, in its whole session: each has state
	// for as long, some 400 bytes, lest what was there before comes again (RFC 3711
	// section 3.2.3).
	maxReporters = 16
	MaxSources   = 512
	// firstRTCP and lastRTCP are the types of RTCP packets that do not collide with
	// payload types of RTP (RFC 5761 section 4).
	firstRTCP, lastRTCP = 192, 223
)

// SRTPProfiles are what we take, the best first. AES-128-GCM costs a sixth of
// AES-CM with HMAC-SHA1 on common processors. The DTLS server chooses, and
// browsers would choose AES-CM: so we are the server.
var SRTPProfiles = []dtls.SRTPProtectionProfile{
	dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AEAD_AES_256_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80,
}

// srtcp is the keys of the reports in both directions.
type srtcp struct {
	most int // SSRCs that may report; set once

	// owned by the socket's reader
	in        *srtp.Context
	reporters int // SSRCs of which something has come

	// guarded by mu
	mu  sync.Mutex
	out *srtp.Context
}

func newSRTCP(profile srtp.ProtectionProfile, k srtp.SessionKeys, most int) (*srtcp, error) {
	s := &srtcp{most: most}
	var err error
	if s.out, err = srtp.CreateContext(k.LocalMasterKey, k.LocalMasterSalt, profile); err != nil {
		return nil, fmt.Errorf("transport: SRTCP: %w", err)
	}
	s.in, err = srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, profile, srtp.SRTCPReplayProtection(rtcpReplayWindow))
	if err != nil {
		return nil, fmt.Errorf("transport: SRTCP: %w", err)
	}
	return s, nil
}

// seal appends packets to dst as one SRTCP packet. It is safe for concurrent use.
func (s *srtcp) seal(dst []byte, packets []rtcp.Packet) ([]byte, error) {
	plain, err := rtcp.Marshal(packets)
	if err != nil {
		return nil, fmt.Errorf("transport: RTCP: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	sealed, err := s.out.EncryptRTCP(nil, plain, nil)
	if err != nil {
		return nil, fmt.Errorf("transport: SRTCP: %w", err)
	}
	return append(dst, sealed...), nil
}

// open decrypts and reads what a client sent (RFC 3711 section 3.4). It
// returns false for what is not RTCP, not the client's, or was there before; and
// genuine packets that cannot be parsed, none of them, with true.
func (s *srtcp) open(datagram []byte) ([]rtcp.Packet, bool) {
	if len(datagram) < 8 || datagram[1] < firstRTCP || datagram[1] > lastRTCP {
		return nil, false
	}
	ssrc := binary.BigEndian.Uint32(datagram[4:])
	_, known := s.in.Index(ssrc)
	if !known && s.reporters == s.most {
		return nil, false
	}
	plain, err := s.in.DecryptRTCP(nil, datagram, nil)
	if err != nil {
		return nil, false
	}
	if !known {
		s.reporters++
	}
	packets, err := rtcp.Unmarshal(plain)
	if err != nil {
		return nil, true
	}
	return packets, true
}
