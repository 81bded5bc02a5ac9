package transport

import (
	"net/netip"

	"weir/sfu/udp"
)

// Batch gathers datagrams that leave together. Reserve returns an empty slice with
// room for n bytes, valid until the next call; Commit takes the first n of them for
// a datagram.
type Batch interface {
	Reserve(n int) []byte
	Commit(n int, to netip.AddrPort)
	Flush()
}

// NewBatch returns a batch of the socket, for one goroutine.
func (d *Demux) NewBatch() Batch {
	if c, ok := d.conn.(*udp.Conn); ok {
		return c.NewBatch()
	}
	return &singles{conn: d.conn}
}

// singles is a batch for sockets that send one datagram at a time.
type singles struct {
	conn DatagramWriter
	buf  []byte
}

func (s *singles) Reserve(n int) []byte {
	const usual = 3200 // bytes: two packets of the network
	if cap(s.buf) < n {
		s.buf = make([]byte, 0, max(n, usual))
	}
	return s.buf[:0:n]
}

func (s *singles) Commit(n int, to netip.AddrPort) {
	// A datagram that cannot be sent is one that is lost.
	_, _ = s.conn.WriteToUDPAddrPort(s.buf[:n], to)
}

func (s *singles) Flush() {}
