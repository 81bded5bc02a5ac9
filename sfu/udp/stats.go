package udp

import "sync/atomic"

// Mode is how batches leave.
type Mode int32

// The modes, from the slowest to the fastest.
const (
	// Plain sends each datagram by a system call of its own.
	Plain Mode = iota
	// Batched sends many datagrams by one system call (sendmmsg).
	Batched
	// Segmented sends runs of equal datagrams as one message that the kernel or the
	// network card cuts (UDP_SEGMENT), and many messages by one system call.
	Segmented
)

// String returns the mode's name in lower case.
func (m Mode) String() string {
	switch m {
	case Segmented:
		return "segmented"
	case Batched:
		return "batched"
	default:
		return "plain"
	}
}

// Stats is what a Conn has done since it was opened. All counts but Batches,
// Reads and Refused are datagrams.
type Stats struct {
	Mode Mode // how batches leave now
	// Fallback is why Mode is lower than it might be: the kernel's error, nil if there
	// was none. It changes at most twice; Conn.OnFallback tells when.
	Fallback error
	// ReadFallback is why each read brings one message only: the kernel's error, nil if
	// a read may bring many.
	ReadFallback error

	Sent     uint64 // taken by the kernel
	Segments uint64 // of those, in segmented messages
	Batches  uint64 // system calls for batches
	// Refused are segmented messages that the kernel refused, and that were sent as
	// single datagrams: the segments were larger than the path's MTU. For some minutes
	// no more are tried there.
	Refused uint64
	Dropped uint64 // the send buffer was full
	Failed  uint64 // the kernel refused the destination or the size

	Received  uint64
	Reads     uint64 // system calls for them
	Truncated uint64 // larger than the reader's slice, and cut
	Lost      uint64 // dropped by the kernel before they were read: the receive buffer was full

	Aggregated    bool // the kernel joins datagrams for one read (UDP_GRO)
	ReceiveBuffer int  // in bytes, as the kernel counts: with its own overhead
	SendBuffer    int  // in bytes, likewise
}

// counters are the parts of Stats that change. They are atomic.
type counters struct {
	sent, segments, batches, refused, dropped, failed atomic.Uint64

	// Apart from those of the senders, which run on other cores.
	_                          [64]byte
	received, reads, truncated atomic.Uint64
}

// fill copies the counters to s.
func (c *counters) fill(s *Stats) {
	s.Sent, s.Segments, s.Batches = c.sent.Load(), c.segments.Load(), c.batches.Load()
	s.Refused, s.Dropped, s.Failed = c.refused.Load(), c.dropped.Load(), c.failed.Load()
	s.Received, s.Reads, s.Truncated = c.received.Load(), c.reads.Load(), c.truncated.Load()
}
