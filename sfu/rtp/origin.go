package rtp

import (
	"time"

	"weir/sfu/media"
)

const (
	// runaway is how far an RTP time may be from where arrival tells. A distance above
	// it has another reason than the network.
	runaway = 400 * time.Millisecond
	// maxAhead is how far ahead of its arrival a packet may be placed, by a clock
	// that runs too fast in small steps. At the start the first packet may have been
	// held up, and those that come with it are no faster than time.
	maxAhead     = 500 * time.Millisecond
	startAhead   = 2 * time.Second
	startsWithin = 5 * time.Second
	// minStep is the least time from the last frame before a step in RTP times to the
	// first one behind it: files tell whole milliseconds.
	minStep = time.Millisecond
	// A clock that jumps ahead while its packets are held up shows little by little: they
	// come faster than time. dip is what no network's least delay falls by from one frame
	// to the next, and dipped how long it may take then to fall by more than runaway.
	dip    = 100 * time.Millisecond
	dipped = time.Second
	// overtaken is how long before the first packet of a new origin a report of it may
	// have come.
	overtaken = 500 * time.Millisecond
)

// fall is that packets came earlier than any other of the last seconds, all of a sudden.
type fall struct {
	on bool
	at time.Duration // arrival of the first of them

	// before
	arrivals       windowMin
	reported       bool
	target, offset time.Duration
}

// Overdue reports whether p is so late that Place wants to know Heard.
func (t *Timeline) Overdue(p Arrival) bool {
	return p.Begins && t.begun != media.Never && p.At-t.media(t.Belongs(p.RTP))-t.arrivals.least() > runaway
}

// Jumped reports whether the newest packet is the first one of a new origin.
func (t *Timeline) Jumped() bool { return t.jumped }

// Belongs returns where an RTP time belongs that goes on from the newest packet's: that
// one may be later than it should be, to keep its order.
func (t *Timeline) Belongs(rtp uint64) uint64 { return rtp - t.owed }

// follow returns the RTP time of the first packet of a frame: another one than its
// own if the sender's clock has run away from arrival. Then it is placed as if it had
// not been delayed.
//
// Nothing arrives before it was sent: an RTP time that is ahead of all others of the
// last seconds has jumped. One that is behind is either late, or the clock was set
// back or stood still: see doubt.
func (t *Timeline) follow(p Arrival) uint64 {
	at, estimate := t.media(p.RTP), t.arrivals.least()
	transit := p.At - at
	late := transit - estimate
	if t.fell(p.At, transit) {
		f := &t.fall
		t.arrivals, t.reported, t.target = f.arrivals, f.reported, f.target
		t.offset = max(t.offset, f.offset) // time keeps its order
		late = transit - t.arrivals.least()
	}
	cause := unknown
	if late > runaway {
		cause = t.doubt.judge(lateness{
			at: p.At, transit: transit, since: transit - t.transit,
			back: p.RTP < t.rtp, heard: late > p.At-p.Heard+heardSlack, agreed: t.agreed(p.At),
		})
	} else if t.doubt.on {
		t.doubt = doubt{}
	}
	switch {
	case late < -runaway || cause == setBack:
		t.anchored(p, anchor{back: max(0, late)})
		t.rates.restart()
		return p.RTP + t.ticks(late)
	case cause != unknown:
		t.anchored(p, anchor{stood: late, held: t.ticks(late)})
		if cause == stopped {
			t.rates.restart()
		}
		return p.RTP + t.ticks(late)
	}
	if less := t.anchor.early(p.At, transit); less > 0 && !t.first { // else a report has told already
		return p.RTP - t.anchor.delayed(p.At, less, t.ticks(less))
	}
	most := maxAhead
	if p.At-t.begun < startsWithin {
		most = startAhead
	}
	if max(at+t.offset, at+t.calm)-p.At > most { // by many small steps, which the estimate has followed
		return t.slowDown(p, estimate)
	}
	return p.RTP
}

// fell reports whether the clock has jumped ahead since packets began to come earlier
// than before.
func (t *Timeline) fell(at, transit time.Duration) bool {
	f := &t.fall
	if f.on && at-f.at > dipped {
		f.on = false
	}
	if !f.on && t.arrivals.least()-transit > dip && at-t.begun > settling && at-t.slowed > startsWithin {
		*f = fall{on: true, at: at, arrivals: t.arrivals, reported: t.reported, target: t.target, offset: t.offset}
	}
	return f.on && transit-f.arrivals.least() < -runaway
}

// anchored notes that p is the first packet of a.
func (t *Timeline) anchored(p Arrival, a anchor) {
	if b := t.before; b.reported && p.At-t.reportedAt < overtaken && (t.target-b.target).Abs() > agreement {
		t.target = b.target // the newest report was of the new origin
	}
	a.open, a.at, a.least = true, p.At, t.arrivals.least()
	a.until = p.At + max(settling, 4*a.stood)
	t.anchor, t.doubt, t.fall, t.first, t.jumped = a, doubt{}, fall{}, false, true
}

// slowDown returns the RTP time of a packet whose clock runs ahead of arrival in small
// steps: back where it was when it did not, as soon as what was placed ahead is over.
func (t *Timeline) slowDown(p Arrival, estimate time.Duration) uint64 {
	encoding := time.Duration(0) // what reports tell of the time before sending
	if t.reported {
		encoding = min(0, t.target-estimate)
	}
	pts := max(t.PTS(t.highest+1), p.At+encoding)
	t.slowed, t.hurried = p.At, p.At
	rtp := t.inOrder(p.RTP+t.ticks(p.At-t.calm-t.media(p.RTP)), p.At)
	t.offset = pts - t.media(rtp)
	t.target = t.offset
	t.arrivals = windowMin{window: minWindow}
	t.anchor, t.fall = anchor{}, fall{}
	return rtp
}

// shift notes that RTP times are moved, in either direction, so that what is placed from
// now on is by later.
func (t *Timeline) shift(by time.Duration) {
	t.arrivals.shift(-by)
	t.fall.arrivals.shift(-by)
	t.anchor.least -= by
	t.calm -= by
}

// inOrder returns the RTP time nearest to rtp that a new frame can have, which arrives
// at that instant.
func (t *Timeline) inOrder(rtp uint64, at time.Duration) uint64 {
	least := t.highest + 1
	if at != t.slowed { // else time could be run ahead of by any larger step
		least = t.highest + uint64(max(1, t.codec.Ticks(minStep)))
	}
	if int64(rtp-least) < 0 {
		return least
	}
	return rtp
}

// ticks returns how many ticks the sender's clock takes for d of media time. Negative
// numbers wrap as they should.
func (t *Timeline) ticks(d time.Duration) uint64 { return uint64(t.codec.Ticks(t.stretch.clock(d))) }
