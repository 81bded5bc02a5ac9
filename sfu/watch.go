package sfu

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"time"
)

// maxEvents is how many events are kept for a watcher that has not taken them yet.
const maxEvents = 256

// EventKind is what an Event tells.
type EventKind uint8

// The kinds of events.
const (
	StreamClaimed  EventKind = iota // a publisher has a name, and with it a new stream
	StreamLive                      // its first media have come
	StreamWaiting                   // its publisher was lost, and may come back
	StreamResumed                   // a publisher goes on with it, and its first media have come
	StreamUpdated                   // what is said of it is another: Event.Stream.Texts
	StreamReplaced                  // a publisher has come back with other tracks: another stream takes its place
	StreamEnded                     // nothing follows, and the name is free
	StreamDrained                   // its standing sinks are done too; told of streams that ran
	ViewerJoined                    // Event.Stream.Viewers counts it
	ViewerLeft                      // Event.Stream.Viewers does not count it any more
	EventsMissed                    // the watcher was too slow: Event.Missed events are left out here
)

var eventNames = [...]string{
	StreamClaimed: "stream.claimed", StreamLive: "stream.live", StreamWaiting: "stream.waiting", StreamResumed: "stream.resumed", StreamUpdated: "stream.updated",
	StreamReplaced: "stream.replaced", StreamEnded: "stream.ended", StreamDrained: "stream.drained",
	ViewerJoined: "viewer.joined", ViewerLeft: "viewer.left", EventsMissed: "missed",
}

// String returns the kind's name, such as stream.live.
func (k EventKind) String() string { return eventNames[k] }

// Event is something that happened to a stream or to one of its viewers.
type Event struct {
	Kind   EventKind
	At     time.Time
	Stream StreamInfo // as it was then, without Tracks of viewers' events; not of EventsMissed
	Err    error      // of StreamDrained: what the standing sinks failed with
	Missed uint64     // of EventsMissed: how many events
}

// Watch returns the events from this call on until ctx is done, in order, for one loop
// over them. The last 256 events are kept for a loop that is slower than the events. A
// loop that is slower still holds up nothing: EventsMissed tells it how many events it
// has missed. All that happened before ctx was done is told before the loop ends.
func (h *Hub) Watch(ctx context.Context) iter.Seq[Event] {
	w := newWaker()
	pos := h.events.enter(w)
	leave := sync.OnceFunc(func() { h.events.leave(w) })
	forget := context.AfterFunc(ctx, leave)
	return func(yield func(Event) bool) {
		defer leave()
		defer forget() // ctx may last longer than the loop
		for {
			over := ctx.Err() != nil // before reading: what was told before is read
			for {
				event, next, ok := h.events.at(pos)
				if !ok {
					break
				}
				if pos = next; !yield(event) {
					return
				}
			}
			if over {
				return
			}
			select {
			case <-w:
			case <-ctx.Done():
			}
		}
	}
}

// tell tells the watchers what happened to s. It never waits for them.
func (h *Hub) tell(kind EventKind, s *stream) { h.events.tell(Event{Kind: kind}, s, 0) }

// events is the log of what has happened, for all watchers.
type events struct {
	watching atomic.Int64 // how many watchers: without any nothing is noted

	mu  sync.Mutex // serializes calls of tell
	log *ring[Event]
}

// enter adds a watcher, and returns where it is to begin.
func (e *events) enter(w waker) (pos uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.watching.Add(1)
	e.log.add(w)
	return e.log.head.Load()
}

func (e *events) leave(w waker) {
	e.log.remove(w)
	e.watching.Add(-1)
}

// tell notes an event of s, whose viewers become so many more with it. The caller may
// hold hub.mu, but no lock to the right of it.
func (e *events) tell(event Event, s *stream, viewers int64) {
	if e.watching.Load() == 0 {
		s.viewers.Add(viewers)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s.viewers.Add(viewers)
	// Viewers come by the hundred: what their stream's tracks have counted is not taken
	// down for each.
	if event.At = time.Now(); event.Kind == ViewerJoined || event.Kind == ViewerLeft {
		event.Stream = s.brief()
	} else {
		event.Stream = s.info()
	}
	e.log.append(&event, false)
	e.log.wake(false)
}

// at returns the event at pos, or how many were missed from there on, and the position
// behind that; false if nothing more has happened.
func (e *events) at(pos uint64) (event Event, next uint64, ok bool) {
	var one [1]*Event
	n, lapped := e.log.read(pos, one[:])
	switch {
	case lapped:
		oldest := e.log.tail.Load()
		return Event{Kind: EventsMissed, At: time.Now(), Missed: oldest - pos}, oldest, true
	case n == 0:
		return Event{}, pos, false
	}
	return *one[0], pos + 1, true
}
