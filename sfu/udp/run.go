package udp

import "net/netip"

const (
	// maxSegments is how many datagrams one segmented message may carry: what every
	// kernel with UDP_SEGMENT takes (UDP_MAX_SEGMENTS; newer ones take 128).
	maxSegments = 64
	// maxDatagram is the largest payload of one message, in bytes: the largest IPv4
	// packet without its IP and UDP header. A segmented message is such a packet
	// until the kernel cuts it.
	maxDatagram = 65535 - 20 - 8
)

// run is a row of datagrams to one destination that lie end to end in a buffer.
// All have the same size, and only the last may be shorter: what the kernel can
// cut again when it knows that size.
type run struct {
	to      netip.AddrPort
	start   int // of the first datagram in the buffer
	size    int // of all datagrams, in bytes
	segment int // of one datagram, in bytes
	count   int // of datagrams
}

// takes reports whether a datagram of n bytes that lies behind r in the buffer
// and goes to the same place can be one more of its datagrams. An empty one never
// can: nothing of it would be left in a segmented message.
func (r *run) takes(n int) bool {
	return n > 0 && n <= r.segment &&
		r.size == r.count*r.segment && // no shorter one has ended the run
		r.count < maxSegments && r.size+n <= maxDatagram
}

// add appends the datagram buf[start:start+n], which goes to to, to runs: to the
// last one if it takes it.
func add(runs []run, start, n int, to netip.AddrPort) []run {
	if len(runs) > 0 {
		last := &runs[len(runs)-1]
		if last.to == to && last.start+last.size == start && last.takes(n) {
			last.size += n
			last.count++
			return runs
		}
	}
	return append(runs, run{to: to, start: start, size: n, segment: n, count: 1})
}

// datagram returns where the i-th datagram of r begins and ends in the buffer.
func (r *run) datagram(i int) (start, end int) {
	start = r.start + i*r.segment
	return start, min(start+r.segment, r.start+r.size)
}
