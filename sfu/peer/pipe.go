package peer

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v4/deadline"
)

// The addresses of both ends of a pipe. Nobody is there: they are of documentation
// (RFC 5737).
var (
	pipeHere  = netip.MustParseAddrPort("192.0.2.1:9")
	pipeThere = netip.MustParseAddrPort("192.0.2.2:9")
)

// pipe is the net.PacketConn of a handshake, in memory: it yields the client's
// handshake records, and sends to where the client is at that moment. Nothing but
// DTLS goes through it, in either direction.
type pipe struct {
	client   *client
	deadline *deadline.Deadline
	closed   chan struct{}
	once     sync.Once
	// opened is closed when records may be read: until then a reader that knows of no
	// client would drop them. nil: at once.
	opened   chan struct{}
	openOnce sync.Once
	// owned by the reader
	first    []byte    // read first
	greeting *greeting // nil: we are the server
}

func newPipe(c *client, first []byte) *pipe {
	return &pipe{client: c, deadline: deadline.New(), closed: make(chan struct{}), first: first}
}

// open lets records through.
func (p *pipe) open() { p.openOnce.Do(func() { close(p.opened) }) }

// ReadFrom implements net.PacketConn.
func (p *pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	if p.first != nil {
		n := copy(b, p.first)
		p.first = nil
		return n, net.UDPAddrFromAddrPort(pipeThere), nil
	}
	incoming, opened := p.client.incoming, p.opened
	if opened != nil {
		incoming = nil
	}
	for {
		select {
		case <-opened:
			incoming, opened = p.client.incoming, nil
		case datagram := <-incoming:
			if p.greeting != nil {
				datagram = p.greeting.filter(datagram)
			}
			if len(datagram) > 0 {
				return copy(b, datagram), net.UDPAddrFromAddrPort(pipeThere), nil
			}
		case <-p.deadline.Done():
			return 0, nil, os.ErrDeadlineExceeded
		case <-p.closed:
			return 0, nil, net.ErrClosed
		case <-p.client.state.closed:
			return 0, nil, net.ErrClosed
		}
	}
}

// WriteTo implements net.PacketConn. The client may have moved meanwhile: to is
// not looked at.
func (p *pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-p.closed:
		return 0, net.ErrClosed
	default:
	}
	if len(b) == 0 || b[0] < firstDTLS || b[0] > lastDTLS {
		return len(b), nil // the agent answers checks, and nobody else does
	}
	if err := p.client.send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (p *pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (p *pipe) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(pipeHere) }

// SetDeadline implements net.PacketConn.
func (p *pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (p *pipe) SetReadDeadline(t time.Time) error {
	p.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn: writing does not wait.
func (p *pipe) SetWriteDeadline(time.Time) error { return nil }
