package session

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"weir/sfu"
)

// Registry holds the sessions of a server. The zero value is ready to use. It is safe
// for concurrent use.
type Registry struct {
	running sync.WaitGroup

	// guarded by mu
	mu     sync.Mutex
	byID   map[string]*Session
	closed bool
}

// Begin registers a session until its Close. Shutdown calls cancel with
// sfu.ErrShutdown. over is closed when the stream's name is free again; nil for a
// session that holds no name. c may be nil while a session is Undecided. The error is
// sfu.ErrShutdown when the registry is shutting down.
func (r *Registry) Begin(a About, c Connection, over <-chan struct{}, cancel context.CancelCauseFunc) (*Session, error) {
	s := newSession(r, a, c, over, cancel)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, sfu.ErrShutdown
	}
	if r.byID == nil {
		r.byID = map[string]*Session{}
	}
	r.byID[s.id] = s
	r.running.Add(1)
	return s, nil
}

func (r *Registry) remove(s *Session) {
	r.mu.Lock()
	delete(r.byID, s.id)
	r.mu.Unlock()
	r.running.Done()
}

// Find returns the session with that id, or nil. One that is over is not found,
// though its recording may still be being finished.
func (r *Registry) Find(id string) *Session {
	r.mu.Lock()
	s := r.byID[id]
	r.mu.Unlock()
	if s == nil || s.isOver() {
		return nil
	}
	return s
}

// End ends the session with that id, with a cause. It reports whether there is such a
// session, and does not wait for its end.
func (r *Registry) End(id string, cause error) bool {
	s := r.Find(id)
	if s == nil {
		return false
	}
	s.End(cause)
	return true
}

// Replace ends the sessions of that name that a new publisher replaces, and waits until
// they are over or ctx is done. These are the session with that id, which is ?replaces=
// of the new publisher, and each session that has been silent for so long that it is
// about to be given up: its client has come back before the loss was noticed.
//
// Only publishers of that name are replaced, over any transport. An id of another
// session, or of none, is no error: the session may be over by now. A publisher that
// does not give way keeps the name, and the new one gets sfu.ErrNameTaken (409) when it
// claims that. Call Replace before the claim and before Begin: so a session cannot
// replace itself.
func (r *Registry) Replace(ctx context.Context, name, id string) {
	for _, s := range r.publishers(name) {
		if s.id == id || s.Connection().Silent() {
			s.End(ErrReplaced)
			select {
			case <-s.Over():
			case <-ctx.Done():
				return
			}
		}
	}
}

// publishers returns the sessions that publish under that name and are not over.
func (r *Registry) publishers(name string) (found []*Session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.byID {
		if s.about.Role == Publisher && s.about.Name == name && !s.isOver() {
			found = append(found, s)
		}
	}
	return found
}

// Snapshot is the state of a session at one moment.
type Snapshot struct {
	ID string // the right to act on the session: show it only to clients that have this right
	About
	Started time.Time
	Counters
}

// Sessions returns snapshots of all sessions that are not over, the oldest first.
func (r *Registry) Sessions() []Snapshot {
	r.mu.Lock()
	list := make([]Snapshot, 0, len(r.byID))
	connections := make([]Connection, 0, len(r.byID))
	for _, s := range r.byID {
		if !s.isOver() {
			list = append(list, Snapshot{ID: s.id, About: s.about, Started: s.started})
			connections = append(connections, s.connection)
		}
	}
	r.mu.Unlock()
	for i, c := range connections { // not with the lock held: they have their own
		if c != nil {
			list[i].Counters = c.Counters()
		}
	}
	slices.SortFunc(list, func(a, b Snapshot) int {
		if order := a.Started.Compare(b.Started); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list
}

// Count is the number of sessions of a role over a transport.
type Count struct {
	Role      Role
	Transport Transport
	Sessions  int
}

// Counts returns the numbers of sessions that are not over, for each role and transport.
// No session is undecided over WebRTC.
func (r *Registry) Counts() []Count {
	counts := []Count{
		{Role: Publisher, Transport: WebRTC}, {Role: Publisher, Transport: WebSocket},
		{Role: Viewer, Transport: WebRTC}, {Role: Viewer, Transport: WebSocket},
		{Role: Undecided, Transport: WebSocket},
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.byID {
		same := func(c Count) bool { return c.Role == s.about.Role && c.Transport == s.about.Transport }
		if i := slices.IndexFunc(counts, same); i >= 0 && !s.isOver() {
			counts[i].Sessions++
		}
	}
	return counts
}

// Shutdown refuses new sessions, ends those that run, and waits until they have
// ended, recordings included, or ctx is done. Calling it several times is fine.
func (r *Registry) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	running := make([]*Session, 0, len(r.byID))
	for _, s := range r.byID {
		running = append(running, s)
	}
	r.mu.Unlock()
	for _, s := range running {
		s.End(sfu.ErrShutdown)
	}
	ended := make(chan struct{})
	go func() {
		r.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
