package simulcast

import (
	"slices"
	"time"
)

const (
	// An encoding has stopped when nothing of it came for silentFrames of its frames,
	// within these bounds, while another one has had as many.
	silentFrames = 3
	minSilence   = 300 * time.Millisecond
	maxSilence   = 2 * time.Second
	// One that comes back has to last for minHold before it is wanted again, twice as
	// long each further time, up to maxHold. When it has lasted for forgive, all is
	// forgotten.
	minHold = time.Second
	maxHold = 32 * time.Second
	forgive = time.Minute
	// rateWindow is over what bit rates are measured.
	rateWindow = 500 * time.Millisecond
	// clearly is by how much the rate of one encoding has to exceed that of another one
	// of the same size to be worth a change, in percent.
	clearly = 25
)

// encoding is what is known of one encoding.
type encoding struct {
	origin origin

	begun bool          // media have come
	last  time.Duration // when they came last
	stamp uint64        // their highest time

	frames   [silentFrames]time.Duration // when the last ones began, the newest first
	interval time.Duration               // between two of them
	stopped  bool
	since    time.Duration // when it began, or came back
	wanted   time.Duration // from when on it may be chosen
	stops    int           // how often it has stopped lately

	keyed         bool // it has had a keyframe
	width, height int  // as the newest one tells; 0: none did

	bytes    int // in this window
	windowAt time.Duration
	rate     int // bytes a second; 0: not known yet

	// of what was passed on
	segment segment

	// of what is kept back, in the order of arrival: from a keyframe on if armed
	held    []EncodingPacket
	armed   bool
	armedAt time.Duration
	lost    uint64 // the highest number of what was not kept

	asked time.Duration // when it was asked for a keyframe; 0: never
	tries int           // how often, since it had one
}

// segment is how numbers and times of an encoding are turned into those of the joined
// stream, from the packet with which it took over to the last one that was passed on.
type segment struct {
	known       bool
	first, last uint64 // numbers of the encoding
	seq, time   uint64 // to be added, modulo 2^64
}

// note takes note of a packet with media.
func (e *encoding) note(p *EncodingPacket) {
	if p.Sync {
		e.tries, e.keyed = 0, true
		if p.Width > 0 && p.Height > 0 {
			e.width, e.height = p.Width, p.Height
		}
	}
	if e.bytes += len(p.Payload); p.Arrival-e.windowAt >= rateWindow {
		e.measure(p.Arrival)
	}
	if p.Repeat {
		return // it may have been sent long ago
	}
	switch {
	case !e.begun:
		e.begun, e.since, e.windowAt = true, p.Arrival, p.Arrival
	case e.stopped:
		e.comeBack(p.Arrival)
	}
	if p.Time > e.stamp || e.frames[0] == 0 {
		e.frame(p.Arrival)
		e.stamp = p.Time
	}
	e.last = p.Arrival
}

// frame notes that a frame begins.
func (e *encoding) frame(now time.Duration) {
	if gap := now - e.frames[0]; e.frames[0] != 0 {
		if e.interval == 0 {
			e.interval = gap
		}
		e.interval += (min(gap, maxSilence) - e.interval) / 8
	}
	copy(e.frames[1:], e.frames[:])
	e.frames[0] = max(1, now)
}

// measure ends a window of the bit rate.
func (e *encoding) measure(now time.Duration) {
	rate := int(float64(e.bytes) / (now - e.windowAt).Seconds())
	if e.rate != 0 {
		rate = (3*e.rate + rate) / 4
	}
	e.rate, e.bytes, e.windowAt = rate, 0, now
}

// stop notes that it has stopped.
func (e *encoding) stop(now time.Duration) {
	if now-e.since > forgive {
		e.stops = 0
	}
	e.stopped = true
	e.stops++
	e.release()
}

// comeBack notes that it is being sent again. It may only have few frames.
func (e *encoding) comeBack(now time.Duration) {
	if gap := now - e.last; gap < maxSilence {
		e.interval = max(e.interval, gap)
	}
	e.stopped, e.since = false, now
	e.wanted = now + min(maxHold, minHold<<min(e.stops-1, 5))
	e.frames = [silentFrames]time.Duration{}
	e.rate, e.bytes, e.windowAt = 0, 0, now
}

// silence is for how long nothing may come of it before it counts as stopped.
func (e *encoding) silence() time.Duration {
	return max(minSilence, min(maxSilence, silentFrames*e.interval))
}

// keep keeps back a packet. If a keyframe begins with it, and nothing behind it was let
// go of, then the encoding can take over.
func (e *encoding) keep(p EncodingPacket) {
	switch {
	case e.armed:
		if p.Seq < e.held[0].Seq {
			return
		}
	case p.Sync && p.Seq >= e.lost:
		behind := slices.DeleteFunc(e.held, func(q EncodingPacket) bool { return q.Seq < p.Seq })
		e.held = slices.Insert(behind, 0, p)
		e.armed, e.armedAt = true, p.Arrival
		return
	case len(e.held) == holdPackets:
		e.drop(&e.held[0])
		e.held = slices.Delete(e.held, 0, 1)
	}
	e.held = append(e.held, p)
}

// drop lets go of a packet.
func (e *encoding) drop(p *EncodingPacket) { e.lost = max(e.lost, p.Seq) }

// mayAsk reports whether it may be asked for a keyframe, and counts that.
func (e *encoding) mayAsk(now time.Duration) bool {
	wait := askAgain
	if e.tries >= manyTries {
		wait *= manyTries
	}
	if e.asked != 0 && now-e.asked < wait {
		return false
	}
	e.asked = max(1, now)
	e.tries++
	return true
}

// release lets go of what is kept back.
func (e *encoding) release() {
	for i := range e.held {
		e.drop(&e.held[i])
	}
	clear(e.held)
	e.held, e.armed = e.held[:0], false
}

// outranks reports whether it is the better one of two. clearly is what it has to
// exceed the other one's bit rate by, in percent, if their sizes tell nothing.
func (e *encoding) outranks(other *encoding, clearly int) bool {
	size, otherSize := e.width*e.height, other.width*other.height
	if size != 0 && otherSize != 0 && size != otherSize {
		return size > otherSize
	}
	return e.rate*100 > other.rate*(100+clearly)
}
