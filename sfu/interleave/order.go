package interleave

import (
	"slices"
	"time"
)

// Order holds the frames of several tracks until their turn has come. It belongs to
// one goroutine.
type Order[T any] struct {
	tracks []track[T]
	count  int
}

// track holds the frames of one track: those before head are gone.
type track[T any] struct {
	frames []entry[T]
	head   int
	ended  bool
}

type entry[T any] struct {
	at    time.Duration
	frame T
}

// New returns an Order for that many tracks.
func New[T any](tracks int) *Order[T] { return &Order[T]{tracks: make([]track[T], tracks)} }

// Len returns how many frames wait.
func (o *Order[T]) Len() int { return o.count }

// Push adds a frame with the time at, behind those of its track.
func (o *Order[T]) Push(track int, at time.Duration, frame T) {
	o.count++
	t := &o.tracks[track]
	t.frames = append(t.frames, entry[T]{at, frame})
}

// PushFront adds a frame ahead of those of its track: what stands for one that is
// missing.
func (o *Order[T]) PushFront(track int, at time.Duration, frame T) {
	o.count++
	t := &o.tracks[track]
	if t.head == 0 {
		t.frames = slices.Insert(t.frames, 0, entry[T]{at, frame})
		return
	}
	t.head--
	t.frames[t.head] = entry[T]{at, frame}
}

// End notes that no frame of the track will follow.
func (o *Order[T]) End(track int) { o.tracks[track].ended = true }

// Ended reports whether End was called for the track.
func (o *Order[T]) Ended(track int) bool { return o.tracks[track].ended }

// Waiting returns how many frames of a track wait.
func (o *Order[T]) Waiting(track int) int {
	t := &o.tracks[track]
	return len(t.frames) - t.head
}

// Head returns the first frame of a track without taking it out, if there is one.
func (o *Order[T]) Head(track int) (at time.Duration, frame T, ok bool) {
	if t := &o.tracks[track]; t.head < len(t.frames) {
		first := &t.frames[t.head]
		return first.at, first.frame, true
	}
	return 0, frame, false
}

// First returns the track whose first frame has the lowest time; ok is false if no
// frame waits.
func (o *Order[T]) First() (track int, at time.Duration, ok bool) {
	track = -1
	for i := range o.tracks {
		t := &o.tracks[i]
		if t.head < len(t.frames) && (track < 0 || t.frames[t.head].at < at) {
			track, at = i, t.frames[t.head].at
		}
	}
	return max(track, 0), at, track >= 0
}

// Next takes out the next frame if its turn has come. For each track that has no frame
// waiting and has not ended, awaited is asked whether one that is earlier than the next
// frame may still come; first is the track of that frame.
func (o *Order[T]) Next(awaited func(track, first int) bool) (track int, at time.Duration, frame T, ok bool) {
	track, at, ok = o.First()
	if !ok {
		return 0, 0, frame, false
	}
	for i := range o.tracks {
		t := &o.tracks[i]
		if t.head == len(t.frames) && !t.ended && awaited(i, track) {
			return 0, 0, frame, false
		}
	}
	return track, at, o.Pop(track), true
}

// Pop takes out the first frame of a track that has one.
func (o *Order[T]) Pop(track int) T {
	t := &o.tracks[track]
	frame := t.frames[t.head].frame
	t.frames[t.head] = entry[T]{} // it is not kept alive
	t.head++
	o.count--
	if t.head*2 >= len(t.frames) { // half of it is gone: moving the rest is cheap
		n := copy(t.frames, t.frames[t.head:])
		clear(t.frames[n:])
		t.frames, t.head = t.frames[:n], 0
	}
	return frame
}
