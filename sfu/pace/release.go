package pace

import "time"

const (
	// LateWindow is how far back Release looks for the latest frame, at least: more than
	// two chunks of 2 s, so that the first frame of one is always in it.
	LateWindow = 5 * time.Second
	// Hurry is how many times faster than their pace frames are released that have to
	// make room. Not at once: a ring of 3 s would pass its readers in a moment, and they
	// would lose frames.
	Hurry = 8
	// farOff is from where on the delay shrinks twice as fast.
	farOff = 500 * time.Millisecond
)

// Release tells when frames are due that arrive in bursts. A chunk of MediaRecorder's
// holds all frames of 100 ms to 2 s; its first one is the oldest. So frames are
// released with a delay that is just enough for the latest frame of the last seconds:
// it grows at once when one is later, and shrinks slowly (by 5 % of the time that
// passes, 10 % when it is more than 500 ms too long), which players make up for by
// playing faster. The zero value is ready for use.
type Release struct {
	begun bool
	late  windowMax
	delay time.Duration // a frame is due at PTS + delay
	last  Edge          // of the frames that were released; before the first one, of what arrived
}

// Delay returns how long after its PTS a frame is due now.
func (r *Release) Delay() time.Duration { return r.delay }

// Arrived learns from the arrival of a frame at the instant now.
func (r *Release) Arrived(pts, now time.Duration) {
	late := now - pts
	r.late.observe(now, late)
	if !r.begun {
		r.begun, r.delay = true, late
		r.last.Advance(pts, now)
	}
	r.delay = max(r.delay, late)
}

// Due returns the instant at which a frame is to be released. With hurry the frames
// have to make room: then early reports whether that is before its time.
func (r *Release) Due(pts time.Duration, hurry bool) (at time.Duration, early bool) {
	at = pts + r.delay
	if !hurry {
		return at, false
	}
	if soon := r.last.At + max(0, pts-r.last.PTS)/Hurry; soon < at {
		return soon, true
	}
	return at, false
}

// Released notes that a frame was released at the instant now.
func (r *Release) Released(pts, now time.Duration) {
	r.shrink(pts - r.last.PTS)
	r.last.PTS, r.last.At = max(r.last.PTS, pts), now
}

// shrink moves the delay towards what is needed, after elapsed media time.
func (r *Release) shrink(elapsed time.Duration) {
	needed := r.late.max()
	if elapsed <= 0 || needed >= r.delay {
		return
	}
	most := elapsed / 20
	if r.delay-needed > farOff {
		most = elapsed / 10
	}
	r.delay = max(needed, r.delay-most)
}

// windowMax is the maximum of what was observed in the last one to two windows of
// LateWindow.
type windowMax struct {
	begun             time.Duration // when the current window began
	current, previous time.Duration
	windows           int // that hold a value: 0, 1 or 2
}

func (w *windowMax) observe(now, v time.Duration) {
	switch {
	case w.windows == 0 || now-w.begun >= 2*LateWindow:
		w.begun, w.current, w.previous, w.windows = now, v, v, 1
	case now-w.begun >= LateWindow:
		w.begun, w.previous, w.current, w.windows = now, w.current, v, 2
	default:
		w.current = max(w.current, v)
	}
}

// max returns the maximum: that of the newest values while none come.
func (w *windowMax) max() time.Duration { return max(w.current, w.previous) }
