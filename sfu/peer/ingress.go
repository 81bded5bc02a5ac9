package peer

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

// ingress is a publisher's endpoint at the socket. It lets through to pion what
// pion answers: genuine checks, and DTLS as far as it cannot do harm. Media and
// reports it decrypts itself and hands to the inputs of the tracks, on the goroutine
// that reads the socket: pion would pass each packet through four goroutines and as
// many buffers, at five times the cost, and what came together would not arrive
// together.
type ingress struct {
	presence
	arrivals arrivals

	role     sdp.Role // ours; set once
	secrets  secrets  // owned by the handshake
	greeting greeting // if we are the client; owned by the socket's reader

	// atomic
	keys    atomic.Pointer[publisherKeys] // nil before the client can have them
	through atomic.Bool                   // the handshake is over
	router  atomic.Pointer[router]        // nil before the tracks are there
	useless atomic.Int64                  // since when no packet was of use though some came, as presence.heard; 0: it is not so
	newest  atomic.Int64                  // when the last one of those came

	// owned by the socket's reader
	header  rtp.Header
	scratch []byte
	sources int // SSRCs of which something has come
}

// publisherKeys are the keys of a publisher's session (RFC 5764 section 4.2).
type publisherKeys struct {
	in   *srtp.Context // RTP; owned by the socket's reader
	rtcp *srtcp
}

func newIngress(role sdp.Role) *ingress {
	i := &ingress{role: role}
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
	if c.Profile == 0 || c.ExtractSessionKeysFromDTLS(&i.secrets, i.role == sdp.Client) != nil {
		return // established tells
	}
	in, err := srtp.CreateContext(c.Keys.RemoteMasterKey, c.Keys.RemoteMasterSalt, c.Profile, srtp.SRTPReplayProtection(replayWindow))
	if err != nil {
		return
	}
	reports, err := newSRTCP(c.Profile, c.Keys, maxSources)
	if err != nil {
		return
	}
	i.keys.Store(&publisherKeys{in: in, rtcp: reports})
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
	if i.role == sdp.Client {
		s.handshake = i.greeting.filter(s.handshake)
	}
	for _, r := range s.alerts {
		s.handshake = append(s.handshake, r...)
	}
	return s.handshake
}

// takeMedia implements endpoint: nothing is left for pion.
func (i *ingress) takeMedia(datagram []byte, from netip.AddrPort) []byte {
	keys, r := i.keys.Load(), i.router.Load()
	if keys == nil || r == nil || len(datagram) < rtpHeader || len(datagram) > receiveMTU {
		return nil
	}
	if datagram[1] >= firstRTCP && datagram[1] <= lastRTCP {
		i.takeReports(keys.rtcp, r, datagram, from)
		return nil
	}
	at := r.known(binary.BigEndian.Uint32(datagram[8:]))
	if at == nil {
		i.takeFirst(keys, r, datagram, from)
		return nil
	}
	plain, err := keys.in.DecryptRTP(at.to.of.room()[:0:receiveMTU], datagram, &i.header)
	if err != nil {
		return nil // damaged, forged, or there before: all that is no reason to hang up
	}
	at.to.of.used(len(plain))
	i.came(from)
	i.deliver(at, plain[:len(plain):len(plain)])
	return nil
}

// takeFirst takes in a packet whose SSRC has no route: the first one, or one of a
// stream of which nobody knows yet what it is.
func (i *ingress) takeFirst(keys *publisherKeys, r *router, datagram []byte, from netip.AddrPort) {
	_, had := keys.in.ROC(binary.BigEndian.Uint32(datagram[8:])) // by genuine packets only
	if !had && i.sources == maxSources {
		return
	}
	if i.scratch == nil {
		i.scratch = make([]byte, receiveMTU)
	}
	plain, err := keys.in.DecryptRTP(i.scratch[:0:receiveMTU], datagram, &i.header)
	if err != nil {
		return
	}
	if !had {
		i.sources++
	}
	i.came(from)
	to, again := r.find(&i.header)
	if to == nil {
		i.note(useless)
		return
	}
	at := r.add(route{ssrc: i.header.SSRC, again: again, turn: max(1, to.turn), to: to})
	i.deliver(at, slices.Clone(plain))
}

// came notes that the packet in header has come: it is of the client.
func (i *ingress) came(from netip.AddrPort) {
	i.hearAt(from)
	i.arrivals.packet(&i.header, time.Since(i.started))
}

// deliver hands a packet to its input.
func (i *ingress) deliver(at *route, plain []byte) {
	in := at.to.of
	i.note(in.receive(at, &i.header, plain))
	if !in.fresh {
		in.fresh = true
		i.demux.flushLater(in)
	}
}

// note takes note of what a packet was good for.
func (i *ingress) note(u use) {
	since := i.useless.Load()
	switch {
	case u == useful && since != 0:
		i.useless.Store(0)
	case u == useless:
		now := max(1, int64(time.Since(i.started)))
		i.newest.Store(now)
		if since == 0 {
			i.useless.Store(now)
		}
	}
}

// inVain returns for how long packets have come none of which was of use. One that is
// followed by nothing is no sign of anything: a client may pause.
func (i *ingress) inVain() time.Duration {
	if since := i.useless.Load(); since != 0 {
		return time.Duration(i.newest.Load() - since)
	}
	return 0
}

// takeReports takes in what a client reports.
func (i *ingress) takeReports(keys *srtcp, r *router, datagram []byte, from netip.AddrPort) {
	packets, ok := keys.open(datagram)
	if !ok {
		return
	}
	i.hearAt(from) // a client with nothing to show reports all the same
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			for _, in := range r.inputs {
				in.synchronize(sr)
			}
		}
	}
}

// report sends reports and requests to the client.
func (i *ingress) report(packets []rtcp.Packet) {
	keys, to := i.keys.Load(), i.to.Load()
	if keys == nil || to == nil {
		return // it is not connected
	}
	if datagram, err := keys.rtcp.seal(nil, packets); err == nil {
		// What is lost is told again.
		_, _ = i.demux.WriteToUDPAddrPort(datagram, *to)
	}
}
