package sfu

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// maxTracks bounds the tracks of one stream.
const maxTracks = 8

// Source is a publisher: it writes tracks until it ends.
type Source interface {
	// Run writes into p until the publisher is gone or ctx is done. It returns nil if
	// the publisher stopped on purpose.
	Run(ctx context.Context, p *Publication) error
}

// Publication is a claimed name and the writing side of its stream. Either Run
// or Close must be called.
//
// The stream is decided when the tracks are known: that of a publisher that was lost,
// or another one. All that is written after that goes there.
type Publication struct {
	// set once
	hub  *Hub
	done chan struct{} // closed when the name is free

	// guarded by hub.mu
	options PublishOptions
	stage   stage
	decided bool // its tracks are known, and so is its stream

	// atomic
	current atomic.Pointer[stream] // until it is decided, the one that it may go on with
}

// stage is how far a publication is.
type stage uint8

const (
	stageClaimed stage = iota // neither Run nor Close was called
	stageRuns
	stageOver
)

func (p *Publication) stream() *stream { return p.current.Load() }

// Info returns a snapshot of the stream.
func (p *Publication) Info() StreamInfo { return p.stream().info() }

// Now returns the time on the stream's clock, for media.Packet.Arrival.
func (p *Publication) Now() time.Duration { return p.stream().now() }

// Edge returns where the media end that the stream has had so far, from a publisher
// that was lost: frames to come must be later. It is 0 when there were none. It is to
// be called before anything is written.
func (p *Publication) Edge() time.Duration { return p.stream().edge() }

// AddTracks tells all tracks of the publication, which its source writes in the given
// form, and returns their writers in the same order: viewers may come from now on. It
// is called once. Where a publisher was lost and these are its tracks, they go on
// where they were; otherwise the stream of that publisher ends, and another one begins.
// The error wraps ErrEnded if the publication is over; any other error tells what is
// wrong with the tracks.
func (p *Publication) AddTracks(native Form, tracks ...media.TrackInfo) ([]*TrackWriter, error) {
	if err := validTracks(tracks); err != nil {
		return nil, err
	}
	h := p.hub
	h.mu.Lock()
	s := p.stream()
	switch {
	case p.stage == stageOver:
		h.mu.Unlock()
		return nil, ErrEnded
	case p.decided:
		h.mu.Unlock()
		return nil, errors.New("sfu: the tracks of this publication are known already")
	}
	p.decided = true
	if s.state() == returning {
		var same []*Track
		if s.options.continues(p.options) {
			same = s.continued(tracks)
		}
		if same != nil {
			writers := s.resume(same, native, p.options)
			h.mu.Unlock()
			return writers, nil
		}
		s = p.replace(s)
	}
	writers := s.addTracks(tracks, native)
	runs := p.stage == stageRuns
	h.mu.Unlock()
	if runs {
		s.startStanding()
	}
	return writers, nil
}

// replace ends the stream that p might have gone on with, and puts another one in its
// place. Called with hub.mu held.
func (p *Publication) replace(old *stream) *stream {
	h := p.hub
	old.move(happensReplace)
	h.retire(old)
	go h.settle(old)
	s := newStream(h, old.name, p.options, old.id)
	s.said, s.told = p.options.Texts.after(old.told, old.texts()), p.options.Texts.after(Texts{}, old.told)
	h.enlist(s)
	p.current.Store(s)
	return s
}

// validTracks reports what is wrong with the tracks of a publication.
func validTracks(tracks []media.TrackInfo) error {
	if len(tracks) > maxTracks {
		return fmt.Errorf("sfu: a stream has at most %d tracks", maxTracks)
	}
	for i, info := range tracks {
		if _, ok := codec.For(info.Codec); !ok {
			return fmt.Errorf("sfu: codec %v is not supported", info.Codec)
		}
		for _, other := range tracks[:i] {
			if other.ID == info.ID {
				return fmt.Errorf("sfu: track %q is there twice", info.ID)
			}
		}
	}
	return nil
}

// KeyframeRequests yields the ID of a video track whenever the publisher is to be asked
// for a keyframe of it, once it has sent something: at once when first needed, then at
// most once a second. A yielded request is to be sent without delay: one that waits
// here is taken back when a keyframe comes in.
func (p *Publication) KeyframeRequests() <-chan string { return p.stream().requests.ids }

// Done is closed when the source has ended and the name is free.
func (p *Publication) Done() <-chan struct{} { return p.done }

// Run runs the source and with it the stream: when src returns, the name is
// free. Unless src was lost and the stream is kept for a while, viewers are told,
// and standing sinks drain what is left before Run returns. It returns src's
// error, joined with theirs. After Close the source runs with a context that is
// done, so that it lets go of what it holds.
func (p *Publication) Run(ctx context.Context, src Source) error {
	if !p.enter(stageRuns) {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(ErrEnded)
		return src.Run(ctx, p)
	}
	p.stream().startStanding()
	err := src.Run(ctx, p)
	return errors.Join(err, p.leave(err))
}

// Close gives up a claim that was never run. It does nothing once Run was called.
func (p *Publication) Close() error {
	if !p.enter(stageOver) {
		return nil
	}
	return p.leave(ErrLost) // a stream that it did not begin is as it was
}

// enter moves p on from where neither Run nor Close was called.
func (p *Publication) enter(next stage) bool {
	p.hub.mu.Lock()
	defer p.hub.mu.Unlock()
	if p.stage != stageClaimed {
		return false
	}
	p.stage = next
	return true
}

// leave takes the publisher off its stream. It either ends the stream, and returns
// what its standing sinks failed with, or keeps it for a while.
func (p *Publication) leave(cause error) error {
	h := p.hub
	h.mu.Lock()
	p.stage = stageOver
	s := p.stream()
	if s.state() == returning && !p.decided {
		cause = ErrLost // it has not come to anything: the stream is as it was
	}
	what := happensStop
	if h.keeps(s, cause) {
		what = happensLost
	}
	from, to := s.move(what)
	if to == Waiting {
		h.wait(s, from)
		h.mu.Unlock()
		close(p.done)
		return nil
	}
	h.retire(s)
	h.mu.Unlock()
	s.end()
	close(p.done) // not only when the sinks have drained
	return h.finish(s)
}
