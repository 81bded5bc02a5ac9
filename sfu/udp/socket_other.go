//go:build !linux

package udp

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// socket is the plain path, for systems without sendmmsg: Go's own UDPConn. Here
// a full send buffer makes a sender wait.
type socket struct {
	conn   *net.UDPConn
	onIdle func() // or nil
	once   sync.Once
	count  counters
}

// newSocket takes over opened. A refusal of the buffers' size leaves the default
// one, which works until load is high.
func newSocket(opened *net.UDPConn) (*socket, error) {
	_ = opened.SetReadBuffer(bufferSize)
	_ = opened.SetWriteBuffer(bufferSize)
	return &socket{conn: opened}, nil
}

// read waits for a datagram.
func (s *socket) read(b []byte) (int, netip.AddrPort, error) {
	if s.onIdle != nil {
		s.onIdle()
	}
	n, from, err := s.conn.ReadFromUDPAddrPort(b)
	if err != nil {
		return n, from, cause(err)
	}
	s.count.received.Add(1)
	s.count.reads.Add(1)
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), nil
}

// write sends one datagram.
func (s *socket) write(b []byte, to netip.AddrPort) error {
	if _, err := s.conn.WriteToUDPAddrPort(b, to); err != nil {
		s.count.failed.Add(1)
		return cause(err)
	}
	s.count.sent.Add(1)
	return nil
}

// outbox is nothing: each datagram leaves by itself.
type outbox struct{}

func (*outbox) init() {}

// send sends the datagrams of runs, which lie in buf.
func (s *socket) send(_ *outbox, buf []byte, runs []run) {
	for i := range runs {
		for j := range runs[i].count {
			start, end := runs[i].datagram(j)
			_ = s.write(buf[start:end], runs[i].to) // counted
		}
	}
	s.count.batches.Add(1)
}

// onFallback is Conn.OnFallback. Nothing is tried here that could be refused.
func (s *socket) onFallback(func(error)) {}

func (s *socket) setReadDeadline(t time.Time) error { return s.conn.SetReadDeadline(t) }

// close closes the socket once.
func (s *socket) close() (err error) {
	s.once.Do(func() { err = s.conn.Close() })
	return err
}

// stats takes a snapshot.
func (s *socket) stats() Stats {
	var out Stats
	s.count.fill(&out)
	return out
}

// cause returns what is wrapped in the *net.OpError that all of a UDPConn's
// methods return, since Conn makes its own.
func cause(err error) error {
	if op, ok := errors.AsType[*net.OpError](err); ok {
		return op.Err
	}
	return err
}
