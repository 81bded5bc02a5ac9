package session

import (
	"context"
	"crypto/rand"
	"sync"

	"weir/sfu"
)

// ErrReplaced is the cause of the end of a publisher's session whose client has
// come back by another one. It wraps sfu.ErrLost: the stream goes on.
var ErrReplaced = sfu.LostError("session: replaced by a new one")

// loggedID is how many characters of an id get into the log: the whole is the
// right to act on the session.
const loggedID = 6

// Session is one client that is connected. V is what its protocol keeps of it.
type Session[V any] struct {
	// set once
	ID    string
	Name  string // of the stream
	Value V

	registry *Registry[V]
	cancel   context.CancelCauseFunc
	over     <-chan struct{}
	end      sync.Once
}

// LogID is the part of the id that may be logged.
func LogID(id string) string { return id[:loggedID] }

// Cancel tells the session to end, and why.
func (s *Session[V]) Cancel(why error) { s.cancel(why) }

// Over is closed when the stream's name is free again, or the viewer gone.
func (s *Session[V]) Over() <-chan struct{} { return s.over }

// End says that nothing of the session runs any more. Calling it twice is fine.
func (s *Session[V]) End() {
	s.end.Do(func() {
		r := s.registry
		r.mu.Lock()
		delete(r.byID, s.ID)
		r.mu.Unlock()
		r.running.Done()
	})
}

// Registry holds sessions. The zero value is ready to use. It is safe for
// concurrent use.
type Registry[V any] struct {
	running sync.WaitGroup

	// guarded by mu
	mu     sync.Mutex
	byID   map[string]*Session[V]
	closed bool
}

// Begin registers a session of the stream called name until End. Shutdown calls
// cancel with sfu.ErrShutdown; over is closed when the stream's name is free, or
// the viewer gone. The error is sfu.ErrShutdown when the registry is shutting
// down.
func (r *Registry[V]) Begin(name string, v V, over <-chan struct{}, cancel context.CancelCauseFunc) (*Session[V], error) {
	s := &Session[V]{ID: rand.Text(), Name: name, Value: v, registry: r, cancel: cancel, over: over}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, sfu.ErrShutdown
	}
	if r.byID == nil {
		r.byID = map[string]*Session[V]{}
	}
	r.byID[s.ID] = s
	r.running.Add(1)
	return s, nil
}

// Find returns the session with that id, or nil. One that is over is not found,
// though its recording may still be being finished.
func (r *Registry[V]) Find(id string) *Session[V] {
	r.mu.Lock()
	s := r.byID[id]
	r.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.over:
		return nil
	default:
		return s
	}
}

// Replace ends the publisher's session with that id, if there is one of that
// name, and waits until its name is free or ctx is done: its client has come back
// before anybody noticed that it was lost.
func (r *Registry[V]) Replace(ctx context.Context, name, id string) {
	s := r.Find(id)
	if s == nil || s.Name != name {
		return
	}
	s.Cancel(ErrReplaced)
	select {
	case <-s.over:
	case <-ctx.Done():
	}
}

// Of returns the sessions of that name.
func (r *Registry[V]) Of(name string) (found []*Session[V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.byID {
		if s.Name == name {
			found = append(found, s)
		}
	}
	return found
}

// Shutdown refuses new sessions, ends those that run, and waits until they have
// ended, recordings included, or ctx is done.
func (r *Registry[V]) Shutdown(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	for _, s := range r.byID {
		s.cancel(sfu.ErrShutdown)
	}
	r.mu.Unlock()
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
