package peer

import (
	"encoding/binary"
	"slices"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"weir/sfu/peer/transport"
)

// mediaIntake takes in the media and reports of a publisher: it hands them to the
// receivers of the tracks, on the goroutine that reads the socket.
type mediaIntake struct {
	client   *transport.Client // set once
	arrivals arrivals

	// atomic
	router  atomic.Pointer[router] // nil before the tracks are there
	useless atomic.Int64           // since when no packet was of use though some came, by the client's clock; 0: it is not so
	newest  atomic.Int64           // when the last one of those came

	// owned by the socket's reader
	header  rtp.Header
	scratch []byte
}

// ReceiveRTP implements transport.Receiver.
func (i *mediaIntake) ReceiveRTP(k *transport.Keys, datagram []byte, from transport.Path) {
	r := i.router.Load()
	if r == nil || len(datagram) < transport.RTPHeader || len(datagram) > receiveMTU {
		return
	}
	at := r.known(binary.BigEndian.Uint32(datagram[8:]))
	if at == nil {
		i.takeFirst(k, r, datagram, from)
		return
	}
	plain, err := k.OpenRTP(at.to.of.room()[:0:receiveMTU], datagram, &i.header)
	if err != nil {
		return
	}
	at.to.of.used(len(plain))
	i.came(from)
	i.deliver(at, plain[:len(plain):len(plain)])
}

// takeFirst takes in a packet whose SSRC has no route: the first one, or one of a
// stream that is not known yet.
func (i *mediaIntake) takeFirst(k *transport.Keys, r *router, datagram []byte, from transport.Path) {
	if i.scratch == nil {
		i.scratch = make([]byte, receiveMTU)
	}
	plain, err := k.OpenFirst(i.scratch[:0:receiveMTU], datagram, &i.header)
	if err != nil {
		return
	}
	i.came(from)
	to, retransmitted := r.find(&i.header)
	if to == nil {
		i.note(useless)
		return
	}
	at := r.add(route{ssrc: i.header.SSRC, retransmits: retransmitted, turn: max(1, to.turn), to: to})
	i.deliver(at, slices.Clone(plain))
}

// came notes that the packet in header has come: it is of the client.
func (i *mediaIntake) came(from transport.Path) {
	i.client.Hear(from)
	i.arrivals.packet(&i.header, i.client.Now())
}

// deliver hands a packet to its receiver.
func (i *mediaIntake) deliver(at *route, plain []byte) {
	in := at.to.of
	i.note(in.receive(at, &i.header, plain))
	if !in.fresh {
		in.fresh = true
		i.client.FlushLater(in)
	}
}

// note notes the use of a packet.
func (i *mediaIntake) note(u use) {
	since := i.useless.Load()
	switch {
	case u == useful && since != 0:
		i.useless.Store(0)
	case u == useless:
		now := max(1, int64(i.client.Now()))
		i.newest.Store(now)
		if since == 0 {
			i.useless.Store(now)
		}
	}
}

// inVain returns for how long packets have come none of which was of use. One that is
// followed by nothing is no sign of anything: a client may pause.
func (i *mediaIntake) inVain() time.Duration {
	if since := i.useless.Load(); since != 0 {
		return time.Duration(i.newest.Load() - since)
	}
	return 0
}

// ReceiveRTCP implements transport.Receiver. A client with nothing to show reports all the same.
func (i *mediaIntake) ReceiveRTCP(packets []rtcp.Packet) {
	r := i.router.Load()
	if r == nil {
		return
	}
	for _, p := range packets {
		if sr, ok := p.(*rtcp.SenderReport); ok {
			for _, in := range r.receivers {
				in.synchronize(sr)
			}
		}
	}
}
