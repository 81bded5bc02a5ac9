package media

// maxOrigins is how many origins of a sender's clock are remembered: packets of
// those before the current one are sent again for a second.
const maxOrigins = 4

// RTPClock extends the 32-bit timestamps of one RTP stream to Packet.Time, which
// goes on over the ends of the counter and over new origins of the sender's clock. A
// packet from before an origin that comes late has the time that it would have had
// then. The zero value is ready to use.
type RTPClock struct {
	origins [maxOrigins]origin // newest first
	n       int
}

// origin is a stretch of the stream with one relation of timestamp and time.
type origin struct{ first, last mark } // packets in order, as far as they have come

type mark struct {
	seq       uint64
	timestamp uint32
	time      uint64
}

// at returns the time of a timestamp that is less than half a turn from m's.
func (m mark) at(timestamp uint32) uint64 {
	return m.time + uint64(int64(int32(timestamp-m.timestamp)))
}

// Time returns the time of the packet with the extended sequence number seq. Before
// the first Advance it is epoch + timestamp, with epoch = 2^32.
func (c *RTPClock) Time(seq uint64, timestamp uint32) uint64 {
	if c.n == 0 {
		return epoch + uint64(timestamp)
	}
	for i := range c.n - 1 {
		o, before := &c.origins[i], &c.origins[i+1]
		time := o.last.at(timestamp)
		if seq >= o.first.seq {
			return time
		}
		if seq > before.last.seq {
			// It lies between the two, and belongs to the one that it is nearer to.
			old := before.last.at(timestamp)
			if distance(time, o.first.time) <= distance(old, before.last.time) {
				return time
			}
			return old
		}
	}
	return c.origins[c.n-1].last.at(timestamp)
}

// Before returns the time of a timestamp by the origin before the current one.
func (c *RTPClock) Before(timestamp uint32) (time uint64, ok bool) {
	if c.n < 2 {
		return 0, false
	}
	return c.origins[1].last.at(timestamp), true
}

// Advance says that the packet with the highest sequence number so far has the given
// time. It is a new origin if Time tells another one.
func (c *RTPClock) Advance(seq uint64, timestamp uint32, time uint64) {
	m := mark{seq, timestamp, time}
	if c.n > 0 && c.origins[0].last.at(timestamp) == time {
		c.origins[0].last = m
		return
	}
	copy(c.origins[1:], c.origins[:])
	c.origins[0] = origin{first: m, last: m}
	c.n = min(c.n+1, maxOrigins)
}

func distance(a, b uint64) uint64 {
	if a < b {
		a, b = b, a
	}
	return a - b
}
