package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/signaling"
)

const (
	// keptEvents is how many events a client that comes back may have missed and still
	// gets.
	keptEvents = 256
	// maxEventClients is how many clients may listen at a time.
	maxEventClients = 1000
	// eventTimeout is how long a write to a client may block, and keepAlive how often
	// something is sent, so that proxies keep the connection.
	eventTimeout = 10 * time.Second
	keepAlive    = 15 * time.Second
)

// Events are the newest events of the server, for clients that listen by server-sent
// events. It is safe for concurrent use.
type Events struct {
	// guarded by mu
	mu      sync.Mutex
	kept    []keptEvent   // the newest last
	first   uint64        // id of the first one of all
	gone    uint64        // id of the newest that was pushed out
	last    uint64        // id of the newest
	changed chan struct{} // closed when there is another one
	clients int
	closed  bool
}

// keptEvent is an event that can still be sent. JSON is made of it for each client:
// URLs in it depend on how the client reached the server.
type keptEvent struct {
	id    uint64
	kind  string
	state string // see publish
	data  EventData
}

// EventData returns the data of an event for a client that reached the server like
// that. It is called many times, by several goroutines.
type EventData func(signaling.Forwarded) any

// NewEvents returns Events of which there is none yet. Their ids begin with the
// time, in ms: a client that comes back to another run of the server is to miss
// nothing by its Last-Event-ID.
func NewEvents() *Events {
	now := uint64(time.Now().UnixMilli())
	return &Events{first: now + 1, gone: now, last: now, changed: make(chan struct{})}
}

// Publish sends an event to all clients. It never blocks: a client that is more than
// keptEvents behind misses some, and is told how many.
func (e *Events) Publish(kind string, data EventData) { e.publish(kind, "", data) }

// PublishStream sends an event of the hub, if clients get those of its kind. What is said
// of a stream may be changed as often as its publisher likes: of the events of that kind
// the newest one of each stream is kept, which tells all that those before it have told.
func (e *Events) PublishStream(happened sfu.Event) {
	kind, data, ok := streamEvent(happened)
	switch {
	case !ok:
	case happened.Kind == sfu.StreamUpdated:
		e.publish(kind, happened.Stream.ID, data)
	default:
		e.publish(kind, "", data)
	}
}

// publish is Publish. If state is not empty, the event takes the place of the one before
// it that has the same.
func (e *Events) publish(kind, state string, data EventData) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	e.last++
	if state != "" {
		e.kept = slices.DeleteFunc(e.kept, func(k keptEvent) bool { return k.state == state })
	}
	if len(e.kept) == keptEvents {
		e.gone = e.kept[0].id
		e.kept = slices.Delete(e.kept, 0, 1)
	}
	e.kept = append(e.kept, keptEvent{e.last, kind, state, data})
	close(e.changed)
	e.changed = make(chan struct{})
}

// Close ends the answers to all clients once they have every event, and refuses new
// ones.
func (e *Events) Close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		close(e.changed)
	}
}

// after returns the events behind id, how many were missed before them, at most, and a
// channel that is closed when there are more.
func (e *Events) after(id uint64) (list []keptEvent, missed uint64, changed <-chan struct{}, closed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if id > e.last || id+1 < e.first {
		id = e.first - 1 // of another run of the server
	}
	if e.gone > id {
		missed = e.gone - id
	}
	for _, s := range e.kept {
		if s.id > id {
			list = append(list, s)
		}
	}
	return list, missed, e.changed, e.closed
}

// enter counts a client.
func (e *Events) enter() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || e.clients >= maxEventClients {
		return false
	}
	e.clients++
	return true
}

func (e *Events) leave() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.clients--
}

// newest is the id of the newest event.
func (e *Events) newest() uint64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.last
}

// serveEvents is GET /api/v1/events: what happens from now on, or since the event
// in Last-Event-ID, as server-sent events (HTML Standard section 9.2).
func (a *API) serveEvents(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	e := a.config.Events
	if e == nil || !e.enter() {
		signaling.WriteError(w, &signaling.Problem{Status: http.StatusServiceUnavailable, Title: "Too many listeners", RetryAfter: 5,
			Detail: "Too many clients listen to events. Try again after the time in Retry-After."})
		return
	}
	defer e.leave()
	id := e.newest()
	if given, err := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64); err == nil {
		id = given
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies hold back what is small
	if r.Method == http.MethodHead {
		return
	}
	sendEvents(r.Context(), w, e, id, i.From)
}

// sendEvents sends the events behind id until the client has gone or Events is closed.
func sendEvents(ctx context.Context, w http.ResponseWriter, e *Events, id uint64, from signaling.Forwarded) {
	c := http.NewResponseController(w)
	send := func(format string, args ...any) bool {
		_ = c.SetWriteDeadline(time.Now().Add(eventTimeout)) // without one, as in a test's recorder, it may take for ever
		if _, err := fmt.Fprintf(w, format, args...); err != nil {
			return false
		}
		return c.Flush() == nil
	}
	if !send(": weir\nretry: 2000\n\n") {
		return
	}
	alive := time.NewTicker(keepAlive)
	defer alive.Stop()
	for {
		list, missed, changed, closed := e.after(id)
		if missed > 0 && !send("event: missed\ndata: {\"count\":%d}\n\n", missed) {
			return
		}
		for _, s := range list {
			id = s.id
			data, err := json.Marshal(s.data(from))
			if err != nil {
				continue // of our own types none fails
			}
			if !send("id: %d\nevent: %s\ndata: %s\n\n", s.id, s.kind, data) {
				return
			}
		}
		if closed {
			return
		}
		select {
		case <-changed:
		case <-alive.C:
			if !send(": alive\n\n") {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// streamEvent makes an event for clients of one of the hub; ok is false if clients do
// not get it.
func streamEvent(e sfu.Event) (kind string, data EventData, ok bool) {
	switch e.Kind {
	case sfu.StreamClaimed, sfu.StreamLive, sfu.StreamWaiting, sfu.StreamResumed, sfu.StreamUpdated, sfu.StreamReplaced, sfu.StreamEnded:
	default:
		// Each viewer that comes or goes would push what else has happened out of the
		// events that are kept.
		return "", nil, false
	}
	kind = e.Kind.String()
	value := struct {
		Type   string    `json:"type"`
		At     time.Time `json:"at"`
		Stream Stream    `json:"stream"`
	}{kind, e.At.UTC(), showStream(e.Stream)}
	return kind, func(signaling.Forwarded) any { return value }, true
}

// RecordingEvent makes an event for clients of one of the recorder.
func RecordingEvent(e recorder.Event) EventData {
	return func(from signaling.Forwarded) any {
		return struct {
			Type      string    `json:"type"`
			At        time.Time `json:"at"`
			Recording Recording `json:"recording"`
		}{e.Type, e.At, show(e.Recording, from)}
	}
}
