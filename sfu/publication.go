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
	// Run writes into p until the publisher is gone or ctx is done. A nil error
	// says that the publisher stopped on purpose.
	Run(ctx context.Context, p *Publication) error
}

// Publication is a claimed name and the writing side of its stream. Either Run
// or Close must be called.
type Publication struct {
	// set once
	hub     *Hub
	options PublishOptions
	done    chan struct{} // closed when the name is free

	// owned by the goroutine that publishes, until Ready
	resumes bool           // the stream is still that of a publisher who was lost
	kept    []*TrackWriter // the old publisher's, taken over by AddTrack

	// atomic
	current atomic.Pointer[stream]
	used    atomic.Bool // Run or Close was called
	runs    atomic.Bool
}

func (p *Publication) stream() *stream { return p.current.Load() }

// Info returns a snapshot of the stream.
func (p *Publication) Info() StreamInfo { return p.stream().info() }

// Now returns the time on the stream's clock, for RTP.Arrival.
func (p *Publication) Now() time.Duration { return p.stream().now() }

// Edge returns where the frames end that the stream has had so far, from a
// publisher that was lost: those to come must be later. It is 0 when there were
// none.
func (p *Publication) Edge() time.Duration { return p.stream().edge() }

// AddTrack adds a track whose source writes the given form.
func (p *Publication) AddTrack(info media.TrackInfo, native Form) (*TrackWriter, error) {
	if _, ok := codec.For(info.Codec); !ok {
		return nil, fmt.Errorf("sfu: codec %v is not supported", info.Codec)
	}
	if p.resumes {
		w, err := p.keep(info, native)
		if w != nil || err != nil {
			return w, err
		}
		if err := p.begin(); err != nil {
			return nil, err
		}
	}
	return p.stream().addTrack(info, native)
}

// Ready says that all tracks have been added: sinks may come.
func (p *Publication) Ready() {
	if p.resumes {
		p.resume()
	}
	s := p.stream()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !isClosed(s.ready) {
		close(s.ready)
	}
}

// KeyframeRequests yields the ID of a video track whenever the publisher is to be
// asked for a keyframe of it, once it has sent something: at once when first needed,
// then at most once a second. What is yielded is to be sent without delay: one that
// waits here is taken back when a keyframe comes in.
func (p *Publication) KeyframeRequests() <-chan string { return p.stream().requests.ids }

// Done is closed when the source has ended and the name is free.
func (p *Publication) Done() <-chan struct{} { return p.done }

// Run runs the source and with it the stream: when src returns, the name is
// free. Unless src was lost and the stream is kept for a while, viewers are told,
// and standing sinks drain what is left before Run returns. It returns src's
// error, joined with theirs. After Close the source runs with a context that is
// done, so that it lets go of what it holds.
func (p *Publication) Run(ctx context.Context, src Source) error {
	if p.used.Swap(true) {
		ctx, cancel := context.WithCancelCause(ctx)
		cancel(ErrEnded)
		return src.Run(ctx, p)
	}
	p.runs.Store(true)
	p.stream().startStanding()
	err := src.Run(ctx, p)
	return errors.Join(err, p.leave(err))
}

// Close gives up a claim that was never run. It does nothing once Run was called.
func (p *Publication) Close() error {
	if p.used.Swap(true) {
		return nil
	}
	return p.leave(ErrLost) // a stream that it did not begin is as it was
}
