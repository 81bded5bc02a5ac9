package transport

import (
	"encoding/binary"
	"fmt"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu/peer/sdp"
)

// Keys are what media, reports and alerts are encrypted with (RFC 5764 section 4.2).
type Keys struct {
	// set once
	rtp    Sealer  // used by the shard's goroutine; nil if the client sends media
	in     *opener // nil if the client receives media
	rtcp   *srtcp
	alerts alertKeys
}

// NewSecrets returns what catches the secrets of a handshake and makes the client's
// keys of them. It does so in the middle of the handshake, before our last flight
// leaves: when the client has that it sends, and of its packets none must be missed.
// Only a reader that has seen them all knows how often their numbers have wrapped (RFC
// 3711 section 3.3.1).
func (c *Client) NewSecrets() *Secrets {
	c.keys.Store(nil) // those of a handshake that failed
	s := &Secrets{}
	s.onMaster = func() {
		if k, err := newKeys(s, c.role, c.sends); err == nil {
			c.keys.Store(k)
		} // else Establish tells
	}
	return s
}

// newKeys derives the keys of a handshake in which role is ours.
func newKeys(s *Secrets, role sdp.Role, sends bool) (*Keys, error) {
	c := srtp.Config{Profile: s.profile}
	if err := c.ExtractSessionKeysFromDTLS(s, role == sdp.Client); err != nil {
		return nil, fmt.Errorf("transport: SRTP keys: %w", err)
	}
	k, sources := &Keys{}, maxReporters
	var err error
	if sends {
		sources = MaxSources
		k.in, err = newOpener(c.Profile, c.Keys)
	} else {
		k.rtp, err = NewSealer(c.Profile, c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt)
	}
	if err != nil {
		return nil, err
	}
	if k.rtcp, err = newSRTCP(c.Profile, c.Keys, sources); err != nil {
		return nil, err
	}
	k.alerts, err = newAlertKeys(role, s.master, s.clientRandom, s.serverRandom)
	return k, err
}

// replayWindow is how far behind the newest packet one may come, in packets. A
// client that has no retransmission stream sends a lost packet again under its
// old number: with the usual window of 64 it would be dropped as a replay when
// the round trip is longer than 0.1 s at 5 Mbit/s.
const replayWindow = 2048

// Sealer returns what seals the RTP that the client is sent.
func (k *Keys) Sealer() Sealer { return k.rtp }

// SealRTCP appends packets to dst as one SRTCP packet. It is safe for concurrent use.
func (k *Keys) SealRTCP(dst []byte, packets []rtcp.Packet) ([]byte, error) {
	return k.rtcp.seal(dst, packets)
}

// OpenRTP decrypts a publisher's packet to dst, whose room it uses, and reads its
// header. The error means that it is damaged, forged, or was there before: all that is
// no reason to hang up. Runs on the socket's reader, as do OpenFirst and Sources.
func (k *Keys) OpenRTP(dst, datagram []byte, h *rtp.Header) ([]byte, error) {
	return k.in.context.DecryptRTP(dst, datagram, h)
}

// OpenFirst is OpenRTP for an SSRC of which it is not known whether something has come:
// there may be MaxSources of them. The datagram has at least a header.
func (k *Keys) OpenFirst(dst, datagram []byte, h *rtp.Header) ([]byte, error) {
	_, had := k.in.context.ROC(binary.BigEndian.Uint32(datagram[8:])) // by genuine packets only
	if !had && k.in.sources == MaxSources {
		return nil, fmt.Errorf("transport: SRTP: the client has used %d SSRCs", MaxSources)
	}
	plain, err := k.OpenRTP(dst, datagram, h)
	if err == nil && !had {
		k.in.sources++
	}
	return plain, err
}

// Sources returns of how many SSRCs something has come.
func (k *Keys) Sources() int { return k.in.sources }

// opener decrypts what a publisher sends. It is owned by the socket's reader.
type opener struct {
	context *srtp.Context
	sources int // SSRCs of which something has come
}

func newOpener(profile srtp.ProtectionProfile, k srtp.SessionKeys) (*opener, error) {
	c, err := srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, profile, srtp.SRTPReplayProtection(replayWindow))
	if err != nil {
		return nil, fmt.Errorf("transport: SRTP: %w", err)
	}
	return &opener{context: c}, nil
}
