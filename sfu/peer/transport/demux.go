package transport

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
	DatagramWriter
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

// Demux reads the socket of all clients. It hands to each its datagrams, and drops
// those from an address at which no client has proved to be: before any cryptography,
// but for the check of a connectivity check.
type Demux struct {
	// set once
	conn   packetConn
	bursts bool // conn tells when it has read all there was

	// owned by the reader
	message stun.Message // scratch space
	fresh   []Flusher    // have something that is to be flushed

	// atomic
	dropped atomic.Uint64 // datagrams of handshakes for which there was no room
	closed  atomic.Bool

	// guarded by mu
	mu        sync.RWMutex
	byUfrag   map[string]*Client
	byAddress [networks]map[netip.AddrPort]*Client
}

// inlineFlushers is how many publishers' viewers are served on the goroutine that reads,
// one after the other (see sfu.TrackWriter.Flush). When more have news there is work
// for all cores.
const inlineFlushers = 4

// Flusher does once for a burst of datagrams what it need not do for each. inline
// reports whether it may do it all itself.
type Flusher interface{ Flush(inline bool) }

// NewDemux returns a demux that reads c. If c is a *udp.Conn, what comes together is
// flushed together, and what is sent together leaves together.
func NewDemux(c net.PacketConn) *Demux {
	d := &Demux{byUfrag: map[string]*Client{}}
	for n := range d.byAddress {
		d.byAddress[n] = map[netip.AddrPort]*Client{}
	}
	var ok bool
	if d.conn, ok = c.(packetConn); !ok {
		d.conn = plainConn{c}
	}
	if telling, ok := c.(interface{ OnIdle(f func()) }); ok {
		telling.OnIdle(d.Flush)
		d.bursts = true
	}
	return d
}

// maxDatagram is the largest datagram that is read whole. Clients send none that is
// larger than a packet of the network.
const maxDatagram = 8 << 10

// Run reads the socket, and hands datagrams to clients, until Close, which is no error,
// or until ctx is done, whose cause it returns: then it has closed the socket.
func (d *Demux) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = d.Close() })
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
			return fmt.Errorf("transport: read: %w", err)
		}
		d.Receive(b[:n], Path{UDP, from, d.conn})
		if !d.bursts {
			d.Flush()
		}
	}
}

// Close closes the socket. Closing twice is fine.
func (d *Demux) Close() error {
	if d.closed.Swap(true) {
		return nil
	}
	return d.conn.Close()
}

// Flush flushes what waits for it. Run does so by itself.
func (d *Demux) Flush() {
	inline := len(d.fresh) <= inlineFlushers
	for i, f := range d.fresh {
		f.Flush(inline)
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

// Receive hands a datagram to the client. It is called by one goroutine at a time.
func (d *Demux) Receive(datagram []byte, from Path) {
	if len(datagram) == 0 {
		return
	}
	first := datagram[0]
	if first <= lastSTUN { // nothing but checks: we send no requests of our own
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
		c.ReceiveMedia(datagram, from)
	}
}

// of returns the client of an ICE session, or nil.
func (d *Demux) of(ufrag []byte) *Client {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byUfrag[string(ufrag)]
}

// at returns the client whose datagrams come by a path, or nil.
func (d *Demux) at(from Path) *Client {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byAddress[from.Network][from.Address]
}

// add makes checks with that user name fragment go to c.
func (d *Demux) add(ufrag string, c *Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byUfrag[ufrag] = c
}

// forget is the opposite of add.
func (d *Demux) forget(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byUfrag, ufrag)
}

// bind makes what comes by a path go to c. The client that proved last to be there is
// there: a NAT may give the address to another one.
func (d *Demux) bind(at Path, c *Client) {
	if d.at(at) == c {
		return // so nearly always: no other goroutine has to wait
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byAddress[at.Network][at.Address] = c
}

// unbind is the opposite of bind.
func (d *Demux) unbind(at Path, c *Client) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byAddress[at.Network][at.Address] == c {
		delete(d.byAddress[at.Network], at.Address)
	}
}

// Known returns how many addresses and ICE sessions there are.
func (d *Demux) Known() (addresses, sessions int) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	for _, of := range d.byAddress {
		addresses += len(of)
	}
	return addresses, len(d.byUfrag)
}

// Dropped returns how many datagrams of handshakes found no room: their clients send
// them again.
func (d *Demux) Dropped() uint64 { return d.dropped.Load() }
