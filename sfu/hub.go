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
	// Default 128.
	ShardViewers int
	// Standing makes the sinks that every stream gets from its first moment on,
	// such as a recorder. Each is called once per stream; it may return nil.
	Standing []func(StreamInfo) Sink
	// DrainTimeout is how long a standing sink may take after its stream's end.
	// Default 10 s.
	DrainTimeout time.Duration
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.ShardViewers < 0 || c.DrainTimeout < 0 {
		return errors.New("sfu: ShardViewers and DrainTimeout must not be negative")
	}
	return nil
}

// Hub holds the streams that are live. It is safe for concurrent use.
type Hub struct {
	// set once
	config    Config
	maxShards int // per stream

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
		c.ShardViewers = 128
	}
	if c.DrainTimeout == 0 {
		c.DrainTimeout = 10 * time.Second
	}
	return &Hub{config: c, maxShards: runtime.GOMAXPROCS(0), streams: map[string]*stream{}, settling: map[*stream]bool{}}, nil
}

// PublishOptions tell what a publisher wants.
type PublishOptions struct {
	// Source is the word for the way in: webrtc, websocket, recording, relay.
	Source string
	// Record asks for a recording.
	Record bool
}

// Publish claims a name. The claim holds until the Publication's Run returns or
// it is closed. Errors wrap ErrBadName, ErrNameTaken or ErrShutdown.
func (h *Hub) Publish(name string, o PublishOptions) (*Publication, error) {
	if err := ValidName(name); err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case h.closed:
		return nil, ErrShutdown
	case h.streams[name] != nil:
		return nil, ErrNameTaken
	}
	s := newStream(h, name, o)
	h.streams[name] = s
	return &Publication{stream: s}, nil
}

// Subscribe opens a live stream for a viewer. The error wraps ErrNotLive if
// nobody publishes under this name, or the publisher is not ready yet.
func (h *Hub) Subscribe(name string) (*Subscription, error) {
	h.mu.RLock()
	s := h.streams[name]
	h.mu.RUnlock()
	if s == nil || !s.isReady() {
		return nil, ErrNotLive
	}
	return &Subscription{stream: s}, nil
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

// Shutdown refuses new publications from now on and waits until those that run
// have ended, standing sinks included, or ctx is done. Ending them is up to
// whoever runs them.
func (h *Hub) Shutdown(ctx context.Context) error {
	h.mu.Lock()
	h.closed = true
	streams := slices.Collect(maps.Values(h.streams))
	streams = slices.AppendSeq(streams, maps.Keys(h.settling))
	h.mu.Unlock()
	for _, s := range streams {
		select {
		case <-s.drained:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// Closed says that the hub is shutting down and takes no publications.
func (h *Hub) Closed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.closed
}

// remove frees the name of s.
func (h *Hub) remove(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.streams, s.name)
	h.settling[s] = true
}

// settle says that nothing of s runs any more, after remove.
func (h *Hub) settle(s *stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.settling, s)
	close(s.drained)
}

// newID returns 80 random bits as 16 characters that are safe in a URL, in a
// file name and in speech.
func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))
}
