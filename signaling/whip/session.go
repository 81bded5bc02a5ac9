package whip

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"sync"
	"time"

	"weir/sfu"
	"weir/sfu/peer"
	"weir/signaling"
	"weir/signaling/session"
)

// errStopped is the cause of a session that its client ended with DELETE.
var errStopped = errors.New("whip: stopped by the client")

// connection is what a session needs of a peer.
type connection interface {
	Trickle(peer.Fragment) error
	Restart(context.Context, peer.Fragment) (peer.Fragment, error)
	Silent() bool
}

// client is what WHIP and WHEP keep of a session.
type client struct {
	// set once
	peer      connection
	publishes bool
	failure   func() error // why the session is of no use any more, or nil
	id        string       // of the session; set before that runs

	// guarded by mu
	mu        sync.Mutex
	tag       string // entity tag, without quotes: names the ICE session (RFC 9725 section 4.3.1)
	restarted bool   // it is not the first one
}

// visit is one client's WHIP or WHEP session.
type visit = session.Session[*client]

// noFailure is the failure of sessions that have none of which their client does not
// know.
func noFailure() error { return nil }

func (c *client) entityTag() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return `"` + c.tag + `"`
}

// hasRestarted reports whether ICE was restarted.
func (c *client) hasRestarted() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.restarted
}

// publish makes a session of a publisher's offer.
func (e *Endpoint) publish(r *http.Request, offer string) (*visit, string, error) {
	record, err := signaling.WantsRecord(r)
	if err != nil {
		return nil, "", err
	}
	record = record && e.config.Record
	name := r.PathValue("name")
	e.makeWay(r.Context(), name, r.URL.Query().Get("replaces"))
	pub, err := e.config.Hub.Publish(name, sfu.PublishOptions{Source: "webrtc", Record: record})
	if err != nil {
		return nil, "", err
	}
	source, answer, err := e.config.Port.NewPublisher(r.Context(), offer, pub)
	if err != nil {
		pub.Close()
		return nil, "", err
	}
	c := &client{peer: source, publishes: true, failure: source.Failure}
	s, err := e.start(name, c, pub.Done(), func(ctx context.Context, session string) {
		log := e.config.Log.With("stream", name, "session", session)
		log.Info("publisher answered", "record", record, "remote", r.RemoteAddr)
		err := pub.Run(ctx, sourceFunc(func(ctx context.Context, pub *sfu.Publication) error {
			defer func() { e.endings.note(c.id, source.Failure()) }() // before the session is not found any more
			return source.Run(ctx, pub)
		}))
		i := pub.Info()
		log.Info("publisher gone", "reason", reason(err), "duration_ms", time.Since(i.StartedAt).Milliseconds(), "had_media", i.Live)
	})
	if err != nil {
		source.Close()
		pub.Close()
		return nil, "", err
	}
	return s, answer, nil
}

// sourceFunc is a source that is but a function.
type sourceFunc func(context.Context, *sfu.Publication) error

// Run implements sfu.Source.
func (f sourceFunc) Run(ctx context.Context, pub *sfu.Publication) error { return f(ctx, pub) }

// makeWay ends a session that a publisher of that name is to take the place of:
// the one that it says was its own, and any that has been silent for so long that
// it is about to be given up anyway.
func (e *Endpoint) makeWay(ctx context.Context, name, replaces string) {
	if replaces != "" {
		e.sessions.Replace(ctx, name, replaces)
	}
	for _, s := range e.sessions.Of(name) {
		if s.Value.publishes && s.Value.peer.Silent() {
			e.sessions.Replace(ctx, name, s.ID)
		}
	}
}

// view makes a session of a viewer's offer.
func (e *Endpoint) view(r *http.Request, offer string) (*visit, string, error) {
	name := r.PathValue("name")
	if err := sfu.ValidName(name); err != nil {
		return nil, "", err
	}
	if err := e.waiting.await(r.Context(), e.config.Hub, name); err != nil {
		return nil, "", err
	}
	sub, err := e.config.Hub.Subscribe(name)
	if err != nil {
		return nil, "", err
	}
	if !sub.Stream().Live { // its publisher may never come through
		return nil, "", errors.Join(sfu.ErrNotLive, sub.Close())
	}
	sink, answer, err := e.newViewer(r.Context(), offer, sub)
	if err != nil {
		sub.Close()
		return nil, "", err
	}
	gone := make(chan struct{})
	s, err := e.start(name, &client{peer: sink, failure: noFailure}, gone, func(ctx context.Context, session string) {
		log := e.config.Log.With("stream", name, "session", session)
		defer close(gone)
		defer sub.Close()
		start := time.Now()
		log.Info("viewer answered", "remote", r.RemoteAddr)
		err := sink.Run(ctx, sub)
		sent := sink.Stats()
		log.Info("viewer gone", "reason", reason(err), "duration_ms", time.Since(start).Milliseconds(),
			"packets", sent.Packets, "resent", sent.Resent, "missing", sent.Missing)
	})
	if err != nil {
		sink.Close()
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
	case errors.Is(err, session.ErrReplaced):
		return "replaced"
	case errors.Is(err, peer.ErrNoMedia):
		return "nothing that it sent could be used"
	case errors.Is(err, peer.ErrClosed):
		return "closed by the client"
	case errors.Is(err, peer.ErrLost):
		return "connection lost"
	case errors.Is(err, sfu.ErrShutdown):
		return "shutdown"
	default:
		return err.Error()
	}
}

// start registers a session and runs it. What run gets with the context names the
// session in the log.
func (e *Endpoint) start(name string, c *client, over <-chan struct{}, run func(ctx context.Context, session string)) (*visit, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c.tag = rand.Text()
	s, err := e.sessions.Begin(name, c, over, cancel)
	if err != nil {
		cancel(err)
		return nil, err
	}
	c.id = s.ID
	go func() {
		defer s.End()
		defer cancel(nil)
		run(ctx, session.LogID(s.ID))
	}()
	return s, nil
}

// Shutdown refuses new sessions, ends those that run, publishers and viewers
// alike, and waits until they have ended, recordings included, or ctx is done.
func (e *Endpoint) Shutdown(ctx context.Context) error {
	e.waiting.shutdown()
	return e.sessions.Shutdown(ctx)
}

// serveSession is the session resource.
func (e *Endpoint) serveSession(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Accept-Patch", typeFragment)
		w.WriteHeader(http.StatusOK)
		return
	}
	id := r.PathValue("id")
	s := e.sessions.Find(id)
	if s == nil {
		signaling.WriteError(w, e.endings.why(id))
		return
	}
	if err := s.Value.failure(); err != nil {
		signaling.WriteError(w, err) // it is being torn down
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("ETag", s.Value.entityTag())
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch:
		if err := s.Value.patch(w, r); err != nil {
			signaling.WriteError(w, err)
		}
	case http.MethodDelete:
		s.Cancel(errStopped)
		select { // so that the name is free when the client reads the answer
		case <-s.Over():
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusOK)
	default:
		signaling.MethodNotAllowed(w, "DELETE, GET, HEAD, OPTIONS, PATCH")
	}
}
