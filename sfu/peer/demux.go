package peer

import (
	"net"
	"net/netip"
	"sync"

	"github.com/pion/stun/v4"
)

// socket is a UDP socket that does without net.Addr, as a *net.UDPConn can.
type socket interface {
	net.PacketConn
	ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error)
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// plainSocket makes a socket of any connection: that of a virtual network, say.
type plainSocket struct{ net.PacketConn }

func (s plainSocket) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	n, from, err := s.ReadFrom(b)
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

func (s plainSocket) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return s.WriteTo(b, net.UDPAddrFromAddrPort(to))
}

// endpoint takes in what comes for one client. Its methods run on the goroutine
// that reads the socket, which they must not hold up. They return what is left for
// pion, if anything.
type endpoint interface {
	// takeCheck takes in a connectivity check for the client's ICE session. m is
	// scratch space.
	takeCheck(m *stun.Message, datagram []byte, from netip.AddrPort) []byte
	// takeRecords takes in DTLS, and takeMedia SRTP or SRTCP, both from an address
	// that a valid check of the client has come from.
	takeRecords(datagram []byte) []byte
	takeMedia(datagram []byte, from netip.AddrPort) []byte
}

// demux lies between the socket and pion's mux. It hands to each client's endpoint
// what has come for it, and drops what comes from an address that nobody has proved
// to be at: before any cryptography, but for the check of a connectivity check.
// What publishers' endpoints leave goes on to pion.
type demux struct {
	socket
	message stun.Message // scratch space of the reader
	bursts  bool         // the socket tells when it has read all there was
	fresh   []flusher    // have something that is to be flushed; owned by the reader

	// guarded by mu
	mu      sync.RWMutex
	byUfrag map[string]endpoint
	byAddr  map[netip.AddrPort]endpoint
}

// lastSTUN is the highest first byte of STUN.
const lastSTUN = 3

// hereFlushers is how many publishers' viewers are served on the goroutine that reads,
// one after the other (see sfu.TrackWriter.Flush). When more have news there is work
// for all cores.
const hereFlushers = 4

// flusher does once for a burst of datagrams what it need not do for each. here says
// that it may do it all itself.
type flusher interface{ flush(here bool) }

func newDemux(c net.PacketConn) *demux {
	d := &demux{byUfrag: map[string]endpoint{}, byAddr: map[netip.AddrPort]endpoint{}}
	var ok bool
	if d.socket, ok = c.(socket); !ok {
		d.socket = plainSocket{c}
	}
	if telling, ok := c.(interface{ OnIdle(f func()) }); ok {
		telling.OnIdle(d.flush)
		d.bursts = true
	}
	return d
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

// ReadFromAddrPort implements ice.AddrPortReaderWriter: it returns the next
// datagram that is pion's.
func (d *demux) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := d.ReadFromUDPAddrPort(b)
		if err != nil {
			return n, from, err
		}
		rest := d.take(b[:n], from)
		if !d.bursts {
			d.flush()
		}
		if len(rest) > 0 {
			return copy(b, rest), from, nil
		}
	}
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (d *demux) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return d.WriteToUDPAddrPort(b, to)
}

// ReadFrom implements net.PacketConn, as ReadFromAddrPort.
func (d *demux) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := d.ReadFromAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// take hands a datagram to the client's endpoint, and returns what is left for
// pion. RFC 7983 section 7 tells by the first byte what it is.
func (d *demux) take(datagram []byte, from netip.AddrPort) []byte {
	if len(datagram) == 0 {
		return nil
	}
	const firstDTLS, lastDTLS, firstRTP, lastRTP = 20, 63, 128, 191
	first := datagram[0]
	if first <= lastSTUN { // nothing but checks: nobody here asks for anything
		if local, _, ok := usernameOf(datagram); ok {
			if e := d.of(local); e != nil {
				return e.takeCheck(&d.message, datagram, from)
			}
		}
		return nil
	}
	e := d.at(from)
	switch {
	case e == nil:
	case first >= firstDTLS && first <= lastDTLS:
		return e.takeRecords(datagram)
	case first >= firstRTP && first <= lastRTP:
		return e.takeMedia(datagram, from)
	}
	return nil
}

// of returns the endpoint of an ICE session, or nil.
func (d *demux) of(ufrag []byte) endpoint {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byUfrag[string(ufrag)]
}

// at returns the endpoint of the client at an address, or nil.
func (d *demux) at(from netip.AddrPort) endpoint {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byAddr[from]
}

// add makes checks with that user name fragment go to e.
func (d *demux) add(ufrag string, e endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byUfrag[ufrag] = e
}

// forget is the opposite of add.
func (d *demux) forget(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byUfrag, ufrag)
}

// bind makes what comes from an address go to e. Whoever proved last to be there
// is there: a NAT may give the address to another one.
func (d *demux) bind(at netip.AddrPort, e endpoint) {
	if d.at(at) == e {
		return // so nearly always: nobody else has to wait
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byAddr[at] = e
}

// unbind is the opposite of bind.
func (d *demux) unbind(at netip.AddrPort, e endpoint) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byAddr[at] == e {
		delete(d.byAddr, at)
	}
}
