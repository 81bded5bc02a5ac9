package rtp

import (
	"time"

	"weir/sfu/media"
)

const (
	// minWindow is how far back the arrival estimate looks: long enough to see
	// one packet that was not delayed, short enough to follow a drifting clock.
	minWindow = 5 * time.Second
	// maxEncoding is how much earlier than its arrival a sender report may place a
	// packet: as long as encoders take. It cannot be later, but for the report's own
	// delay, which is maxReportDelay at most. A report that tells more is wrong and is
	// not used.
	maxEncoding    = time.Second
	maxReportDelay = 250 * time.Millisecond
	// stepAhead is the error beyond which time steps ahead instead of slewing.
	stepAhead = 500 * time.Millisecond
	// agreement is how near a report has to be to the offset in use to bear it out,
	// and agreedFor how long it does.
	agreement = 250 * time.Millisecond
	agreedFor = 10 * time.Second
)

// Timeline places the RTP timestamps of one track on the stream's clock.
//
// Before the first sender report a packet is placed by its arrival: of all
// recent packets the one that was least delayed tells the offset. Reports
// replace that estimate. The offset in use follows the estimate slowly (by 1 %
// of the time that passes, 10 % when it is more than 100 ms off), so that times
// keep their order and neither sound nor picture jumps.
//
// Where the RTP time runs away from arrival the sender's clock has a new origin
// (origin.go): Place moves the RTP time itself back to the stream's clock, so that
// RTP times that are forwarded are right, too. Where it was placed wrong is made up
// for at once (anchor.go): RTP times are moved again, and what their order does not
// allow is owed to the frames that follow. A clock of the wrong rate is measured and
// made up for (rate.go). The zero value is not usable; see
// [NewTimeline].
type Timeline struct {
	codec    media.Codec
	started  bool
	begun    time.Duration // arrival of the first packet since the last Restart; media.Never: none
	arrivals windowMin     // of arrival less media time
	target   time.Duration // where the offset should be
	offset   time.Duration // PTS = media time + offset
	highest  uint64        // highest RTP time seen
	resumed  time.Duration // before the first packet after a Restart: the estimate until then
	hurried  time.Duration // arrival of the last packet that was far ahead, or might have been
	slowed   time.Duration // arrival of the last packet by which the clock was slowed down
	calm     time.Duration // the estimate when none had been for some time

	// of the newest packet
	rtp     uint64        // where it belongs
	transit time.Duration // its arrival less its media time
	late    time.Duration // against the least delayed one

	// of sender reports
	reported   bool
	reportedAt time.Duration // the instant of the newest that was used
	first      bool          // it is the first one of a new origin, and is followed at once
	before     struct {      // what was known without the newest one
		reported bool
		target   time.Duration
	}

	known struct { // what media was last asked for; RTP time 0: nothing
		rtp   uint64
		media time.Duration
	}
	doubt    doubt
	anchor   anchor
	fall     fall
	jumped   bool
	owed     uint64 // ticks by which RTP times are later than they belong, to keep their order
	stretch  stretch
	rates    rates
	measured bool // there is more to tell the rate by
}

// NewTimeline returns a timeline for a track of codec c.
func NewTimeline(c media.Codec) *Timeline {
	t := &Timeline{codec: c, slowed: media.Never}
	t.Restart()
	return t
}

// Restart notes that the next packet is of another RTP clock, about which nothing
// is known. It is placed where the old clock's would be that arrives then.
func (t *Timeline) Restart() {
	if t.begun != media.Never {
		t.resumed = t.arrivals.least()
	}
	t.begun = media.Never
	t.arrivals = windowMin{window: minWindow}
	t.reported, t.first = false, false
	t.doubt, t.anchor, t.fall, t.owed, t.rates = doubt{}, anchor{}, fall{}, 0, rates{}
	t.stretch.set(t.codec, t.highest, 0)
	t.known.rtp = 0
}

// resume has the first packet go on behind tail, which another timeline has placed.
func (t *Timeline) resume(tail media.Tail) {
	t.started, t.highest = true, tail.Time
	t.offset = tail.PTS - t.media(tail.Time)
	t.target = t.offset
	t.resumed = t.offset + tail.Delay
}

// Arrival is a packet as its track's timeline sees it.
type Arrival struct {
	RTP    uint64        // extended RTP time
	At     time.Duration // when it came, on the stream's clock
	Begins bool          // it is not of the same frame as the packet before
	// Heard is when a packet of another track of the same publisher last came on time,
	// or media.Never. A packet that is later was not held up by the network.
	Heard time.Duration
}

// Place takes in the packet that follows the newest one, and returns its RTP time,
// which is not the one that was put in if the sender's clock has a new origin there,
// and when it is to be shown. The latter never decreases for packets in the order
// of their RTP time.
func (t *Timeline) Place(p Arrival) (rtp uint64, pts time.Duration) {
	received := p.RTP
	p.RTP = t.Belongs(p.RTP)
	t.jumped = false
	switch {
	case t.begun == media.Never:
		if t.started {
			p.RTP = t.inOrder(p.RTP+t.ticks(p.At-t.media(p.RTP)-t.resumed), p.At)
			t.anchor.open = true
		}
		p.Begins = true
		t.begun, t.hurried, t.calm = p.At, p.At, p.At-t.media(p.RTP)
	case p.Begins:
		p.RTP = t.follow(p)
	}
	t.observe(p.RTP, received, p.At)
	if p.Begins {
		p.RTP += t.step()
	}
	t.rtp, rtp = p.RTP, p.RTP
	switch {
	case !p.Begins:
		rtp = received // as the rest of its frame
	case rtp != received: // owed is paid back, or RTP times have been moved
		rtp = t.inOrder(p.RTP, p.At)
		t.owed = rtp - p.RTP
		t.rates.moved += int64(rtp - received)
	}
	switch {
	case !t.started:
		t.started = true
		t.offset = t.target
		t.highest = rtp
	case rtp > t.highest:
		if p.At > t.hurried { // else it has just been placed as early as can be
			t.slew(t.codec.Duration(int64(rtp - t.highest)))
		}
		t.highest = rtp
	}
	return rtp, t.PTS(rtp)
}

// observe takes in when the newest packet came: it belongs at the RTP time rtp, and was
// received with another one, perhaps.
func (t *Timeline) observe(rtp, received uint64, at time.Duration) {
	t.rtp, t.transit = rtp, at-t.media(rtp)
	estimate := t.arrivals.observe(at, t.transit)
	t.late = t.transit - estimate
	if at-t.hurried > startsWithin {
		t.calm = estimate
	}
	if t.measured = t.rates.arrived(at, at-t.raw(received)); t.measured {
		t.rate()
	}
	t.aim()
}

// step returns by how many ticks RTP times are moved before the next frame, because it
// is known at once that it belongs elsewhere.
func (t *Timeline) step() uint64 {
	off, first := t.Off(), t.first
	t.first = false
	if !t.started || off <= stepAhead && (!first || off.Abs() <= settleStep) {
		return 0
	}
	if first { // it has told more than arrival can
		t.anchor.until = 0
	}
	// Else the first packet of the new origin was delayed, and no other one was; but what
	// is further off than any delay would be taken for another jump.
	if !first || !t.before.reported || off.Abs() > runaway {
		t.shift(off)
	}
	t.target = t.offset
	t.transit -= off
	return t.ticks(off)
}

// PTS returns when a packet with the RTP time rtp is to be shown, and learns
// nothing from it: for those that come out of order.
func (t *Timeline) PTS(rtp uint64) time.Duration { return t.media(rtp) + t.offset }

// Late returns how much later the newest packet came than the least delayed one of
// the last seconds would have.
func (t *Timeline) Late() time.Duration { return t.late }

// Measured reports whether Rate may tell more since the last call of Place.
func (t *Timeline) Measured() bool { return t.measured }

// aim sets the target by arrival, unless there are reports that can be true.
func (t *Timeline) aim() {
	estimate := t.arrivals.least()
	if t.reported && !plausible(t.target-estimate) {
		t.reported = false // they were, and are not any more
	}
	if !t.reported {
		t.target = estimate
	}
}

// Report takes in a sender report: the extended RTP time rtp, which Belongs has
// returned, is the instant at on the stream's clock. A report that contradicts the
// packets' arrival (by more than a second back, or a quarter ahead) is ignored, and
// Report returns false. The first one after a new origin is followed at once.
func (t *Timeline) Report(rtp uint64, at time.Duration) bool {
	target := at - t.media(rtp)
	if estimate, ok := t.arrivals.min(); ok && !plausible(target-estimate) {
		return false
	}
	if t.anchor.ignores(at, target-t.anchor.least, target-t.target, t.reported) {
		return false
	}
	t.before.reported, t.before.target = t.reported, t.target
	t.first, t.anchor.open = t.anchor.open, false
	t.reported, t.reportedAt = true, at
	t.target = target
	t.rates.reported(at, at-t.raw(rtp+t.owed))
	return true
}

// plausible reports whether a report can be right that places a track so much later
// than arrival does.
func plausible(off time.Duration) bool { return -maxEncoding <= off && off <= maxReportDelay }

// Off returns how far the target is from the offset in use.
func (t *Timeline) Off() time.Duration { return t.target - t.offset }

// Misfit returns how far a report of rtp for the instant at is from what is in use.
func (t *Timeline) Misfit(rtp uint64, at time.Duration) time.Duration {
	return (at - t.PTS(rtp)).Abs()
}

// agreed reports whether reports of the last seconds bear out the offset in use.
func (t *Timeline) agreed(now time.Duration) bool {
	return t.reported && now-t.reportedAt < agreedFor && t.Off().Abs() < agreement
}

// media returns the media time of an RTP time: the clock's, made up for its rate.
// Of one packet it is asked for several times, and takes two divisions.
func (t *Timeline) media(rtp uint64) time.Duration {
	if t.known.rtp != rtp {
		t.known.rtp, t.known.media = rtp, t.stretch.media(t.codec, rtp)
	}
	return t.known.media
}

// raw returns the media time of an RTP time by the sender's own clock.
func (t *Timeline) raw(rtp uint64) time.Duration {
	if t.stretch.from == 0 && t.rates.moved == 0 {
		return t.media(rtp)
	}
	return t.codec.Duration(int64(rtp) - t.rates.moved)
}

// slew moves the offset towards the target, after elapsed media time.
func (t *Timeline) slew(elapsed time.Duration) {
	off := t.Off()
	most := elapsed / 100
	if off.Abs() > 100*time.Millisecond {
		most = elapsed / 10
	}
	t.offset += max(-most, min(most, off))
}
