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

// held is the last new origin for which the clock was taken to have stood still. What
// waits in its sender's queue while the sound goes on begins like that, too (a keyframe
// on a slow way, an encoder without time); but then what follows comes faster than time,
// and the move is taken back.
type held struct {
	on       bool
	back     bool          // it is being taken back
	ticks    int64         // what RTP times are moved by; of that what is left
	by       time.Duration // as long in media time
	at       time.Duration // arrival of the first packet that was moved
	transit  time.Duration // of that packet, then
	arrivals windowMin     // before
	calm     time.Duration
	reported bool
	target   time.Duration
	offset   time.Duration
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
	if t.drains(p, transit) {
		return t.takeBack(p)
	}
	still, step := t.stoodStill(p, transit, late)
	switch {
	case late < -runaway || still && step && p.RTP < t.rtp:
		t.rates.restart()
		t.doubt, t.held = doubt{}, held{}
		return t.move(p.RTP, late, minStep)
	case still:
		if step {
			t.rates.restart()
		}
		t.doubt = doubt{}
		return t.hold(p, late)
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

// hold moves p by late, so that the hole before it is as long as its clock stood still.
func (t *Timeline) hold(p Arrival, late time.Duration) uint64 {
	h := held{on: true, by: late, at: p.At, arrivals: t.arrivals, calm: t.calm, reported: t.reported, target: t.target, offset: t.offset}
	rtp := t.move(p.RTP, late, minStep)
	h.ticks, h.transit = int64(rtp-p.RTP), p.At-t.media(rtp)
	t.held = h
	return rtp
}

// drains reports whether p shows that what was moved had been in a queue: it is further
// ahead of the first packet from there than a network explains, or than half of the
// time that the clock would have stood still, and RTP times go on a quarter faster
// than time. Once that is known it goes on until the move is taken back.
func (t *Timeline) drains(p Arrival, transit time.Duration) bool {
	h := &t.held
	elapsed := p.At - h.at
	switch {
	case !h.on:
		return false
	case p.RTP <= t.rtp, transit-t.transit < -runaway, !h.back && elapsed > 4*h.by: // the clock has jumped, or enough was seen
		*h = held{}
		return false
	case h.back:
		return true
	}
	return h.transit-transit > max(min(h.by/2, runaway), elapsed/4)
}

// Unsettled reports whether a move of RTP times is being taken back: until it is, what
// they say of others is wrong.
func (t *Timeline) Unsettled() bool { return t.held.back }

// takeBack returns the RTP time of p without the move that held stands for, or as much
// of it as the order of frames allows: the rest is left to those that follow.
func (t *Timeline) takeBack(p Arrival) uint64 {
	h := &t.held
	if !h.back {
		h.back = true
		t.arrivals, t.calm, t.reported, t.target = h.arrivals, h.calm, h.reported, h.target
		t.offset = max(t.offset, h.offset) // time keeps its order
		t.doubt = doubt{}
	}
	rtp := t.moveTicks(p.RTP, -h.ticks, minStep)
	if h.ticks -= int64(p.RTP - rtp); h.ticks <= 0 {
		*h = held{}
	}
	return rtp
}

// move returns the RTP time that is by later than rtp, or follows the highest one
// by least if that is later still.
func (t *Timeline) move(rtp uint64, by, least time.Duration) uint64 {
	return t.moveTicks(rtp, t.codec.Ticks(t.stretch.clock(by)), least)
}

func (t *Timeline) moveTicks(rtp uint64, by int64, least time.Duration) uint64 {
	moved := rtp + uint64(by)
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
	t.held = held{}
}
