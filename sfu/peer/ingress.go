package peer

import (
	"encoding/binary"
	"errors"
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

	role     dtlsRole // ours; set once
	secrets  secrets  // owned by the handshake
	greeting greeting // if we are the client; owned by the socket's reader

	// atomic
	keys    atomic.Pointer[srtp.Context] // of SRTP; nil before the client can have them
	through atomic.Bool                  // the handshake is over
	routes  atomic.Pointer[[]route]

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

func newIngress(role dtlsRole) *ingress {
	i := &ingress{role: role, passed: map[uint32]uint16{}}
	i.secrets.onMaster = i.derive
	i.greeting.known = &i.secrets
	return i
}

// derive makes the keys. It does so in the middle of the handshake, before our last
// flight leaves: when the client has that it sends, and of its packets none must be
// missed. How often their numbers have wrapped is known to who has seen them all (RFC
// 3711 section 3.3.1).
func (i *ingress) derive() {
	c := srtp.Config{Profile: i.secrets.profile}
	if c.Profile == 0 || c.ExtractSessionKeysFromDTLS(&i.secrets, i.role == dtlsClient) != nil {
		return // established tells
	}
	keys, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile, srtp.SRTPReplayProtection(replayWindow))
	if err == nil {
		i.keys.Store(keys)
	}
}

// established says that the handshake is over.
func (i *ingress) established() error {
	if i.keys.Load() == nil {
		return errors.New("peer: DTLS: the client takes none of our SRTP profiles")
	}
	i.through.Store(true)
	return nil
}

// takeCheck implements endpoint: pion answers the checks, but only genuine ones. Of
// the ICE session before a restart it knows nothing any more, and with a client that
// wants to be the controlled one it would change roles.
func (i *ingress) takeCheck(m *stun.Message, datagram []byte, from netip.AddrPort) []byte {
	o := i.check(m, datagram, from)
	if o.answer == nil {
		return nil
	}
	if o.valid && !o.former {
		return datagram
	}
	// What is lost is asked for again.
	_, _ = i.demux.WriteToUDPAddrPort(o.answer, from)
	return nil
}

// takeRecords implements endpoint. Whether an encrypted alert is genuine, pion
// finds out.
func (i *ingress) takeRecords(datagram []byte) []byte {
	s := sift(datagram, i.role, i.through.Load())
	if i.role == dtlsClient {
		s.handshake = i.greeting.filter(s.handshake)
	}
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
// that number. It does nothing as long as pion has later ones in its buffers: they
// would be overtaken.
func (i *ingress) take(in *input, ssrc uint32, seq uint16) {
	if _, known := i.route(ssrc); known {
		return
	}
	i.handing.Lock()
	defer i.handing.Unlock()
	if newest, ok := i.passed[ssrc]; !ok || newest != seq {
		return
	}
	i.replace(route{ssrc: ssrc, to: in})
}

// takeRepairs gives an input that has a route the retransmissions of an SSRC. Those
// that pion has in its buffers are asked for once more.
func (i *ingress) takeRepairs(in *input, ssrc uint32) {
	i.handing.Lock()
	defer i.handing.Unlock()
	if _, known := i.route(ssrc); known || !i.serves(in) {
		return
	}
	i.replace(route{ssrc: ssrc, again: true, to: in})
}

// serves says that an input has a route.
func (i *ingress) serves(in *input) bool {
	routes := i.routes.Load()
	return routes != nil && slices.ContainsFunc(*routes, func(r route) bool { return r.to == in && !r.again })
}

// replace adds a route in place of an older one of the same kind: of one input only
// the newest SSRC counts, and a client that goes from one to the other must not make
// the list long. It is called with handing held.
func (i *ingress) replace(next route) {
	delete(i.passed, next.ssrc)
	var routes []route
	if old := i.routes.Load(); old != nil {
		routes = slices.DeleteFunc(slices.Clone(*old), func(r route) bool { return r.to == next.to && r.again == next.again })
	}
	routes = append(routes, next)
	i.routes.Store(&routes)
}
