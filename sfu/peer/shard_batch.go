package peer

import (
	"net/netip"
	"slices"

	"weir/sfu"
	"weir/sfu/udp"
)

// batch gathers datagrams that leave together. Reserve returns an empty slice with
// room for n bytes, valid until the next call; Commit takes the first n of them for
// a datagram.
type batch interface {
	Reserve(n int) []byte
	Commit(n int, to netip.AddrPort)
	Flush()
}

// shardBatch is where the viewers of one shard put what they send. It is flushed when
// the shard has served all of them.
type shardBatch struct {
	batch
	port *Port
}

// newBatch returns a batch of the port's socket.
func (p *Port) newBatch() *shardBatch {
	if c, ok := p.demux.conn.(*udp.Conn); ok {
		return &shardBatch{c.NewBatch(), p}
	}
	return &shardBatch{&singles{conn: p.demux.conn}, p}
}

// UseOutbox implements sfu.OutboxWriter.
func (v *Viewer) UseOutbox(there []sfu.Outbox) sfu.Outbox {
	i := slices.IndexFunc(there, func(o sfu.Outbox) bool {
		mine, ok := o.(*shardBatch)
		return ok && mine.port == v.port
	})
	if i >= 0 {
		v.batch = there[i].(*shardBatch)
	} else {
		v.batch = v.port.newBatch()
	}
	return v.batch
}

// singles is a batch for sockets that send one datagram at a time.
type singles struct {
	conn datagramWriter
	buf  []byte
}

func (s *singles) Reserve(n int) []byte {
	if cap(s.buf) < n {
		s.buf = make([]byte, 0, max(n, 2*receiveMTU))
	}
	return s.buf[:0:n]
}

func (s *singles) Commit(n int, to netip.AddrPort) {
	// A datagram that cannot be sent is one that is lost.
	_, _ = s.conn.WriteToUDPAddrPort(s.buf[:n], to)
}

func (s *singles) Flush() {}
