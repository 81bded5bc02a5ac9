package peer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"
)

// ingress is a publisher's endpoint at the socket. It lets through to pion what
// pion answers: genuine checks, and DTLS as far as it cannot do harm. The media of
// tracks that are known it decrypts itself and hands to their inputs, on the
// goroutine that reads the socket: pion would pass each packet through four
// goroutines and as many buffers, at five times the cost, and what came together
// would not arrive together.
type ingress struct {
	presence
	arrivals arrivals

	secrets secrets                      // owned by the handshake
	keys    atomic.Pointer[srtp.Context] // of SRTP; nil before the handshake is through

	routes atomic.Pointer[[]route]

	// guarded by handing
	handing sync.Mutex
	passed  map[uint32]uint16 // SSRC to the number of the newest packet that was left for pion

	// owned by the socket's reader
	header  rtp.Header
	scratch []byte
}

// route is where the packets of an SSRC go.
type route struct {
	ssrc  uint32
	again bool // it retransmits those of another one (RFC 4588)
	to    *input
}

func newIngress() *ingress { return &ingress{passed: map[uint32]uint16{}} }

// established makes the keys when the handshake is over.
func (i *ingress) established() error {
	if i.secrets.profile == 0 {
		return errors.New("peer: DTLS: the client takes none of our SRTP profiles")
	}
	c := srtp.Config{Profile: i.secrets.profile}
	if err := c.ExtractSessionKeysFromDTLS(&i.secrets, false); err != nil {
		return fmt.Errorf("peer: SRTP keys: %w", err)
	}
	keys, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile, srtp.SRTPReplayProtection(replayWindow))
	if err != nil {
		return fmt.Errorf("peer: SRTP: %w", err)
	}
	i.keys.Store(keys)
	return nil
}

// takeCheck implements endpoint: pion answers the checks, but only genuine ones.
func (i *ingress) takeCheck(m *stun.Message, datagram []byte, from netip.AddrPort) []byte {
	if i.check(m, datagram, from).answer == nil {
		return nil
	}
	return datagram
}

// takeResponse implements endpoint.
func (i *ingress) takeResponse(datagram []byte) []byte { return datagram }

// takeRecords implements endpoint. Whether an encrypted alert is genuine, pion
// finds out.
func (i *ingress) takeRecords(datagram []byte) []byte {
	s := sift(datagram, i.keys.Load() != nil)
	for _, r := range s.alerts {
		s.handshake = append(s.handshake, r...)
	}
	return s.handshake
}

// takeMedia implements endpoint.
func (i *ingress) takeMedia(datagram []byte, from netip.AddrPort) []byte {
	keys := i.keys.Load()
	if keys == nil || len(datagram) < rtpHeader || datagram[1] >= firstRTCP && datagram[1] <= lastRTCP {
		return datagram
	}
	if len(datagram) > receiveMTU {
		return nil
	}
	ssrc := binary.BigEndian.Uint32(datagram[8:])
	r, known := i.route(ssrc)
	plain := i.open(keys, datagram, r.to)
	if plain == nil {
		return nil // damaged, forged, or there before: all that is no reason to hang up
	}
	i.hearAt(from)
	i.arrivals.packet(&i.header, time.Since(i.started))
	switch {
	case known:
		r.to.used(len(plain))
		plain = plain[:len(plain):len(plain)]
	case i.pass(ssrc, i.header.SequenceNumber):
		return datagram
	default: // it has just become known
		r, _ = i.route(ssrc)
		plain = slices.Clone(plain)
	}
	if r.to.receive(&i.header, plain, r.again) {
		i.demux.flushLater(r.to)
	}
	return nil
}

// open decrypts a packet into the slab of an input, where it may stay, or into
// scratch space if there is none yet. It returns nil if that fails.
func (i *ingress) open(keys *srtp.Context, datagram []byte, in *input) []byte {
	var to []byte
	if in != nil {
		to = in.room()
	} else {
		if i.scratch == nil {
			i.scratch = make([]byte, receiveMTU)
		}
		to = i.scratch
	}
	plain, err := keys.DecryptRTP(to[:0:receiveMTU], datagram, &i.header)
	if err != nil {
		return nil
	}
	return plain
}

// route returns where the packets of an SSRC go, if they go past pion.
func (i *ingress) route(ssrc uint32) (route, bool) {
	if routes := i.routes.Load(); routes != nil {
		for _, r := range *routes {
			if r.ssrc == ssrc {
				return r, true
			}
		}
	}
	return route{}, false
}

// pass notes that a packet is left for pion. It returns false if it is not to be:
// its SSRC has got a route.
func (i *ingress) pass(ssrc uint32, seq uint16) bool {
	i.handing.Lock()
	defer i.handing.Unlock()
	if _, known := i.route(ssrc); known {
		return false
	}
	if _, noted := i.passed[ssrc]; noted || len(i.passed) < maxStreams {
		i.passed[ssrc] = seq
	}
	return true
}

// take gives an input the packets of an SSRC, when pion has yielded the one with
// that number, and of its retransmissions (0: none). It does nothing as long as pion
// has later ones in its buffers: they would be overtaken.
func (i *ingress) take(in *input, ssrc uint32, seq uint16, rtx uint32) {
	if _, known := i.route(ssrc); known {
		return
	}
	i.handing.Lock()
	defer i.handing.Unlock()
	if newest, ok := i.passed[ssrc]; !ok || newest != seq {
		return
	}
	delete(i.passed, ssrc)
	var routes []route
	if old := i.routes.Load(); old != nil {
		// Of one input only the newest SSRC counts: a client that goes from one to the
		// other must not make the list long.
		routes = slices.DeleteFunc(slices.Clone(*old), func(r route) bool { return r.to == in && r.ssrc != rtx })
	}
	routes = append(routes, route{ssrc: ssrc, to: in})
	if rtx != 0 && !slices.ContainsFunc(routes, func(r route) bool { return r.ssrc == rtx }) {
		routes = append(routes, route{ssrc: rtx, again: true, to: in})
	}
	i.routes.Store(&routes)
}
