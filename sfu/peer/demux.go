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

// demux lies between the socket and pion's mux. What viewers send is taken out
// and handled at once, on the goroutine that reads; all else goes on to pion,
// which knows publishers and drops what nobody knows.
type demux struct {
	socket
	message stun.Message // scratch space of the reader

	// guarded by mu
	mu      sync.RWMutex
	byUfrag map[string]*transport
	byAddr  map[netip.AddrPort]*transport
}

func newDemux(c net.PacketConn) *demux {
	d := &demux{byUfrag: map[string]*transport{}, byAddr: map[netip.AddrPort]*transport{}}
	var ok bool
	if d.socket, ok = c.(socket); !ok {
		d.socket = plainSocket{c}
	}
	return d
}

// ReadFromAddrPort implements ice.AddrPortReaderWriter: it returns the next
// datagram that is not a viewer's.
func (d *demux) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	for {
		n, from, err := d.ReadFromUDPAddrPort(b)
		if err != nil || !d.take(b[:n], from) {
			return n, from, err
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

// take handles a datagram if it is a viewer's (RFC 7983 section 7 tells by the
// first byte what it is). Of an address that no check has come from, only a check
// is taken: nobody else can have proved to be there.
func (d *demux) take(datagram []byte, from netip.AddrPort) bool {
	if len(datagram) == 0 {
		return false
	}
	const lastSTUN, firstDTLS, lastDTLS, firstRTP, lastRTP = 3, 20, 63, 128, 191
	switch first := datagram[0]; {
	case first <= lastSTUN:
		return d.takeCheck(datagram, from)
	case first >= firstDTLS && first <= lastDTLS:
		if t := d.at(from); t != nil {
			t.takeRecords(datagram)
			return true
		}
	case first >= firstRTP && first <= lastRTP:
		if t := d.at(from); t != nil {
			t.takeReport(datagram, from)
			return true
		}
	}
	return false
}

func (d *demux) takeCheck(datagram []byte, from netip.AddrPort) bool {
	local, _, ok := usernameOf(datagram)
	if !ok {
		return false
	}
	d.mu.RLock()
	t := d.byUfrag[string(local)]
	d.mu.RUnlock()
	if t == nil {
		return false
	}
	t.takeCheck(&d.message, datagram, from)
	return true
}

// at returns the viewer at an address, or nil.
func (d *demux) at(from netip.AddrPort) *transport {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return d.byAddr[from]
}

// add makes checks with that user name fragment go to t.
func (d *demux) add(ufrag string, t *transport) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byUfrag[ufrag] = t
}

// forget is the opposite of add.
func (d *demux) forget(ufrag string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.byUfrag, ufrag)
}

// bind makes what comes from an address go to t. Whoever proved last to be there
// is there: a NAT may give the address to another one.
func (d *demux) bind(at netip.AddrPort, t *transport) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.byAddr[at] = t
}

// unbind is the opposite of bind.
func (d *demux) unbind(at netip.AddrPort, t *transport) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.byAddr[at] == t {
		delete(d.byAddr, at)
	}
}
