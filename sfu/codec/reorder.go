package codec

import (
	"cmp"
	"slices"
	"time"

	"weir/sfu/media"
)

// The defaults of [Config].
const (
	defaultWindow     = 500 * time.Millisecond
	defaultMaxBytes   = 8 << 20
	defaultMaxPackets = 4096
)

// keepHeld is the number of places in reorder.held that stay allocated while
// nothing is held: a burst is not to be paid for during the rest of the track.
const keepHeld = 256

// reorder is the jitter window in front of every depacketizer. A packet whose
// turn it is passes at once and uncopied. A packet behind a hole is held until
// the hole is filled or given up, then everything contiguous leaves in order.
//
// The packets are kept as a list in order of Seq and not in a table indexed by
// Seq: work and memory depend on how many are held, never on how far Seq jumps.
type reorder struct {
	window     time.Duration
	maxBytes   int
	maxPackets int

	started bool
	next    uint64         // Seq whose turn it is
	held    []media.Packet // in order of Seq, each above next
	bytes   int            // payload bytes in held
	oldest  time.Duration  // earliest Arrival in held
	lost    uint64         // packets given up
}

func newReorder(c Config) reorder {
	r := reorder{window: c.Window, maxBytes: c.MaxBytes, maxPackets: c.MaxPackets}
	if r.window <= 0 {
		r.window = defaultWindow
	}
	if r.maxBytes <= 0 {
		r.maxBytes = defaultMaxBytes
	}
	if r.maxPackets <= 0 {
		r.maxPackets = defaultMaxPackets
	}
	return r
}

// push takes in p and calls out for each packet whose turn it is, with the
// number of packets that were given up right before it. The pointer that out
// gets is valid during the call only.
//
// The first packet defines where the track starts. Of the first one of another RTP
// stream only what is missing of the one before counts: the number that was left out
// between the two was never sent.
func (r *reorder) push(p *media.Packet, out func(p *media.Packet, lost uint64)) {
	if !r.started {
		r.started = true
		r.next = p.Seq
	}
	switch {
	case p.Discontinuity && p.Seq > r.next:
		r.flush(out)
		lost := p.Seq - r.next - 1
		r.lost += lost
		r.next = p.Seq + 1
		out(p, lost)
	case p.Seq == r.next:
		r.next++
		out(p, 0)
	case p.Seq > r.next:
		r.hold(p)
	default:
		// Twice, or too late. Its Arrival still tells how late it is.
	}
	if len(r.held) > 0 {
		r.release(r.expired(p.Arrival), out)
	}
}

// holdsSync reports whether one of the packets that wait is one at which a decoder
// can start.
func (r *reorder) holdsSync() bool {
	for i := range r.held {
		if r.held[i].Sync {
			return true
		}
	}
	return false
}

// flush gives up every hole.
func (r *reorder) flush(out func(p *media.Packet, lost uint64)) {
	r.release(len(r.held), out)
}

// hold puts p into its place, unless it is there already.
func (r *reorder) hold(p *media.Packet) {
	at := len(r.held)
	if at > 0 && r.held[at-1].Seq >= p.Seq {
		var found bool
		at, found = slices.BinarySearchFunc(r.held, p.Seq, func(q media.Packet, seq uint64) int {
			return cmp.Compare(q.Seq, seq)
		})
		if found {
			return
		}
	}
	if len(r.held) == 0 || p.Arrival < r.oldest {
		r.oldest = p.Arrival
	}
	r.held = slices.Insert(r.held, at, *p)
	r.bytes += len(p.Payload)
}

// expired returns how many of the held packets have to leave at the time now,
// whatever holes are between them.
//
// A hole expires by the first packet that arrived behind it. So the last packet
// in held that is older than the window expires all holes before it, and no
// other hole has expired.
func (r *reorder) expired(now time.Duration) int {
	if now-r.oldest <= r.window {
		return 0
	}
	for i := len(r.held); i > 0; i-- {
		if now-r.held[i-1].Arrival > r.window {
			return i
		}
	}
	return 0
}

// release lets the first n held packets go, then more as long as too much is
// held, then those that follow without a hole.
func (r *reorder) release(n int, out func(p *media.Packet, lost uint64)) {
	i := 0
	for ; i < len(r.held); i++ {
		p := &r.held[i]
		over := len(r.held)-i > r.maxPackets || r.bytes > r.maxBytes
		if i >= n && !over && p.Seq != r.next {
			break
		}
		lost := p.Seq - r.next
		r.lost += lost
		r.next = p.Seq + 1
		r.bytes -= len(p.Payload)
		out(p, lost)
	}
	if i == 0 {
		return
	}
	r.held = slices.Delete(r.held, 0, i) // clears what it frees
	if len(r.held) == 0 {
		if cap(r.held) > keepHeld {
			r.held = nil
		}
		return
	}
	r.oldest = r.held[0].Arrival
	for i := range r.held {
		r.oldest = min(r.oldest, r.held[i].Arrival)
	}
}
