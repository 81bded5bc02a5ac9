package load

import (
	"net"
	"net/netip"
	"sync"

	"weir/sfu/udp"
)

// burst is a publisher's UDP socket, by which the packets of a picture leave
// together, as from a client that does not spread them. One after the other they
// would come as far apart as this program takes to make them, which tells more of it
// than of the server.
type burst struct {
	*udp.Conn

	// guarded by mu
	mu      sync.Mutex
	batch   *udp.Batch
	corked  bool
	leaving func() // called before what was kept leaves; or nil
}

func newBurst(c *udp.Conn) *burst { return &burst{Conn: c, batch: c.NewBatch()} }

// cork keeps RTP from leaving until uncork.
func (b *burst) cork() { b.set(true) }

func (b *burst) uncork() { b.set(false) }

func (b *burst) set(corked bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.corked = corked
	b.flush()
}

// tellLeaving has f called, on whichever goroutine, before each time that packets leave
// which were kept: all together, or some of them when there is no room for all. f must
// not call b.
func (b *burst) tellLeaving(f func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leaving = f
}

// flush sends what was kept, with mu held.
func (b *burst) flush() {
	if b.leaving != nil {
		b.leaving()
	}
	b.batch.Flush()
}

// WriteToAddrPort implements ice.AddrPortReaderWriter.
func (b *burst) WriteToAddrPort(data []byte, to netip.AddrPort) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.corked || len(data) == 0 || data[0]>>6 != 2 { // RTP version 2
		return b.Conn.WriteToAddrPort(data, to)
	}
	if !b.batch.Fits(len(data)) {
		b.flush()
	}
	copy(b.batch.Reserve(len(data))[:len(data)], data)
	b.batch.Commit(len(data), to)
	return len(data), nil
}

// WriteTo implements net.PacketConn.
func (b *burst) WriteTo(data []byte, to net.Addr) (int, error) {
	if a, ok := to.(*net.UDPAddr); ok {
		return b.WriteToAddrPort(data, a.AddrPort())
	}
	return b.Conn.WriteTo(data, to)
}
