package sfu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// maxTracks bounds the tracks of one stream.
const maxTracks = 8

// Source is a publisher: it writes tracks until it ends.
type Source interface {
	// Run writes into p until the publisher is gone or ctx is done. A nil error
	// says that the publisher stopped on purpose.
	Run(ctx context.Context, p *Publication) error
}

// Publication is a claimed name and the writing side of its stream. Either Run
// or Close must be called.
type Publication struct {
	stream *stream
	used   atomic.Bool // Run or Close was called
}

// Info returns a snapshot of the stream.
func (p *Publication) Info() StreamInfo { return p.stream.info() }

// Now returns the time on the stream's clock, for RTP.Arrival.
func (p *Publication) Now() time.Duration { return p.stream.now() }

// AddTrack adds a track whose source writes the given form.
func (p *Publication) AddTrack(info media.TrackInfo, native Form) (*TrackWriter, error) {
	s := p.stream
	if _, ok := codec.For(info.Codec); !ok {
		return nil, fmt.Errorf("sfu: codec %v is not supported", info.Codec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case isClosed(s.over):
		return nil, ErrEnded
	case isClosed(s.ready):
		return nil, errors.New("sfu: tracks cannot be added to a stream that is ready")
	case len(s.tracks) >= maxTracks:
		return nil, fmt.Errorf("sfu: a stream has at most %d tracks", maxTracks)
	}
	for _, t := range s.tracks {
		if t.info.ID == info.ID {
			return nil, fmt.Errorf("sfu: track %q exists already", info.ID)
		}
	}
	t := newTrack(s, info, native)
	s.tracks = append(s.tracks, t)
	return &TrackWriter{track: t, clock: s.senderTime, timeline: media.NewTimeline(info.Codec)}, nil
}

// Ready says that all tracks have been added: sinks may come.
func (p *Publication) Ready() {
	p.stream.mu.Lock()
	defer p.stream.mu.Unlock()
	if !isClosed(p.stream.ready) {
		close(p.stream.ready)
	}
}

// KeyframeRequests yields the ID of a video track whenever the publisher is to
// be asked for a keyframe of it: at once when first needed, then at most once a
// second.
func (p *Publication) KeyframeRequests() <-chan string { return p.stream.requests }

// Done is closed when the source has ended and the name is free.
func (p *Publication) Done() <-chan struct{} { return p.stream.over }

// Run runs the source and with it the stream: when src returns, the name is
// free, viewers are told, and standing sinks drain what is left before Run
// returns src's error, joined with theirs. After Close the source runs with a
// context that is done, so that it lets go of what it holds.
func (p *Publication) Run(ctx context.Context, src Source) error {
	if p.used.Swap(true) {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(ErrEnded)
		return src.Run(ctx, p)
	}
	wait := p.startStanding(ctx)
	err := src.Run(ctx, p)
	p.conclude()
	err = errors.Join(err, wait())
	p.stream.hub.settle(p.stream)
	return err
}

// Close gives up a claim that was never run. It does nothing once Run was called.
func (p *Publication) Close() error {
	if !p.used.Swap(true) {
		p.conclude()
		p.stream.hub.settle(p.stream)
	}
	return nil
}

// conclude ends the stream.
func (p *Publication) conclude() {
	s := p.stream
	s.hub.remove(s)
	s.mu.Lock()
	close(s.over)
	tracks := s.tracks
	s.mu.Unlock()
	for _, t := range tracks {
		t.end()
	}
}

// startStanding starts the standing sinks and returns how to wait for them. They
// outlive ctx, since they have to drain.
func (p *Publication) startStanding(ctx context.Context) (wait func() error) {
	s := p.stream
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	var running sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for _, make := range s.hub.config.Standing {
		sink := make(s.info())
		if sink == nil {
			continue
		}
		running.Go(func() {
			sub := &Subscription{stream: s}
			defer sub.Close()
			if err := sink.Run(ctx, sub); err != nil {
				mu.Lock()
				errs = append(errs, err)
				mu.Unlock()
			}
		})
	}
	return func() error {
		timeout := time.AfterFunc(s.hub.config.DrainTimeout, func() { cancel(ErrEnded) })
		defer timeout.Stop()
		defer cancel(nil)
		running.Wait()
		return errors.Join(errs...)
	}
}
