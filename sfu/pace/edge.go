package pace

import "time"

// Edge is the newest frame of a stream. The zero value is a stream of which nothing
// has come.
type Edge struct {
	// PTS is the highest of all frames so far, At the instant at which that frame came.
	PTS, At time.Duration
	known   bool
}

// Known reports whether a frame has come.
func (e *Edge) Known() bool { return e.known }

// Advance notes a frame that came at the instant now, if none had a higher PTS. Of
// frames with the same PTS the last one counts.
func (e *Edge) Advance(pts, now time.Duration) {
	if !e.known || pts >= e.PTS {
		e.PTS, e.At, e.known = pts, now, true
	}
}

// Idle returns for how long the edge has stood still at the instant now.
func (e *Edge) Idle(now time.Duration) time.Duration { return now - e.At }

// Now returns where the stream is at the instant now: its edge, and the time that has
// passed since that came.
func (e *Edge) Now(now time.Duration) time.Duration { return e.PTS + e.Idle(now) }

// Late returns how much later than the edge a frame of that PTS is that comes at the
// instant now. It is negative for a frame that comes earlier.
func (e *Edge) Late(pts, now time.Duration) time.Duration { return e.Now(now) - pts }
