package recorder

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"weir/sfu"
	"weir/sfu/media"
)

const (
	// pollInterval is how often new frames are fetched. Fetching what has come in
	// the meantime costs a third of being woken for every frame.
	pollInterval = 20 * time.Millisecond
	// takeBatch is how many frames of a track are fetched at a time.
	takeBatch = 64
	// updateInterval is how often the catalogue is told how far a recording is.
	updateInterval = time.Second
)

// sink records one stream.
type sink struct {
	recorder *Recorder
	log      *slog.Logger
}

// input is one track that is being recorded.
type input struct {
	info   media.TrackInfo
	cursor *sfu.Cursor[media.Frame]
	ended  bool
}

// Run implements sfu.Sink. A recording that fails is reported in its sidecar and
// in the log; it is no error of the stream.
func (k *sink) Run(ctx context.Context, sub *sfu.Subscription) error {
	tracks, err := sub.Tracks(ctx)
	if errors.Is(err, sfu.ErrEnded) {
		return nil // it never came to media
	}
	if err != nil {
		return err
	}
	inputs := make([]*input, len(tracks))
	for i, t := range tracks {
		inputs[i] = &input{info: t.Info(), cursor: t.AllFrames()}
		defer inputs[i].cursor.Close()
	}
	f := &file{recorder: k.recorder, log: k.log, stream: sub.Stream(), inputs: inputs}
	err = k.record(ctx, inputs, f)
	f.finish(err)
	return nil
}

// record moves frames from the inputs to the file until all have ended.
func (k *sink) record(ctx context.Context, inputs []*input, f *file) error {
	order := newInterleaver(len(inputs))
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	batch := make([]*media.Frame, takeBatch)
	for {
		ended, err := fetch(inputs, batch, order)
		if err != nil {
			return err
		}
		now := time.Now()
		for {
			track, frame, ok := order.next(now)
			if !ok {
				break
			}
			if err := f.write(track, frame); err != nil {
				return err
			}
		}
		if err := f.flush(now); err != nil {
			return err
		}
		if ended {
			return nil
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// fetch moves what has come into the interleaver. ended says that nothing will
// follow on any input, and that everything is in.
func fetch(inputs []*input, batch []*media.Frame, order *interleaver) (ended bool, err error) {
	now := time.Now()
	ended = true
	for i, in := range inputs {
		for !in.ended {
			n, lagged, err := in.cursor.Take(batch)
			if errors.Is(err, io.EOF) {
				in.ended = true
				order.end(i)
				break
			}
			if err != nil {
				return false, err
			}
			for j, frame := range batch[:n] {
				order.put(i, heldFrame{Frame: frame, since: now, gap: frame.Gap || lagged && j == 0})
			}
			clear(batch[:n])
			if n < len(batch) {
				break
			}
		}
		ended = ended && in.ended
	}
	return ended, nil
}
