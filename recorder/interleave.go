package recorder

import (
	"slices"
	"time"

	"weir/sfu/media"
)

// holdTime is how long a frame waits for an earlier one of another track. It is
// also what a crash can lose beyond what the kernel has.
const holdTime = 150 * time.Millisecond

// interleaver brings the frames of several tracks into the order of their times.
// A frame comes out when every other track has a later one waiting or has ended,
// or when it has waited for holdTime: then a late track's frames come out of
// order, which is better than to lose them or to change their time.
type interleaver struct {
	queues []queue
}

// queue is one track's frames.
type queue struct {
	frames []heldFrame
	ended  bool
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
	l.queues[track].frames = append(l.queues[track].frames, f)
}

// end says that no frame of the track will follow.
func (l *interleaver) end(track int) { l.queues[track].ended = true }

// next takes out the next frame whose turn it is, if there is one.
func (l *interleaver) next(now time.Time) (track int, f heldFrame, ok bool) {
	track, sure := -1, true
	for i := range l.queues {
		q := &l.queues[i]
		if len(q.frames) == 0 {
			sure = sure && q.ended
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
	if !sure && now.Sub(f.since) < holdTime {
		return 0, heldFrame{}, false
	}
	copy(q.frames, q.frames[1:])
	q.frames[len(q.frames)-1] = heldFrame{}
	q.frames = q.frames[:len(q.frames)-1]
	return track, f, true
}

// some says that there are frames.
func (l *interleaver) some() bool {
	return slices.ContainsFunc(l.queues, func(q queue) bool { return len(q.frames) > 0 })
}
