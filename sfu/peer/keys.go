package peer

import (
	"encoding/binary"
	"fmt"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu/peer/sdp"
)

// keys are what media, reports and alerts are encrypted with (RFC 5764 section 4.2).
type keys struct {
	// set once
	rtp    sealer  // used by the shard's goroutine; nil if the client sends media
	in     *opener // nil if the client receives media
	rtcp   *srtcp
	alerts alertKeys
}

// newSecrets returns what catches the secrets of a handshake and makes the client's
// keys of them. It does so in the middle of the handshake, before our last flight
// leaves: when the client has that it sends, and of its packets none must be missed.
// How often their numbers have wrapped is known to who has seen them all (RFC 3711
// section 3.3.1).
func (c *client) newSecrets() *secrets {
	c.keys.Store(nil) // those of a handshake that failed
	s := &secrets{}
	s.onMaster = func() {
		if k, err := newKeys(s, c.role, c.sends); err == nil {
			c.keys.Store(k)
		} // else establish tells
	}
	return s
}

// newKeys derives the keys of a handshake in which role is ours.
func newKeys(s *secrets, role sdp.Role, sends bool) (*keys, error) {
	c := srtp.Config{Profile: s.profile}
	if err := c.ExtractSessionKeysFromDTLS(s, role == sdp.Client); err != nil {
		return nil, fmt.Errorf("peer: SRTP keys: %w", err)
	}
	k, sources := &keys{}, maxReporters
	var err error
	if sends {
		sources = maxSources
		k.in, err = newOpener(c.Profile, c.Keys)
	} else {
		k.rtp, err = newSealer(c.Profile, c.Keys.LocalMasterKey, c.Keys.LocalMasterSalt)
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

// opener decrypts what a publisher sends. It is owned by the socket's reader.
type opener struct {
	context *srtp.Context
	sources int // SSRCs of which something has come
}

func newOpener(profile srtp.ProtectionProfile, k srtp.SessionKeys) (*opener, error) {
	c, err := srtp.CreateContext(k.RemoteMasterKey, k.RemoteMasterSalt, profile, srtp.SRTPReplayProtection(replayWindow))
	if err != nil {
		return nil, fmt.Errorf("peer: SRTP: %w", err)
	}
	return &opener{context: c}, nil
}

// open decrypts a packet to dst, whose room it uses, and reads its header. The error
// says that it is damaged, forged, or was there before: all that is no reason to hang
// up.
func (o *opener) open(dst, datagram []byte, h *rtp.Header) ([]byte, error) {
	return o.context.DecryptRTP(dst, datagram, h)
}

// openFirst is open for an SSRC of which it is not known whether something has come:
// there may be maxSources of them. The datagram has at least a header.
func (o *opener) openFirst(dst, datagram []byte, h *rtp.Header) ([]byte, error) {
	_, had := o.context.ROC(binary.BigEndian.Uint32(datagram[8:])) // by genuine packets only
	if !had && o.sources == maxSources {
		return nil, fmt.Errorf("peer: SRTP: the client has used %d SSRCs", maxSources)
	}
	plain, err := o.open(dst, datagram, h)
	if err == nil && !had {
		o.sources++
	}
	return plain, err
}
