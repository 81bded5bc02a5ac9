package peer

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/pion/stun/v4"
)

// packetConn is a UDP socket that does without net.Addr, as a *net.UDPConn can.
type packetConn interface {
	net.PacketConn
	datagramWriter
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
}

// plainConn makes a packetConn of any connection: that of a virtual network, say.
type plainConn struct{ net.PacketConn }

func (c plainConn) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := c.ReadFrom(b)
	if err != nil {
		return n, netip.AddrPort{}, err
	}
	udp, ok := from.(*net.UDPAddr)
	if !ok {
		return n, netip.AddrPort{}, net.InvalidAddrError("not a UDP address")
	}
	at := udp.AddrPort()
	return n, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()), nil
}

func (c plainConn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteTo(b, net.UDPAddrFromAddrPort(to))
}

// demux reads the socket of all clients. It hands to each what has come for it, and
// drops what comes from an address that nobody has proved to be at: before any
// cryptography, but for the check of a connectivity check.
type demux struct {
	// set once
	conn   packetConn
	bursts bool // conn tells when it has read all there was

	// owned by the reader
	message stun.Message // scratch space
	fresh   []flusher    // have something that is to be flushed

	// atomic
	dropped atomic.Uint64 // datagrams of handshakes for which there was no room
	closed  atomic.Bool

	// guarded by mu
	mu        sync.RWMutex
	byUfrag   map[string]*client
	byAddress [networks]map[netip.AddrPort]*client
}

// hereFlushers is how many publishers' viewers are served on the goroutine that reads,
// one after the other (see sfu.TrackWriter.Flush). When more have news there is work
// for all cores.
const hereFlushers = 4

// flusher does once for a burst of datagrams what it need not do for each. here says
// that it may do it all itself.
type flusher interface{ flush(here bool) }

func newDemux(c net.PacketConn) *demux {
	d := &demux{byUfrag: map[string]*client{}}
	for n := range d.byAddress {
		d.byAddress[n] = map[netip.AddrPort]*client{}
	}
	var ok bool
	if d.conn, ok = c.(packetConn); !ok {
		d.conn = plainConn{c}
	}
	if telling, ok := c.(interface{ OnIdle(f func()) }); ok {
		telling.OnIdle(d.flush)
		d.bursts = true
	}
	return d
}

// maxDatagram is the largest datagram that is read whole. Clients send none that is
// larger than a packet of the network.
const maxDatagram = 8 << 10

// run reads the socket until it is closed, which is no error, or ctx is done, which
// closes it.
func (d *demux) run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.close() })
	defer stop()
	b := make([]byte, maxDatagram)
	for {
		n, from, err := d.conn.ReadFromUDPAddrPort(b)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case d.closed.Load():
			return nil
		case err != nil:
			return fmt.Errorf("peer: read: %w", err)
		}
		d.receive(b[:n], path{overUDP, from, d.conn})
		if !d.bursts {
			d.flush()
		}
	}
}

// close closes the socket. Closing twice is fine.
func (d *demux) close() error {
	if d.closed.Swap(true) {
		return nil
	}
	return d.conn.Close()
}

// flushLater has f flushed when all is read that there was. f notes itself that it
// waits for that, since it may come again.
func (d *demux) flushLater(f flusher) { d.fresh = append(d.fresh, f) }

func (d *demux) flush() {
	here := len(d.fresh) <= hereFlushers
	for i, f := range d.fresh {
		f.flush(here)
		d.fresh[i] = nil
	}
	d.fresh = d.fresh[:0]
}

// By the first byte of a datagram one knows what it is (RFC 7983 section 7).
const (
	lastSTUN            = 3
	firstDTLS, lastDTLS = 20, 63
	firstRTP, lastRTP   = 128, 191
)

// receive hands a datagram to the client. It is called by one goroutine at a time.
func (d *demux) receive(datagram []byte, from path) {
	if len(datagram) == 0 {
		return
	}
	first := datagram[0]
	if first <= lastSTUN { // nothing but checks: nobody here asks for anything
		if local, _, ok := usernameOf(datagram); ok {
			if c := d.of(local); c != nil {
				c.receiveCheck(&d.message, datagram, from)
			}
		}
		return
	}
	c := d.at(from)
	switch {
	case c == nil:
	case first >= firstDTLS && first <= lastDTLS:
		c.receiveRecords(datagram)
	case first >= firstRTP && first <= lastRTP:
		c.receiveMedia(datagram, from)
	}
}

// of returns the client of an ICE session, or nil.
func (d *demux) of(ufrag []byte) *client {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byUfrag[string(ufrag)]
}

// at returns the client whose datagrams come by a path, or nil.
func (d *demux) at(from path) *client {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byAddress[from.network][from.address]
}

// add makes checks with that user name fragment go to c.
func (d *demux) add(ufrag string, c *client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byUfrag[ufrag] = c
}

// forget is the opposite of add.
func (d *demux) forget(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byUfrag, ufrag)
}

// bind makes what comes by a path go to c. Whoever proved last to be there is there: a
// NAT may give the address to another one.
func (d *demux) bind(at path, c *client) {
	if d.at(at) == c {
		return // so nearly always: nobody else has to wait
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byAddress[at.network][at.address] = c
}

// unbind is the opposite of bind.
func (d *demux) unbind(at path, c *client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byAddress[at.network][at.address] == c {
		delete(d.byAddress[at.network], at.address)
	}
}

// known returns how many addresses and ICE sessions there are.
func (d *demux) known() (addresses, sessions int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, of := range d.byAddress {
		addresses += len(of)
	}
	return addresses, len(d.byUfrag)
}
