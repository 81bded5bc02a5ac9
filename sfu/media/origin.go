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
	// heardSlack is how much longer than what was heard of other tracks tells a
	// packet may take: their packets overtake one another a little.
	heardSlack = 250 * time.Millisecond
	// How long packets have to go on being late, if nothing else tells, for the clock
	// to be the reason: what the network held up comes faster than time then. Those
	// that have become late little by little may be in their sender's queue.
	watchStep  = 250 * time.Millisecond
	watchDrift = time.Second
	// minStep is the least time from the last frame of an old origin to the first one
	// of the new: files tell whole milliseconds.
	minStep = time.Millisecond
)

// doubt is that packets are late, and it is not known why: they were held up, or the
// sender's clock stood still or was put back.
type doubt struct {
	on    bool
	step  bool          // they were late at once, from one frame to the next
	since time.Duration // arrival of the first of them
	from  time.Duration // its transit
	least time.Duration // that of the least delayed since
}

// Overdue reports whether p is so late that Place wants to know Heard.
func (t *Timeline) Overdue(p Arrival) bool {
	return p.Begins && t.begun != Never && p.At-t.media(p.RTP)-t.arrivals.least() > runaway
}

// follow returns the RTP time of the first packet of a frame: another one than its
// own if the sender's clock has run away from arrival. Then it is placed as if it had
// not been delayed.
//
// Nothing arrives before it was sent: an RTP time that is ahead of all others of the
// last seconds has jumped. One that is behind is either late, or the clock was set
// back or stood still: see stoodStill.
func (t *Timeline) follow(p Arrival) uint64 {
	transit, estimate := p.At-t.media(p.RTP), t.arrivals.least()
	late := transit - estimate
	ahead := max(t.PTS(p.RTP), t.media(p.RTP)+t.calm) - p.At
	most := maxAhead
	if p.At-t.begun < startsWithin {
		most = startAhead
	}
	still, step := t.stoodStill(p, transit, late)
	switch {
	case late < -runaway || still && step:
		t.rates.restart()
		t.doubt = doubt{}
		return t.move(p.RTP, late, minStep)
	case still:
		t.doubt = doubt{}
		return t.move(p.RTP, late, minStep)
	case ahead > most: // by many small steps, which the estimate has followed
		return t.slowDown(p, estimate)
	}
	return p.RTP
}

// slowDown returns the RTP time of a packet whose clock runs ahead of arrival in small
// steps: back where it was when it did not, as soon as what was placed ahead is over.
func (t *Timeline) slowDown(p Arrival, estimate time.Duration) uint64 {
	encoding := time.Duration(0) // what reports tell of the time before sending
	if t.reported {
		encoding = min(0, t.target-estimate)
	}
	pts := max(t.PTS(t.highest+1), p.At+encoding)
	rtp := t.move(p.RTP, p.At-t.calm-t.media(p.RTP), 0) // with any step time could be run ahead of
	t.hurried = p.At
	t.offset = pts - t.media(rtp)
	t.target = t.offset
	t.arrivals = windowMin{window: minWindow}
	return rtp
}

// stoodStill reports whether the sender's clock is the reason why p is late, with
// the given transit, and whether it became so in one step.
func (t *Timeline) stoodStill(p Arrival, transit, late time.Duration) (still, step bool) {
	if late <= runaway {
		t.doubt = doubt{}
		return false, false
	}
	d := &t.doubt
	if !d.on {
		*d = doubt{on: true, step: transit-t.transit > runaway, since: p.At, from: transit, least: transit}
	}
	d.least = min(d.least, transit)
	heard := late > p.At-p.Heard+heardSlack // others were not held up meanwhile
	watch := watchStep
	if !d.step && !heard {
		watch = watchDrift
	}
	elapsed := p.At - d.since
	switch {
	case d.step && p.RTP < t.rtp: // no network puts a clock back
		return true, true
	case d.step && heard:
		return true, true
	case elapsed < watch, !d.step && t.agreed(p.At):
		return false, false
	case d.from-d.least > elapsed/4+watchStep/5: // faster than time: they were held up
		*d = doubt{on: true, step: d.step, since: p.At, from: transit, least: transit}
		return false, false
	}
	return true, d.step
}

// move returns the RTP time that is by later than rtp, or follows the highest one
// by least if that is later still.
func (t *Timeline) move(rtp uint64, by, least time.Duration) uint64 {
	moved := rtp + uint64(t.codec.Ticks(t.stretch.clock(by)))
	if least := t.highest + uint64(max(1, t.codec.Ticks(least))); int64(moved-least) < 0 {
		moved = least
	}
	t.rates.moved += int64(moved - rtp)
	return moved
}

// shift tells that RTP times were moved by -by, and what was observed before is to
// go with them.
func (t *Timeline) shift(by time.Duration) {
	t.arrivals.shift(by)
	t.target += by
	t.transit += by
	t.calm += by
}
