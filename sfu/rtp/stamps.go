package rtp

import "weir/sfu/media"

// epoch is where times begin, as numbers do.
const epoch = media.Epoch

// maxOrigins is how many origins before the current one are remembered. Packets are
// sent again for a second; in that time a clock that was placed too late is put back
// by a little with each frame, 60 pictures or 50 pieces of sound. A packet of an
// origin that is forgotten, which only a clock that never keeps still has, is placed
// by the oldest one that is not.
const maxOrigins = 64

// stamps extends the 32-bit timestamps of one RTP stream to Packet.Time, which
// goes on over the ends of the counter and over new origins of the sender's clock. A
// packet from before an origin that comes late has the time that it would have had
// then. The zero value is ready to use.
type stamps struct {
	current origin
	older   [maxOrigins]origin // a circle, once it is full
	n       uint64             // origins so far; those before the current one are in older
	before  mark               // the last packet before the newest jump; seq 0: there was none
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
func (c *stamps) Time(seq uint64, timestamp uint32) uint64 {
	switch {
	case c.n == 0:
		return epoch + uint64(timestamp)
	case seq >= c.current.first.seq:
		return c.current.last.at(timestamp)
	}
	o := &c.current
	for i := range min(c.n-1, maxOrigins) {
		before := &c.older[(c.n-2-i)%maxOrigins]
		if seq > before.last.seq {
			// It lies between the two, and belongs to the one that it is nearer to.
			time, old := o.last.at(timestamp), before.last.at(timestamp)
			if distance(time, o.first.time) <= distance(old, before.last.time) {
				return time
			}
			return old
		}
		if o = before; seq >= o.first.seq {
			break
		}
	}
	return o.last.at(timestamp)
}

// Before returns the time of a timestamp by the clock before the newest jump.
func (c *stamps) Before(timestamp uint32) (time uint64, ok bool) {
	return c.before.at(timestamp), c.before.seq > 0
}

// Jump notes that the packet of the next Advance is of another clock, whose times have
// nothing to do with those before.
func (c *stamps) Jump() { c.before = c.current.last }

// Advance notes that the packet with the highest sequence number so far has the given
// time. It is a new origin if Time tells another one.
func (c *stamps) Advance(seq uint64, timestamp uint32, time uint64) {
	m := mark{seq, timestamp, time}
	if c.n > 0 {
		if c.current.last.at(timestamp) == time {
			c.current.last = m
			return
		}
		c.older[(c.n-1)%maxOrigins] = c.current
	}
	c.current = origin{first: m, last: m}
	c.n++
}

func distance(a, b uint64) uint64 {
	if a < b {
		a, b = b, a
	}
	return a - b
}
