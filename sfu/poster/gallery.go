package poster

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"weir/sfu"
	"weir/sfu/poster/picture"
)

// Poster is a picture of a stream.
type Poster struct {
	JPEG    []byte    // is not changed
	Version string    // another one for another picture
	At      time.Time // when it was made
	Shown   time.Time // when its stream showed it
}

// Config configures a Gallery.
type Config struct {
	Hub *sfu.Hub
	Log *slog.Logger // default: discarded
	// SentOnly: no picture is taken, there are only those that publishers send.
	SentOnly bool

	// Tests replace these two.
	decode  func(keyframe []byte) ([]byte, error)
	measure func(do func()) (cpu, wall time.Duration)
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Hub == nil {
		return errors.New("poster: Hub is needed")
	}
	return nil
}

// Gallery has the posters of all streams. It is safe for concurrent use.
type Gallery struct {
	// set once
	config Config

	outcomes [len(outcomeNames)]atomic.Uint64
	spent    atomic.Int64 // ns of the processor's time

	// guarded by mu
	mu      sync.Mutex
	posters map[string]*kept // by ID of the stream
	wanted  []string         // IDs of streams of which one is wanted soon, and has not been before
	changed chan struct{}    // holds one item: there is something for Run to look at
}

// kept is the poster of one stream.
type kept struct {
	Poster
	sent   time.Time // when its publisher sent one; zero: never
	wanted bool      // a newer one is
}

// New returns a Gallery without posters. Run it.
func New(c Config) (*Gallery, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.decode == nil {
		c.decode = picture.FromVP8
	}
	if c.measure == nil {
		c.measure = measure
	}
	return &Gallery{config: c, posters: map[string]*kept{}, changed: make(chan struct{}, 1)}, nil
}

// Poster returns the poster of the stream with that ID, if it has one.
func (g *Gallery) Poster(streamID string) (Poster, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.posters[streamID]
	if k == nil {
		return Poster{}, false
	}
	return k.Poster, true
}

// Since is Poster. If that is older, the next picture is taken as soon as the budget
// allows.
func (g *Gallery) Since(streamID string, since time.Time) (Poster, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.posters[streamID]
	if k == nil {
		return Poster{}, false // the first one is taken at once
	}
	if k.Shown.Before(since) && !k.wanted {
		k.wanted = true
		g.wanted = append(g.wanted, streamID)
		g.tell()
	}
	return k.Poster, true
}

// tell has Run look at what has changed.
func (g *Gallery) tell() {
	select {
	case g.changed <- struct{}{}:
	default: // it has been told already
	}
}

// takeWanted returns the streams of which pictures have come to be wanted.
func (g *Gallery) takeWanted() (ids []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	ids, g.wanted = g.wanted, nil
	return ids
}

// sendPause is the least time between two posters that a publisher sends of a stream.
const sendPause = 10 * time.Second

var (
	// ErrTooSoon means that a publisher has sent a poster right before.
	ErrTooSoon = errors.New("poster: the last one was sent less than 10 s ago")
)

// Put takes a JPEG of a stream that its publisher has made. For two minutes no other one
// is taken of it. Errors wrap sfu.ErrNotLive, ErrTooSoon or picture.Check's.
func (g *Gallery) Put(name string, jpeg []byte) error {
	if err := picture.Check(jpeg); err != nil {
		g.count(refused)
		return err
	}
	stream, err := g.config.Hub.Stream(name)
	if err != nil {
		return err
	}
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if k := g.posters[stream.ID]; k != nil && !k.sent.IsZero() && now.Sub(k.sent) < sendPause {
		g.count(refused)
		return ErrTooSoon
	}
	g.posters[stream.ID] = &kept{Poster: newPoster(jpeg, now, now), sent: now}
	g.count(sent)
	return nil
}

func newPoster(jpeg []byte, now, shown time.Time) Poster {
	sum := sha256.Sum256(jpeg)
	return Poster{JPEG: jpeg, Version: hex.EncodeToString(sum[:8]), At: now, Shown: shown}
}

// hang puts up a poster that was taken of a stream.
func (g *Gallery) hang(streamID string, p Poster) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.posters[streamID]
	if k == nil {
		k = &kept{}
		g.posters[streamID] = k
	}
	k.Poster, k.wanted = p, false
}

// sentLately reports whether the publisher of a stream sends posters itself.
func (g *Gallery) sentLately(streamID string, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	k := g.posters[streamID]
	return k != nil && !k.sent.IsZero() && now.Sub(k.sent) < 2*interval
}

// clear takes down the posters of streams that are not there any more.
func (g *Gallery) clear(there map[string]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for id := range g.posters {
		if !there[id] {
			delete(g.posters, id)
		}
	}
}
