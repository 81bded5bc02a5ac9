package rtp

import "time"

const (
	// settling is how long after a new origin packets show that its first one was
	// delayed.
	settling = 2 * time.Second
	// settleStep is how far a new origin may be from where it belongs without a step:
	// that can be neither seen nor heard, and time is slewed.
	settleStep = 4 * time.Millisecond
	// delayedReport is how much later than the least delayed packet a report places a
	// track if it was held up itself.
	delayedReport = 50 * time.Millisecond
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
	less  time.Duration // how much less than the first one others were delayed
	back  time.Duration // how far the clock was set back, or 0

	// Packets that wait in their sender's queue while the sound goes on begin as a
	// clock that stood still does (a keyframe on a slow path, an encoder without time);
	// but then what follows comes faster than time, and the move is taken back.
	stood time.Duration // how long the clock is taken to have stood still, or 0
	held  uint64        // ticks by which RTP times were moved for it and still are
}

// ignores reports whether a report is of no use that was made at an instant and places
// its track so much later than the least delayed packet does, and than those before the
// origin did, if there were any. While packets may show that the first one was delayed,
// a report that there is nothing to compare with may have been so, too, and one that
// contradicts arrival has been. Or it is made out of RTP times, as if the clock had not
// been set back: no encoder has become slower by just that.
func (a *anchor) ignores(at, later, off time.Duration, reported bool) bool {
	switch {
	case !a.open:
		return false
	case at < a.until && (!reported || later > delayedReport):
		return true
	}
	return reported && a.back > 0 && (off+a.back).Abs() < runaway/2
}

// early returns by how much less a packet was delayed than the first one, with the given
// transit, if that tells anything.
func (a *anchor) early(at, transit time.Duration) time.Duration {
	if less := a.least - transit; at < a.until && less > settleStep {
		return less
	}
	return 0
}

// delayed takes in a packet that was so much less delayed than the first one, which is so
// many ticks, and returns how many ticks earlier RTP times belong.
func (a *anchor) delayed(at, less time.Duration, ticks uint64) uint64 {
	a.less += less
	a.back = max(0, a.back-less)
	switch {
	case a.held <= ticks:
		a.held = 0
	case a.less > max(min(a.stood/2, runaway), (at-a.at)/4): // more than a network explains, and faster than time
		ticks, a.held = a.held, 0
	default:
		a.held -= ticks
	}
	return ticks
}
