package udp

import "net/netip"

const (
	// minArena and arenaSize are the least and the most that a Batch's buffer has, in
	// bytes: one viewer's burst of 10 full packets, and 16 viewers' such bursts. Larger
	// ones would not stay in a core's second-level cache between sealing and sending.
	minArena, arenaSize = 16 << 10, 256 << 10
	// The buffer doubles when it was too small for often more than one flush in
	// crampedBy: too small counts crampedBy, large enough takes back 1, and at
	// crampedLimit it grows. So it comes to what bursts are like, and not to what the
	// largest one is: a keyframe now and then leaves by some more system calls.
	crampedBy, crampedLimit = 16, 128
	// minRuns is the least room in the tables, for as many messages; they grow to
	// maxRuns by doubling.
	minRuns = 8
	// maxRuns is how many messages leave by one system call. It is bounded since the
	// goroutine cannot be stopped meanwhile: 64 messages take some 50 to 200 us.
	maxRuns = 64
)

// Batch gathers datagrams and sends them together. It belongs to one goroutine,
// and does not allocate once it has grown to what its bursts need. One Conn may
// have many.
//
// Datagrams to one destination that follow one another and are of equal size,
// but for the last, cost the kernel little more than one (see run): commit them
// in that order, and flush when a burst is complete.
type Batch struct {
	conn     *Conn
	out      outbox // what the system call needs
	buf      []byte
	used     int // bytes of buf that are committed
	reserved int // bytes behind them that Reserve has given away
	cramped  int // how much the buffer was too small of late: see crampedLimit
	runs     []run
}

// NewBatch returns a batch for one sending goroutine. It holds no resource but
// memory: 18 KiB, which grow to at most 0.3 MiB where the bursts are that large.
func (c *Conn) NewBatch() *Batch {
	b := &Batch{conn: c, buf: make([]byte, minArena), runs: make([]run, 0, minRuns)}
	b.out.init()
	return b
}

// Fits reports whether a datagram of n bytes can be added for sure without one being
// sent.
func (b *Batch) Fits(n int) bool { return b.used+n <= len(b.buf) && len(b.runs) < maxRuns }

// Reserve returns an empty slice with a capacity of at least n bytes, to write
// one datagram into. It is valid until the next call of Reserve or Flush; without
// a Commit its content is given up. It flushes first when there is no room.
func (b *Batch) Reserve(n int) []byte {
	if b.used+n > len(b.buf) {
		b.makeRoom(n)
	}
	b.reserved = n
	return b.buf[b.used : b.used : b.used+n]
}

// makeRoom empties the buffer, and makes it larger if a datagram of n bytes does
// not fit or the buffer was too small too often. One that is larger than arenaSize
// is no UDP datagram; the kernel will say so.
func (b *Batch) makeRoom(n int) {
	b.send()
	b.used = 0
	size := len(b.buf)
	if b.cramped += crampedBy; b.cramped >= crampedLimit {
		size, b.cramped = max(size, min(2*size, arenaSize)), 0
	}
	if size = max(size, n); size > len(b.buf) {
		b.buf = make([]byte, size)
	}
}

// Commit adds the first n bytes of the reserved slice as a datagram to to. It
// panics if they are more than were reserved. A destination that this socket
// cannot reach (IPv6 from an IPv4 socket) is counted as failed when it is sent.
func (b *Batch) Commit(n int, to netip.AddrPort) {
	if n < 0 || n > b.reserved {
		panic("udp: Commit of more than Reserve has given")
	}
	start := b.used
	b.used += n
	b.reserved = 0
	if len(b.runs) == maxRuns {
		// The table is full. The new datagram may still belong to its last run;
		// otherwise the others leave now, and the new one stays where it lies.
		if last := &b.runs[maxRuns-1]; last.to != to || !last.takes(n) {
			b.send()
		}
	}
	b.runs = add(b.runs, start, n, to)
}

// Flush sends all datagrams that were committed. It never waits: what the kernel
// has no room for is dropped and counted (see Stats), as is what it refuses.
func (b *Batch) Flush() {
	if len(b.runs) > 0 {
		b.send()
		b.cramped = max(b.cramped-1, 0)
	}
	b.used, b.reserved = 0, 0
}

// send sends the runs, if there are any, and empties the table. The buffer keeps
// its content.
func (b *Batch) send() {
	if len(b.runs) == 0 {
		return
	}
	b.conn.socket.send(&b.out, b.buf, b.runs)
	b.runs = b.runs[:0]
}
