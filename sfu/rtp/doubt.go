package rtp

import "time"

// How long packets have to go on being late, if nothing else tells, for the clock to
// be the reason: what the network held up comes faster than time then. Those that
// have become late little by little may be in their sender's queue.
const (
	watchStep  = 250 * time.Millisecond
	watchDrift = time.Second
)

// heardSlack is how much longer than what was heard of other tracks tells a packet
// may take: their packets overtake one another a little.
const heardSlack = 250 * time.Millisecond

// cause is why packets are late.
type cause uint8

const (
	unknown cause = iota // or they were held up on their way
	stopped              // the sender's clock stood still
	setBack              // the sender's clock was put back
	crept                // the sender's clock runs behind, and came to do so little by little
)

// lateness is a packet that is late by more than runaway.
type lateness struct {
	at      time.Duration // its arrival
	transit time.Duration // its arrival less its media time
	since   time.Duration // how much its transit is more than that of the packet before
	back    bool          // its RTP time is before that of the packet before
	heard   bool          // other tracks were not held up meanwhile
	agreed  bool          // reports bear out where the clock is
}

// doubt is that packets are late, and it is not known why: they were held up, or the
// sender's clock stood still or was put back. The zero value is no doubt.
type doubt struct {
	on    bool
	step  bool          // they were late at once, from one frame to the next
	since time.Duration // arrival of the first of them
	from  time.Duration // its transit
	least time.Duration // that of the least delayed since
}

// judge takes in the next late packet and returns why it is late, if that is clear.
func (d *doubt) judge(l lateness) cause {
	if !d.on {
		*d = doubt{on: true, step: l.since > runaway, since: l.at, from: l.transit, least: l.transit}
	}
	d.least = min(d.least, l.transit)
	watch := watchStep
	if !d.step && !l.heard {
		watch = watchDrift
	}
	elapsed := l.at - d.since
	switch {
	case d.step && l.back: // no network puts a clock back
		return setBack
	case d.step && l.heard:
		return stopped
	case elapsed < watch, !d.step && l.agreed:
		return unknown
	case d.from-d.least > elapsed/4+watchStep/5: // faster than time: they were held up
		*d = doubt{on: true, step: d.step, since: l.at, from: l.transit, least: l.transit}
		return unknown
	case d.step:
		return stopped
	}
	return crept
}
