package session

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"weir/sfu"
	"weir/signaling"
)

var (
	// ErrReplaced is the cause of the end of a publisher's session whose client has
	// come back by another one. It wraps sfu.ErrLost: the stream goes on.
	ErrReplaced = sfu.LostError("session: replaced by a new one")
	// ErrKicked is the cause of the end of a session that the server's operator ends. A
	// publisher's stream ends with it.
	ErrKicked = errors.New("session: ended by the server's operator")
)

// loggedID is how many characters of an id get into the log: the whole is the
// right to act on the session.
const loggedID = 6

// LogID returns the part of an id that may be logged.
func LogID(id string) string { return id[:min(loggedID, len(id))] }

// Role is what the client of a session does.
type Role string

// The roles.
const (
	Undecided Role = "undecided" // the client has not said yet whether it publishes or watches
	Publisher Role = "publisher"
	Viewer    Role = "viewer"
)

// Transport is how the media of a session are carried.
type Transport string

// The transports.
const (
	WebRTC    Transport = "webrtc"
	WebSocket Transport = "websocket"
)

// About describes a session.
type About struct {
	Role      Role
	Transport Transport
	Wire      string // what the client speaks: whip, whep, websocket, amlive, node-videostream
	Name      string // of the stream; empty while Role is Undecided
	Client    string // the program, as it names itself (User-Agent); may be empty
	Address   string // of the client, with its port where that is known
}

// AboutOf describes a session that begins with i, of a client that speaks wire.
func AboutOf(i signaling.Intent, t Transport, wire string) About {
	a := About{Role: Undecided, Transport: t, Wire: wire, Name: i.Name, Client: i.Client, Address: i.Remote}
	switch i.Action {
	case signaling.Publish:
		a.Role = Publisher
	case signaling.Watch:
		a.Role = Viewer
	}
	return a
}

// Counters are what has come from a publisher, or gone to a viewer. Packets is 0
// where media come in no packets.
type Counters struct {
	Packets, Bytes uint64
}

// Connection is what the registry asks of a session's client. Its methods are safe for
// concurrent use.
type Connection interface {
	// Silent reports whether nothing has come from the client for so long that it is
	// about to be given up.
	Silent() bool
	// Counters returns what has come from the client, or gone to it, so far.
	Counters() Counters
}

// Session is one client that is connected.
type Session struct {
	// set once
	id       string
	started  time.Time
	registry *Registry
	cancel   context.CancelCauseFunc
	over     <-chan struct{} // nil: it is over when it is closed
	closed   chan struct{}   // by Close
	close    sync.Once

	// guarded by registry.mu
	about      About
	connection Connection // nil: not known yet
}

func newSession(r *Registry, a About, c Connection, over <-chan struct{}, cancel context.CancelCauseFunc) *Session {
	s := &Session{
		id: rand.Text(), started: time.Now(), registry: r, cancel: cancel, over: over, closed: make(chan struct{}),
		about: a, connection: c,
	}
	if s.over == nil {
		s.over = s.closed
	}
	return s
}

// ID returns the session's id, which is the right to act on it.
func (s *Session) ID() string { return s.id }

// About returns the session's description.
func (s *Session) About() About {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.about
}

// Connection returns the connection of the session's client; nil while it is
// undecided.
func (s *Session) Connection() Connection {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	return s.connection
}

// Decide sets the role, the stream and the connection of a session that was Undecided.
func (s *Session) Decide(r Role, name string, c Connection) {
	s.registry.mu.Lock()
	defer s.registry.mu.Unlock()
	s.about.Role, s.about.Name, s.connection = r, name, c
}

// End ends the session with a cause. It does not wait for the end.
func (s *Session) End(cause error) { s.cancel(cause) }

// Over is closed when the stream's name is free again, or the viewer gone.
func (s *Session) Over() <-chan struct{} { return s.over }

// isOver reports whether Over is closed.
func (s *Session) isOver() bool {
	select {
	case <-s.over:
		return true
	default:
		return false
	}
}

// Close removes the session from the registry. Its owner calls it when nothing of the
// session runs any more. Calling it twice is fine.
func (s *Session) Close() {
	s.close.Do(func() {
		close(s.closed)
		s.registry.remove(s)
	})
}
