package recorder

import (
	"slices"
	"time"

	"weir/sfu/media"
)

// How long a frame waits for an earlier one of another track, which is also what a
// crash can lose beyond what the kernel has.
const (
	// holdTime is for a track of which nothing comes.
	holdTime = 150 * time.Millisecond
	// activeTime is for how long after its last frame a track counts as one that
	// something comes of. Opus sends something every 400 ms when nobody speaks (RFC
	// 6716 section 2.1.9).
	activeTime = time.Second
	// activeHold is for such a track: what follows a lost packet may come that much
	// later, because it was waited for, and silence that took its place could not be
	// taken back.
	activeHold = 600 * time.Millisecond
	// maxHold is for a track that always comes late.
	maxHold = 1500 * time.Millisecond
)

// interleaver brings the frames of several tracks into the order of their times.
// A frame comes out when every other track has a later one waiting or has ended,
// or when it has waited for long enough: for a track that was late before a little
// longer than that one was. What is later still comes out of order.
type interleaver struct {
	queues []queue
	begun  time.Time // when the first frame was put in
	newest heldFrame // of those that came out the one with the highest time
}

// queue is one track's frames.
type queue struct {
	frames []heldFrame
	ended  bool
	last   time.Time     // when the last frame was put in
	late   time.Duration // how long others should have waited for it, and a margin
}

type heldFrame struct {
	*media.Frame
	since time.Time // when it was put in
	gap   bool      // frames are missing before it
}

func newInterleaver(tracks int) *interleaver {
	return &interleaver{queues: make([]queue, tracks)}
}

func (l *interleaver) put(track int, f heldFrame) {
	q := &l.queues[track]
	if l.begun.IsZero() {
		l.begun = f.since
	}
	if !q.active(l.begun, f.since) {
		q.late = 0
	}
	if n := l.newest; n.Frame != nil && f.PTS < n.PTS {
		q.late = max(q.late, min(f.since.Sub(n.since)+n.PTS-f.PTS+holdTime, maxHold))
	}
	q.last = f.since
	q.frames = append(q.frames, f)
}

// active reports whether something comes of the track. begun is when the first frame
// of any came.
func (q *queue) active(begun, now time.Time) bool {
	last := q.last
	if last.IsZero() {
		last = begun
	}
	return now.Sub(last) < activeTime
}

// hold returns how long frames wait for one of the track.
func (l *interleaver) hold(q *queue, now time.Time) time.Duration {
	if q.active(l.begun, now) {
		return max(activeHold, q.late)
	}
	return holdTime
}

// end says that no frame of the track will follow.
func (l *interleaver) end(track int) { l.queues[track].ended = true }

// next takes out the next frame whose turn it is, if there is one.
func (l *interleaver) next(now time.Time) (track int, f heldFrame, ok bool) {
	track = -1
	hold := time.Duration(0)
	for i := range l.queues {
		q := &l.queues[i]
		if len(q.frames) == 0 {
			if !q.ended {
				hold = max(hold, l.hold(q, now))
			}
			continue
		}
		if track < 0 || q.frames[0].PTS < l.queues[track].frames[0].PTS {
			track = i
		}
	}
	if track < 0 {
		return 0, heldFrame{}, false
	}
	q := &l.queues[track]
	f = q.frames[0]
	if now.Sub(f.since) < hold {
		return 0, heldFrame{}, false
	}
	copy(q.frames, q.frames[1:])
	q.frames[len(q.frames)-1] = heldFrame{}
	q.frames = q.frames[:len(q.frames)-1]
	if l.newest.Frame == nil || f.PTS > l.newest.PTS {
		l.newest = f
	}
	return track, f, true
}

// after returns the time of a track's next frame, or if that is not there yet, one that
// it will hardly be before. at is that of the frame that came out last; it returns false
// if the next one may be older: of a track that always comes too late.
func (l *interleaver) after(track int, at time.Duration, now time.Time) (next time.Duration, ok bool) {
	q := &l.queues[track]
	if len(q.frames) > 0 {
		return q.frames[0].PTS, true
	}
	return at + soundSoon, q.ended || q.late < maxHold || !q.active(l.begun, now)
}

// some says that there are frames.
func (l *interleaver) some() bool {
	return slices.ContainsFunc(l.queues, func(q queue) bool { return len(q.frames) > 0 })
}
