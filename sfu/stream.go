package sfu

import (
	"sync"
	"sync/atomic"
	"time"
)

// StreamInfo is a snapshot of a stream.
type StreamInfo struct {
	Name      string
	ID        string // of this broadcast; another one of the same name has another
	Source    string // PublishOptions.Source of the newest publisher
	Record    bool
	State     State
	Live      bool // media have come at some time: viewers were taken
	StartedAt time.Time
	Viewers   int
	Texts     // as they are now
	Tracks    []TrackStats
	// Continues is the ID of the stream that the same name had right before, when
	// its publisher was lost and came back with other tracks or options.
	Continues string
}

// stream is what a publication writes and subscriptions read.
type stream struct {
	// set once
	hub     *Hub
	name    string
	id      string
	options PublishOptions // of the first publisher
	after   string         // StreamInfo.Continues
	started time.Time      // with a monotonic reading: the stream's clock
	ready   chan struct{}  // closed when all tracks are known
	live    chan struct{}  // closed when media has come
	over    chan struct{}  // closed when it has ended
	drained chan struct{}  // closed when the standing sinks are done too

	standing standing

	// guarded by hub.mu
	expiry   *time.Timer // of the grace; nil: none began yet
	deadline time.Time   // of the grace
	told     Texts       // what publishers have said of it, the newest last

	// guarded by mu
	mu     sync.Mutex
	source string // PublishOptions.Source of the newest publisher
	said   Texts
	tracks []*Track
	shards []*shard

	requests requests

	// atomic
	current atomic.Uint32 // State; changed by move only
	viewers atomic.Int64
}

func newStream(h *Hub, name string, o PublishOptions, after string) *stream {
	return &stream{
		hub: h, name: name, id: newID(), options: o, source: o.Source, told: o.Texts, said: o.Texts, after: after, started: time.Now(),
		requests: requests{ids: make(chan string, maxTracks)},
		ready:    make(chan struct{}), live: make(chan struct{}), over: make(chan struct{}), drained: make(chan struct{}),
	}
}

// now is the time on the stream's clock.
func (s *stream) now() time.Duration { return time.Since(s.started) }

// isReady reports whether viewers may come: its tracks are known.
func (s *stream) isReady() bool { return s.state() != Ended && isClosed(s.ready) }

// requests are the keyframe requests that wait for the source: one for each track
// at most.
type requests struct {
	ids chan string // of tracks

	mu sync.Mutex // serializes add and takeBack
}

// add hands over the request for a track. There is room: tracks are no more.
func (r *requests) add(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(id)
	select {
	case r.ids <- id:
	default:
	}
}

// takeBack takes back the request for a track, if the source has not taken it.
func (r *requests) takeBack(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(id)
}

// remove moves all other requests to the end, which is where they were.
func (r *requests) remove(id string) {
	for range len(r.ids) {
		select {
		case other := <-r.ids:
			if other != id {
				r.ids <- other // into the room that it has left
			}
		default:
			return // the source has taken the rest
		}
	}
}

// end ends the tracks: readers get what is there and then io.EOF.
func (s *stream) end() {
	s.mu.Lock()
	close(s.over)
	tracks := s.tracks
	s.mu.Unlock()
	for _, t := range tracks {
		t.end()
	}
}

func (s *stream) info() StreamInfo {
	i := s.brief()
	s.mu.Lock()
	tracks := s.tracks
	s.mu.Unlock()
	for _, t := range tracks { // the slice only grows, so its elements are stable
		i.Tracks = append(i.Tracks, t.Stats())
	}
	return i
}

// brief is info without tracks: it costs no allocation.
func (s *stream) brief() StreamInfo {
	s.mu.Lock()
	source, said := s.source, s.said
	s.mu.Unlock()
	return StreamInfo{
		Name: s.name, ID: s.id, Source: source, Record: s.options.Record,
		State: s.state().shown(), Live: isClosed(s.live), StartedAt: s.started, Viewers: int(s.viewers.Load()), Texts: said, Continues: s.after,
	}
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
