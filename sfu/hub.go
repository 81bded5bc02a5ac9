package sfu

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config configures a Hub. The zero value works.
type Config struct {
	// ShardViewers is how many viewers of packets one goroutine serves.
	// Default 32: streams with more use every core, up to one goroutine for each.
	ShardViewers int
	// Standing makes the sinks that every stream gets from its first moment on,
	// such as a recorder. Each is called once per stream; it may return nil.
	Standing []func(StreamInfo) Sink
	// DrainTimeout is how long a standing sink may take after its stream's end.
	// Default 10 s.
	DrainTimeout time.Duration
	// Grace is how long a stream outlives a publisher that was lost (ErrLost): one
	// that publishes under the name meanwhile goes on with it. Default: not at all.
	Grace time.Duration
	// KeyframeInterval is how far apart keyframes may be of publishers that can be
	// asked for one: of those that write packets. Default: they are not asked for
	// that reason.
	KeyframeInterval time.Duration
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.ShardViewers < 0 || c.DrainTimeout < 0 || c.Grace < 0 || c.KeyframeInterval < 0 {
		return errors.New("sfu: ShardViewers, DrainTimeout, Grace and KeyframeInterval must not be negative")
	}
	return nil
}

// Hub holds the streams that are live. It is safe for concurrent use.
type Hub struct {
	// set once
	config    Config
	maxShards int // per stream
	events    events

	// guarded by mu
	mu       sync.RWMutex
	streams  map[string]*stream // by name
	settling map[*stream]bool   // their names are free, but their standing sinks still run
	closed   bool
}

// New returns a hub without streams.
func New(c Config) (*Hub, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.ShardViewers == 0 {
		c.ShardViewers = 32
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 10 * time.Second
	}
	return &Hub{
		config: c, maxShards: runtime.GOMAXPROCS(0), events: events{log: newRing[Event](maxEvents)},
		streams: map[string]*stream{}, settling: map[*stream]bool{},
	}, nil
}

// PublishOptions tell what a publisher wants.
type PublishOptions struct {
	// Source names where the media come from: webrtc, websocket, recording, relay.
	Source string
	// Record asks for a recording.
	Record bool
	// NoGrace ends the stream when its publisher is lost: that one cannot come back.
	NoGrace bool
	// Texts are what it says of the stream to people.
	Texts
}

// continues reports whether a publisher with the options o may go on with the stream of
// one with the options before. It may come by another transport, and say something else.
func (before PublishOptions) continues(o PublishOptions) bool {
	o.Source, o.Texts = before.Source, before.Texts
	return o == before
}

// Publish claims a name. The claim holds until the Publication's Run returns or
// it is closed. Where a publisher was lost shortly before, its stream goes on, if
// the options and the tracks are the same; otherwise it ends when the new one has
// its tracks, and not if it comes to nothing. Errors wrap ErrBadName, ErrBadTitle,
// ErrBadDescription, ErrNameTaken or ErrShutdown.
func (h *Hub) Publish(name string, o PublishOptions) (*Publication, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	var err error
	if o.Texts, err = o.Texts.Clean(); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrShutdown
	}
	s := h.streams[name]
	if s == nil {
		s = newStream(h, name, o, "")
		h.enlist(s)
	} else {
		if from, _ := s.move(happensClaim); from != Waiting {
			return nil, ErrNameTaken
		}
		s.expiry.Stop()
	}
	p := &Publication{hub: h, options: o, done: make(chan struct{})}
	p.current.Store(s)
	return p, nil
}

// Subscribe opens a live stream for a viewer. The error wraps ErrNotLive if
// no publisher has this name, or the publisher is not ready yet.
func (h *Hub) Subscribe(name string) (*Subscription, error) {
	h.mu.RLock()
	s := h.streams[name]
	h.mu.RUnlock()
	if s == nil || !s.isReady() {
		return nil, ErrNotLive
	}
	return &Subscription{stream: s}, nil
}

// AwaitLive waits until the stream of that name has media. The error is ErrNotLive
// if no publisher has the name, or when the publisher is gone without media, or the cause
// of ctx.
func (h *Hub) AwaitLive(ctx context.Context, name string) error {
	for {
		h.mu.RLock()
		s := h.streams[name]
		h.mu.RUnlock()
		switch {
		case s == nil:
			return ErrNotLive
		case isClosed(s.live):
			return nil
		}
		select {
		case <-s.live:
			return nil
		case <-s.over: // another one may have taken its place
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// Streams returns what is published now, in the order of names.
func (h *Hub) Streams() []StreamInfo {
	h.mu.RLock()
	streams := slices.Collect(maps.Values(h.streams))
	h.mu.RUnlock()
	slices.SortFunc(streams, func(a, b *stream) int { return strings.Compare(a.name, b.name) })
	infos := make([]StreamInfo, len(streams))
	for i, s := range streams {
		infos[i] = s.info()
	}
	return infos
}

// Stream returns the stream of that name, or ErrNotLive.
func (h *Hub) Stream(name string) (StreamInfo, error) {
	h.mu.RLock()
	s := h.streams[name]
	h.mu.RUnlock()
	if s == nil {
		return StreamInfo{}, ErrNotLive
	}
	return s.info(), nil
}

// Shutdown refuses new publications from now on, ends the streams that wait for
// their publisher, and waits until all have ended, standing sinks included, or
// ctx is done. The publishers are ended by their own sessions.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	for _, s := range h.streams {
		if from, _ := s.move(happensExpire); from == Waiting {
			s.expiry.Stop()
			h.retire(s)
			go h.settle(s)
		}
	}
	h.mu.Unlock()
	for {
		s := h.any()
		if s == nil {
			return nil
		}
		select {
		case <-s.drained:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// any returns a stream of which something runs, or nil if there is none.
func (h *Hub) any() *stream {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for s := range h.settling {
		return s
	}
	for _, s := range h.streams {
		return s
	}
	return nil
}

// Closed reports whether the hub is shutting down and takes no publications.
func (h *Hub) Closed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// enlist gives s its name, which is free. Called with mu held.
func (h *Hub) enlist(s *stream) {
	h.streams[s.name] = s
	h.tell(StreamClaimed, s)
}

// retire frees the name of s, which is to be settled. Called with mu held.
func (h *Hub) retire(s *stream) {
	delete(h.streams, s.name)
	h.settling[s] = true
}

// settle ends s, which was retired, and waits until nothing of it runs any more.
func (h *Hub) settle(s *stream) {
	s.end()
	h.finish(s) // StreamDrained tells the error
}

// finish waits until nothing of s, which has ended, runs any more. It returns what
// the standing sinks failed with.
func (h *Hub) finish(s *stream) error {
	ran, err := s.drain()
	if ran {
		h.events.tell(Event{Kind: StreamDrained, Err: err}, s, 0)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.settling, s)
	close(s.drained)
	return err
}

// newID returns 80 random bits as 16 characters that are safe in a URL, in a
// file name and in speech.
func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
