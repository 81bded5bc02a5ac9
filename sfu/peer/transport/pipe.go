package transport

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/pion/transport/v4/deadline"

	"weir/sfu/peer/sdp"
)

// The addresses of both ends of a pipe. No host is there: they are of documentation
// (RFC 5737).
var (
	PipeHere  = netip.MustParseAddrPort("192.0.2.1:9")
	PipeThere = netip.MustParseAddrPort("192.0.2.2:9")
)

// Pipe is the net.PacketConn of a handshake, in memory: it yields the client's
// handshake records, and sends to where the client is at that moment. Nothing but
// DTLS goes through it, in either direction.
type Pipe struct {
	client   *Client
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

// newPipe returns a pipe that yields first, if that is not nil, and then what comes.
func newPipe(c *Client, first []byte, known *Secrets) *Pipe {
	p := &Pipe{client: c, deadline: deadline.New(), closed: make(chan struct{}), first: first}
	if c.role == sdp.Client {
		p.greeting = &greeting{known: known}
	}
	return p
}

// NewPipe returns the pipe of a client's handshake whose secrets known catches. It
// yields nothing before Open.
func (c *Client) NewPipe(known *Secrets) *Pipe {
	p := newPipe(c, nil, known)
	p.opened = make(chan struct{})
	return p
}

// Open lets records through. Opening twice is fine.
func (p *Pipe) Open() { p.openOnce.Do(func() { close(p.opened) }) }

// ReadFrom implements net.PacketConn.
func (p *Pipe) ReadFrom(b []byte) (int, net.Addr, error) {
	if p.first != nil {
		n := copy(b, p.first)
		p.first = nil
		return n, net.UDPAddrFromAddrPort(PipeThere), nil
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
				return copy(b, datagram), net.UDPAddrFromAddrPort(PipeThere), nil
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
func (p *Pipe) WriteTo(b []byte, _ net.Addr) (int, error) {
	select {
	case <-p.closed:
		return 0, net.ErrClosed
	default:
	}
	if len(b) == 0 || b[0] < firstDTLS || b[0] > lastDTLS {
		return len(b), nil // the agent answers checks, and nothing else does
	}
	if err := p.client.send(b); err != nil {
		return 0, err
	}
	return len(b), nil
}

// Close implements net.PacketConn.
func (p *Pipe) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// LocalAddr implements net.PacketConn.
func (p *Pipe) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(PipeHere) }

// SetDeadline implements net.PacketConn.
func (p *Pipe) SetDeadline(t time.Time) error { return p.SetReadDeadline(t) }

// SetReadDeadline implements net.PacketConn.
func (p *Pipe) SetReadDeadline(t time.Time) error {
	p.deadline.Set(t)
	return nil
}

// SetWriteDeadline implements net.PacketConn: writing does not wait.
func (p *Pipe) SetWriteDeadline(time.Time) error { return nil }
