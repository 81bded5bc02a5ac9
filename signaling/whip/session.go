package whip

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"

	"weir/sfu"
	"weir/sfu/peer"
	"weir/signaling"
	"weir/signaling/session"
)

// errStopped is the cause of a session that its client ended with DELETE.
var errStopped = errors.New("whip: stopped by the client")

// connection is the part of peer.Publisher and peer.Viewer that a session uses.
type connection interface {
	Trickle(peer.Fragment) error
	Restart(context.Context, peer.Fragment) (peer.Fragment, error)
	Silent() bool
}

// client is the connection of a WHIP or WHEP session.
type client struct {
	// set once
	peer     connection
	counters func() session.Counters
	failure  func() error // returns why the session is of no use any more, or nil

	// guarded by mu
	mu        sync.Mutex
	tag       string // entity tag, without quotes: names the ICE session (RFC 9725 section 4.3.1)
	restarted bool   // it is not the first one
}

// Silent implements session.Connection.
func (c *client) Silent() bool { return c.peer.Silent() }

// Counters implements session.Connection.
func (c *client) Counters() session.Counters { return c.counters() }

// noFailure is the failure of viewers, which have none that their client does not know.
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
func (e *Endpoint) publish(ctx context.Context, i signaling.Intent, offer string) (*session.Session, string, error) {
	record := i.Record && e.config.Record
	texts, err := sfu.Texts{Title: i.Title, Description: i.Description}.Clean() // before another session gives way
	if err != nil {
		return nil, "", err
	}
	e.config.Sessions.Replace(ctx, i.Name, i.Replaces)
	pub, err := e.config.Hub.Publish(i.Name, sfu.PublishOptions{Source: string(session.WebRTC), Record: record, Texts: texts})
	if err != nil {
		return nil, "", err
	}
	received := session.ReceivedBy(pub)
	source, answer, err := e.config.Port.NewPublisher(ctx, offer, pub)
	if err != nil {
		pub.Close()
		return nil, "", err
	}
	c := &client{peer: source, counters: received, failure: source.Failure}
	s, err := e.start(session.AboutOf(i, session.WebRTC, "whip"), c, pub.Done(), func(ctx context.Context, id string) {
		log := e.config.Log.With("stream", i.Name, "session", session.LogID(id))
		log.Info("publisher answered", "record", record, "remote", i.Remote)
		err := pub.Run(ctx, sourceFunc(func(ctx context.Context, pub *sfu.Publication) error {
			err := source.Run(ctx, pub)
			e.endings.note(id, untold(err, source.Failure())) // before the session is not found any more
			if i.Stays && errors.Is(err, peer.ErrClosed) {
				err = fmt.Errorf("%w: %w", err, sfu.ErrLost) // a page that is left closes it
			}
			return err
		}))
		info := pub.Info()
		log.Info("publisher gone", "reason", reason(err), "duration_ms", time.Since(info.StartedAt).Milliseconds(), "had_media", info.Live)
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

// watch makes a session of a viewer's offer.
func (e *Endpoint) watch(ctx context.Context, i signaling.Intent, offer string) (*session.Session, string, error) {
	if err := sfu.ValidName(i.Name); err != nil {
		return nil, "", err
	}
	if err := e.waiting.await(ctx, e.config.Hub, i.Name); err != nil {
		return nil, "", err
	}
	sub, err := e.config.Hub.Subscribe(i.Name)
	if err != nil {
		return nil, "", err
	}
	if !sub.Stream().Live { // its publisher may never come through
		return nil, "", errors.Join(sfu.ErrNotLive, sub.Close())
	}
	sink, answer, err := e.newViewer(ctx, offer, sub)
	if err != nil {
		sub.Close()
		return nil, "", err
	}
	c := &client{peer: sink, failure: noFailure, counters: func() session.Counters {
		sent := sink.Stats()
		return session.Counters{Packets: sent.Packets, Bytes: sent.Bytes}
	}}
	s, err := e.start(session.AboutOf(i, session.WebRTC, "whep"), c, nil, func(ctx context.Context, id string) {
		log := e.config.Log.With("stream", i.Name, "session", session.LogID(id))
		defer sub.Close()
		start := time.Now()
		log.Info("viewer answered", "remote", i.Remote)
		err := sink.Run(ctx, sub)
		e.endings.note(id, untold(err, nil))
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
	return e.config.Port.NewViewer(ctx, offer, sfu.Best(tracks))
}

// reason returns why a session ended, in a few words for the log.
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
	case errors.Is(err, session.ErrKicked):
		return "kicked"
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

// start registers a session and runs it. run gets the session's id.
func (e *Endpoint) start(about session.About, c *client, over <-chan struct{}, run func(ctx context.Context, id string)) (*session.Session, error) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c.tag = rand.Text()
	s, err := e.config.Sessions.Begin(about, c, over, cancel)
	if err != nil {
		cancel(err)
		return nil, err
	}
	go func() {
		defer s.Close()
		defer cancel(nil)
		run(ctx, s.ID())
	}()
	return s, nil
}

// find returns the session with that id and what is kept of it, or nil if it is none
// of this endpoint's.
func (e *Endpoint) find(id string) (*session.Session, *client) {
	s := e.config.Sessions.Find(id)
	if s == nil {
		return nil, nil
	}
	c, ours := s.Connection().(*client)
	if !ours {
		return nil, nil
	}
	return s, c
}

// Shutdown refuses new sessions, ends those that run, publishers and viewers
// alike, and waits until they have ended, recordings included, or ctx is done.
func (e *Endpoint) Shutdown(ctx context.Context) error {
	e.waiting.shutdown()
	return e.config.Sessions.Shutdown(ctx)
}
