package whip

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strconv"
	"sync"
	"time"

	"weir/sfu"
	"weir/sfu/peer"
	"weir/signaling"
)

// errStopped is the cause of a session that its client ended with DELETE.
var errStopped = errors.New("whip: stopped by the client")

// connection is what a session needs of a peer.
type connection interface {
	Trickle(peer.Fragment) error
	Restart(context.Context, peer.Fragment) (peer.Fragment, error)
}

// session is one client's WHIP or WHEP session.
type session struct {
	// set once
	id     string
	peer   connection
	cancel context.CancelCauseFunc
	ended  <-chan struct{} // closed when the stream's name is free, or the viewer gone

	// guarded by mu
	mu  sync.Mutex
	tag string // entity tag, without quotes: names the ICE session (RFC 9725 section 4.3.1)
}

func (s *session) entityTag() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return `"` + s.tag + `"`
}

// registry holds the sessions by id.
type registry struct {
	running sync.WaitGroup

	mu     sync.Mutex
	byID   map[string]*session
	closed bool
}

// publish makes a session of a publisher's offer.
func (e *Endpoint) publish(r *http.Request, offer string) (*session, string, error) {
	record, err := wantsRecord(r)
	if err != nil {
		return nil, "", err
	}
	record = record && e.config.Record
	pub, err := e.config.Hub.Publish(r.PathValue("name"), sfu.PublishOptions{Source: "webrtc", Record: record})
	if err != nil {
		return nil, "", err
	}
	client, answer, err := e.config.Port.NewPublisher(r.Context(), offer, pub)
	if err != nil {
		pub.Close()
		return nil, "", err
	}
	s, err := e.start(client, pub.Done(), func(ctx context.Context, session string) {
		log := e.config.Log.With("stream", pub.Info().Name, "session", session)
		log.Info("publisher answered", "record", record, "remote", r.RemoteAddr)
		err := pub.Run(ctx, client)
		i := pub.Info()
		log.Info("publisher gone", "reason", reason(err), "duration_ms", time.Since(i.StartedAt).Milliseconds(), "had_media", i.Live)
	})
	if err != nil {
		client.Close()
		pub.Close()
		return nil, "", err
	}
	return s, answer, nil
}

// wantsRecord reads ?record=, which is true if it is not given.
func wantsRecord(r *http.Request) (bool, error) {
	given := r.URL.Query().Get("record")
	if given == "" {
		return true, nil
	}
	record, err := strconv.ParseBool(given)
	if err != nil {
		return false, &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad parameter",
			Detail: "record is true or false."}
	}
	return record, nil
}

// view makes a session of a viewer's offer.
func (e *Endpoint) view(r *http.Request, offer string) (*session, string, error) {
	name := r.PathValue("name")
	if err := sfu.ValidName(name); err != nil {
		return nil, "", err
	}
	sub, err := e.config.Hub.Subscribe(name)
	if err != nil {
		return nil, "", err
	}
	if !sub.Stream().Live { // its publisher may never come through
		return nil, "", errors.Join(sfu.ErrNotLive, sub.Close())
	}
	client, answer, err := e.newViewer(r.Context(), offer, sub)
	if err != nil {
		sub.Close()
		return nil, "", err
	}
	gone := make(chan struct{})
	s, err := e.start(client, gone, func(ctx context.Context, session string) {
		log := e.config.Log.With("stream", name, "session", session)
		defer close(gone)
		defer sub.Close()
		start := time.Now()
		log.Info("viewer answered", "remote", r.RemoteAddr)
		err := client.Run(ctx, sub)
		sent := client.Stats()
		log.Info("viewer gone", "reason", reason(err), "duration_ms", time.Since(start).Milliseconds(),
			"packets", sent.Packets, "resent", sent.Resent, "missing", sent.Missing)
	})
	if err != nil {
		client.Close()
		sub.Close()
		return nil, "", err
	}
	return s, answer, nil
}

func (e *Endpoint) newViewer(ctx context.Context, offer string, sub *sfu.Subscription) (*peer.Viewer, string, error) {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return nil, "", err
	}
	return e.config.Port.NewViewer(ctx, offer, tracks)
}

// reason says in a word why a session ended.
func reason(err error) string {
	switch {
	case err == nil:
		return "stream ended"
	case errors.Is(err, errStopped):
		return "stopped"
	case errors.Is(err, peer.ErrNotConnected):
		return "never connected"
	case errors.Is(err, peer.ErrLost):
		return "connection lost"
	case errors.Is(err, sfu.ErrShutdown):
		return "shutdown"
	default:
		return err.Error()
	}
}

// start registers a session and runs it. What run gets with the context names the
// session in the log: the head of its id, since the whole is the right to act on
// it.
func (e *Endpoint) start(c connection, ended <-chan struct{}, run func(ctx context.Context, name string)) (*session, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &session{id: rand.Text(), peer: c, cancel: cancel, ended: ended, tag: rand.Text()}
	if !e.sessions.add(s) {
		cancel(sfu.ErrShutdown)
		return nil, sfu.ErrShutdown
	}
	go func() {
		defer e.sessions.remove(s)
		defer cancel(nil)
		run(ctx, s.id[:loggedID])
	}()
	return s, nil
}

// loggedID is how many characters of a session's id get into the log, of 26.
const loggedID = 6

// add registers s. It returns false when the endpoint is shutting down.
func (r *registry) add(s *session) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.byID[s.id] = s
	r.running.Add(1)
	return true
}

func (r *registry) remove(s *session) {
	r.mu.Lock()
	delete(r.byID, s.id)
	r.mu.Unlock()
	r.running.Done()
}

// find returns the session with that id, or nil. One that has ended is not found,
// though its recording may still be being finished.
func (r *registry) find(id string) *session {
	r.mu.Lock()
	s := r.byID[id]
	r.mu.Unlock()
	if s == nil {
		return nil
	}
	select {
	case <-s.ended:
		return nil
	default:
		return s
	}
}

// Shutdown refuses new sessions, ends those that run, publishers and viewers
// alike, and waits until they have ended, recordings included, or ctx is done.
func (e *Endpoint) Shutdown(ctx context.Context) error {
	r := &e.sessions
	r.mu.Lock()
	r.closed = true
	for _, s := range r.byID {
		s.cancel(sfu.ErrShutdown)
	}
	r.mu.Unlock()
	return signaling.Wait(ctx, &r.running)
}

// serveSession is the session resource.
func (e *Endpoint) serveSession(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Accept-Patch", typeFragment)
		w.WriteHeader(http.StatusOK)
		return
	}
	s := e.sessions.find(r.PathValue("id"))
	if s == nil {
		signaling.WriteError(w, peer.ErrLost)
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("ETag", s.entityTag())
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch:
		if err := s.patch(w, r); err != nil {
			signaling.WriteError(w, err)
		}
	case http.MethodDelete:
		s.cancel(errStopped)
		select { // so that the name is free when the client reads the answer
		case <-s.ended:
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusOK)
	default:
		signaling.MethodNotAllowed(w, "DELETE, GET, HEAD, OPTIONS, PATCH")
	}
}
