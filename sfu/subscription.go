package sfu

import (
	"context"
	"slices"
	"sync"
	"time"

	"weir/sfu/media"
)

// Sink is a viewer, a recorder or whatever else reads a stream.
type Sink interface {
	// Run reads from s until the stream has ended or ctx is done.
	Run(ctx context.Context, s *Subscription) error
}

// PacketWriter is a viewer of packets that a shard serves.
type PacketWriter interface {
	// WritePackets forwards the next packets of t. It is called by one goroutine
	// at a time, and must not block: one viewer would hold up all others. The
	// batch is valid during the call, the packets for ever; neither may be
	// changed. lagged reports whether packets are missing before the first one.
	WritePackets(t *Track, batch []*media.Packet, lagged bool)
}

// OutboxWriter is a PacketWriter whose packets leave together with those of others: it
// puts them into an Outbox, which its shard flushes when it has served every viewer
// once. It costs far less to send many datagrams than many times one.
type OutboxWriter interface {
	PacketWriter
	// UseOutbox returns the Outbox that the writer is going to use: one of those that
	// are in use in its shard already, or a new one. It is called once, before
	// WritePackets and by the same goroutine.
	UseOutbox(there []Outbox) Outbox
}

// LocalWriter is a PacketWriter that knows where its viewer is.
type LocalWriter interface {
	PacketWriter
	// Local reports whether the viewer is on this machine: then no link lies in between
	// that a burst could be too much for. It is called as UseOutbox is.
	Local() bool
}

// Outbox holds what is to be sent.
type Outbox interface {
	// Flush sends it. It must not block.
	Flush()
}

// Subscription is the reading side of a stream. It is safe for concurrent use.
// Close it when done.
type Subscription struct {
	stream *stream
	count  sync.Once // counts as a viewer
	close  sync.Once
}

// Stream returns a snapshot of the stream.
func (s *Subscription) Stream() StreamInfo { return s.stream.info() }

// Source returns StreamInfo.Source as it is now.
func (s *Subscription) Source() string { return s.stream.brief().Source }

// Texts returns what is said of the stream now.
func (s *Subscription) Texts() Texts { return s.stream.texts() }

// Now returns the time on the stream's clock.
func (s *Subscription) Now() time.Duration { return s.stream.now() }

// Done is closed when the stream has ended. Cursors still yield what is in the
// rings.
func (s *Subscription) Done() <-chan struct{} { return s.stream.over }

// Waiting reports whether the publisher was lost, and may come back.
func (s *Subscription) Waiting() bool { return s.stream.state().shown() == Waiting }

// Tracks waits until all tracks of the stream are known and returns them.
func (s *Subscription) Tracks(ctx context.Context) ([]*Track, error) {
	select {
	case <-s.stream.ready:
	default:
		select {
		case <-s.stream.ready:
		case <-s.stream.over:
			return nil, ErrEnded
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	s.stream.mu.Lock()
	defer s.stream.mu.Unlock()
	return slices.Clone(s.stream.tracks), nil
}

// Attach has a shard call w for every packet of the tracks from now on,
// beginning with the newest point where a decoder can start. The subscription
// counts as a viewer from then on.
func (s *Subscription) Attach(w PacketWriter, tracks []*Track) (*Attachment, error) {
	a, err := s.stream.attach(w, tracks)
	if err != nil {
		return nil, err
	}
	s.Join()
	return a, nil
}

// Join counts the subscription as a viewer until it is closed. Attach does it by
// itself; a viewer that reads with cursors calls it when it begins to watch.
func (s *Subscription) Join() { s.count.Do(func() { s.views(ViewerJoined, 1) }) }

// Close ends the subscription. Closing twice is fine.
func (s *Subscription) Close() error {
	s.close.Do(func() {
		counted := true
		s.count.Do(func() { counted = false })
		if counted {
			s.views(ViewerLeft, -1)
		}
	})
	return nil
}

// views tells that a viewer has come or gone.
func (s *Subscription) views(kind EventKind, viewers int64) {
	s.stream.hub.events.tell(Event{Kind: kind}, s.stream, viewers)
}
