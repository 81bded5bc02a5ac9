package media

import "time"

const (
	// runaway is how far an RTP time may be from where arrival tells. What is
	// further has another reason than the network.
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
	// settling is how long after a new origin packets show that its first one was
	// delayed.
	settling = 2 * time.Second
	// settleStep is how far a new origin may be from where it belongs without a step: a
	// frame of sound, for which time is slewed.
	settleStep = 20 * time.Millisecond
	// overtaken is how long before the first packet of a new origin a report of it may
	// have come.
	overtaken = 500 * time.Millisecond
)

// anchor is the newest origin of a sender's clock. It is placed by the arrival of a
// single packet, as if that had not been delayed; those that follow, and reports, tell
// better, and what they tell is made up for at once.
//
// The least delay of the network is the same before and after: a packet that seems to
// have less shows by how much the first one was delayed.
type anchor struct {
	open  bool          // no report has told yet where it is
	at    time.Duration // arrival of its first packet
	until time.Duration // packets that arrive up to then show that the first one was delayed
	least time.Duration // transit of the least delayed packet before
	early time.Duration // how much less than the first one others were delayed
	back  time.Duration // how far the clock was set back, or 0

	// What waits in its sender's queue while the sound goes on begins as a clock that
	// stood still does (a keyframe on a slow way, an encoder without time); but then
	// what follows comes faster than time, and the move is taken back.
	stood time.Duration // how long the clock is taken to have stood still, or 0
	held  uint64        // ticks by which RTP times were moved for it and still are
}

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
	return p.Begins && t.begun != Never && p.At-t.media(p.RTP-t.owed)-t.arrivals.least() > runaway
}

// Jumped reports whether the newest packet is the first one of a new origin.
func (t *Timeline) Jumped() bool { return t.jumped }

// Unsettled reports whether RTP times are later than they belong, to keep their order:
// until they are not, what they say of others is wrong.
func (t *Timeline) Unsettled() bool { return t.owed > 0 }

// follow returns the RTP time of the first packet of a frame: another one than its
// own if the sender's clock has run away from arrival. Then it is placed as if it had
// not been delayed.
//
// Nothing arrives before it was sent: an RTP time that is ahead of all others of the
// last seconds has jumped. One that is behind is either late, or the clock was set
// back or stood still: see doubt.
func (t *Timeline) follow(p Arrival) uint64 {
	media, estimate := t.media(p.RTP), t.arrivals.least()
	transit := p.At - media
	late := transit - estimate
	if t.fell(p.At, transit) {
		f := &t.fall
		t.arrivals, t.reported, t.target = f.arrivals, f.reported, f.target
		t.offset = max(t.offset, f.offset) // time keeps its order
		late = transit - t.arrivals.least()
	}
	why := unknown
	if late > runaway {
		why = t.doubt.judge(lateness{
			at: p.At, transit: transit, since: transit - t.transit,
			back: p.RTP < t.rtp, heard: late > p.At-p.Heard+heardSlack, agreed: t.agreed(p.At),
		})
	} else if t.doubt.on {
		t.doubt = doubt{}
	}
	switch {
	case late < -runaway || why == setBack:
		t.anchored(p, anchor{back: max(0, late)})
		t.rates.restart()
		return p.RTP + t.ticks(late)
	case why != unknown:
		t.anchored(p, anchor{stood: late, held: t.ticks(late)})
		if why == stopped {
			t.rates.restart()
		}
		return p.RTP + t.ticks(late)
	case t.anchor.open && p.At < t.anchor.until && t.anchor.least-transit > settleStep:
		return p.RTP - t.delayed(p.At, t.anchor.least-transit)
	}
	most := maxAhead
	if p.At-t.begun < startsWithin {
		most = startAhead
	}
	if max(media+t.offset, media+t.calm)-p.At > most { // by many small steps, which the estimate has followed
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
	t.anchor, t.doubt, t.fall, t.jumped = a, doubt{}, fall{}, true
}

// ignored reports whether a report that is off from those before the origin is made out
// of RTP times, as if the clock had not been set back: no encoder has become slower by
// just that.
func (a *anchor) ignored(off time.Duration) bool {
	return a.back > 0 && (off+a.back).Abs() < runaway/2
}

// delayed returns how many ticks earlier RTP times belong after a packet that was
// delayed less than the first one of the origin.
func (t *Timeline) delayed(at, less time.Duration) uint64 {
	a := &t.anchor
	a.early += less
	a.back = max(0, a.back-less)
	ticks := t.ticks(less)
	switch {
	case a.held <= ticks:
		a.held = 0
	case a.early > max(min(a.stood/2, runaway), (at-a.at)/4): // more than a network explains, and faster than time
		ticks, a.held = a.held, 0
	default:
		a.held -= ticks
	}
	return ticks
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
