package udp

import (
	"net"
	"net/netip"
	"time"
)

// Conn is a UDP socket. It is a net.PacketConn, and safe for concurrent use.
//
// Sending never waits: a datagram for which the kernel has no room is dropped and
// counted, as a router would. So no caller waits for a slow network.
type Conn struct {
	socket *socket
	local  *net.UDPAddr
}

// newConn returns a Conn that has taken over opened.
func newConn(opened *net.UDPConn) (*Conn, error) {
	local := opened.LocalAddr().(*net.UDPAddr) // a UDPConn has no other
	s, err := newSocket(opened)
	if err != nil {
		return nil, err
	}
	return &Conn{s, local}, nil
}

// ReadFromUDPAddrPort waits for a datagram and copies it to b. One that is larger
// than b is cut. IPv4 addresses are plain ones, also on a socket of both
// families. The error is a *net.OpError: net.ErrClosed after Close,
// os.ErrDeadlineExceeded, or the kernel's.
func (c *Conn) ReadFromUDPAddrPort(b []byte) (n int, from netip.AddrPort, err error) {
	if n, from, err = c.socket.read(b); err != nil {
		err = &net.OpError{Op: "read", Net: "udp", Source: c.local, Err: err}
	}
	return n, from, err
}

// OnIdle has f called by the goroutine that reads whenever it has read all there
// was and is about to wait, and in any case after 256 datagrams: for what is better
// done once for a burst than for each datagram. Where the kernel cannot tell, on
// systems other than Linux, that is before each read. It is set before the first read,
// and f must not read.
func (c *Conn) OnIdle(f func()) { c.socket.onIdle = f }

// WriteToUDPAddrPort sends b as one datagram, without waiting: if the send buffer
// is full, the datagram is dropped, which is no error. The error is a
// *net.OpError: net.ErrClosed after Close, or the kernel's.
func (c *Conn) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if err := c.socket.write(b, to); err != nil {
		return 0, &net.OpError{Op: "write", Net: "udp", Source: c.local, Addr: net.UDPAddrFromAddrPort(to), Err: err}
	}
	return len(b), nil
}

// ReadFromAddrPort is ReadFromUDPAddrPort. By this name pion/ice knows a
// connection that needs no allocated addresses (ice.AddrPortReaderWriter).
func (c *Conn) ReadFromAddrPort(b []byte) (int, netip.AddrPort, error) {
	return c.ReadFromUDPAddrPort(b)
}

// WriteToAddrPort is WriteToUDPAddrPort, by pion/ice's name.
func (c *Conn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	return c.WriteToUDPAddrPort(b, to)
}

// ReadFrom is ReadFromUDPAddrPort with a *net.UDPAddr.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, from, err := c.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, nil, err
	}
	return n, net.UDPAddrFromAddrPort(from), nil
}

// WriteTo is WriteToUDPAddrPort with a *net.UDPAddr; other types are refused.
func (c *Conn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok || a == nil {
		return 0, &net.OpError{Op: "write", Net: "udp", Source: c.local, Addr: to, Err: net.InvalidAddrError("not a *net.UDPAddr")}
	}
	return c.WriteToUDPAddrPort(b, a.AddrPort())
}

// LocalAddr returns the *net.UDPAddr at which the socket listens.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// SetDeadline is SetReadDeadline: sending does not wait.
func (c *Conn) SetDeadline(t time.Time) error { return c.socket.setReadDeadline(t) }

// SetReadDeadline makes reads fail with os.ErrDeadlineExceeded from t on; the
// zero time stands for never. A read that waits already notices within 0.1 s.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.socket.setReadDeadline(t) }

// SetWriteDeadline does nothing: sending does not wait.
func (c *Conn) SetWriteDeadline(time.Time) error { return nil }

// Close closes the socket and ends the reads that wait, with net.ErrClosed. A
// second call does nothing.
func (c *Conn) Close() error { return c.socket.close() }

// OnFallback has f called with each form of sending or reading that the kernel refuses
// from then on, and now with those that it has refused already: at most three in a
// Conn's life. The error says how it goes on, and wraps the kernel's. f is called by
// the goroutine that was refused, which does not wait for the network: so f should be
// quick, and it must not close c.
func (c *Conn) OnFallback(f func(error)) { c.socket.onFallback(f) }

// Stats returns what was done so far.
func (c *Conn) Stats() Stats { return c.socket.stats() }
