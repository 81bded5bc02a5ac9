package recorder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/interleave"
	"weir/sfu/media"
)

const (
	// pollInterval is how often new frames are fetched. Fetching what has come in
	// the meantime costs a third of being woken for every frame.
	pollInterval = 40 * time.Millisecond
	// takeBatch is how many frames of a track are fetched at a time.
	takeBatch = 64
	// updateInterval is how often the catalogue is told how far a recording is.
	updateInterval = time.Second
)

// input is one track that is being recorded.
type input struct {
	info   media.TrackInfo
	track  *sfu.Track
	cursor *sfu.Cursor[media.Frame]
	// waits reports whether no picture can follow before one where a decoder can start.
	// cause is what made the gap, if it was not that frames did not come.
	waits bool
	gap   bool
	cause string
	last  time.Duration // time of the last frame that was written of it
	// describe makes what a file says of the track ahead of its frames of a keyframe;
	// nil where nothing is needed. private is what it made of the newest one.
	describe func(keyframe []byte) ([]byte, bool)
	private  []byte
	holds    func(private, next []byte) bool // see codec.Format.Holds
}

// capture moves frames from the tracks to parts until all have ended: then it
// returns nil. Otherwise it returns errStopped, ctx's cause, or why nothing can be
// written.
func (s *session) capture(ctx context.Context) error {
	inputs := make([]*input, len(s.tracks))
	for i, track := range s.tracks {
		format, _ := codec.For(track.Info().Codec) // the hub has checked
		inputs[i] = &input{info: track.Info(), track: track, describe: format.CodecPrivate, holds: format.Holds}
		if s.backlog {
			inputs[i].cursor = track.AllFrames()
		} else {
			inputs[i].cursor = track.Frames()
		}
		defer inputs[i].cursor.Close()
	}
	s.backlog = true // whatever ends this capture, the next is to go on where it was
	return newCapture(s, inputs).follow(ctx)
}

// capture is one time that a session reads its stream.
type capture struct {
	*session
	inputs   []*input
	order    *interleave.Order[captured]
	patience *interleave.Patience
	waiting  time.Duration // since when it is waited for what a file needs ahead; 0: not yet
}

// captured is a frame whose turn to be written has not come.
type captured struct {
	*media.Frame
	since time.Duration // when it was fetched, on the stream's clock
	gap   bool          // frames are missing before it
}

func newCapture(s *session, inputs []*input) *capture {
	return &capture{session: s, inputs: inputs, order: interleave.New[captured](len(inputs)), patience: interleave.NewPatience(len(inputs))}
}

func (k *capture) follow(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	batch := make([]*media.Frame, takeBatch)
	for {
		ended, err := k.fetchFrames(batch)
		if err != nil {
			return err
		}
		if err := k.writeDue(k.now()); err != nil {
			return err
		}
		if k.current != nil {
			if err := k.current.flush(time.Now()); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		select {
		case <-poll.C:
		case c := <-k.commands:
			k.handle(c)
			if !k.state.reads() {
				// The frames up to now belong to it.
				return errors.Join(errStopped, k.writeDue(k.now()+interleave.HoldMost))
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// fetchFrames puts what has come into the order. ended reports whether nothing will
// follow on any input, and everything is in.
func (k *capture) fetchFrames(batch []*media.Frame) (ended bool, err error) {
	now := k.now()
	ended = true
	for i, in := range k.inputs {
		for !k.order.Ended(i) {
			n, lagged, err := in.cursor.Take(batch)
			if errors.Is(err, io.EOF) {
				k.order.End(i)
				break
			}
			if err != nil {
				return false, err
			}
			for j, frame := range batch[:n] {
				k.patience.Arrived(i, frame.PTS, now)
				k.order.Push(i, frame.PTS, captured{frame, now, frame.Gap || lagged && j == 0})
				if in.describe != nil && in.private == nil && frame.Sync {
					in.private, _ = in.describe(frame.Data)
				}
			}
			if lagged && k.current != nil {
				k.current.quality.overruns++
			}
			clear(batch[:n])
			if n < len(batch) {
				break
			}
		}
		ended = ended && k.order.Ended(i)
	}
	return ended, nil
}

// writeDue writes the frames whose turn it is at the instant now of the stream's clock.
func (k *capture) writeDue(now time.Duration) error {
	if k.current == nil && k.undescribed(now) {
		return nil
	}
	for {
		track, f, ok := k.nextFrame(now)
		if !ok {
			return nil
		}
		if err := k.recordFrame(track, f, now); err != nil {
			return err
		}
	}
}

// nextFrame takes out the next frame if its turn has come.
func (k *capture) nextFrame(now time.Duration) (track int, f captured, ok bool) {
	track, _, f, ok = k.order.Next(func(track, first int) bool {
		_, head, _ := k.order.Head(first)
		return now-head.since < k.patience.Hold(track, now)
	})
	if ok {
		k.patience.Passed(f.PTS, f.since)
	}
	return track, f, ok
}

// recordFrame writes one frame, into another part if it is time for that.
func (k *capture) recordFrame(track int, f captured, now time.Duration) error {
	in := k.inputs[track]
	video := in.info.Kind() == media.Video
	switch {
	case f.PTS <= k.written[track]:
		if f.PTS < in.last && k.current != nil { // frames out of order are not supported
			k.current.quality.unordered++
		}
		return nil // a part before has it
	case k.state == statePaused:
		in.gap, in.waits, in.cause = true, video, "paused"
		return nil
	case (in.waits || k.current == nil) && video && !f.Sync:
		in.track.RequestKeyframeAfter(f.PTS) // at most once a second goes out
		return nil                           // a file begins where a decoder can
	case k.current != nil && !k.current.fits(track, f.Frame):
		in.gap = in.gap || f.gap || k.current.late(track, f.PTS)
		return nil
	}
	if err := k.describeTrack(in, track, f); err != nil {
		return err
	}
	if changes := k.changes(track, f); k.current != nil && (changes || k.rotates(track, f)) {
		k.endPart(nil)
	}
	if k.current == nil {
		if err := k.beginPart(f.PTS); err != nil {
			return err
		}
	}
	in.waits = false
	if video {
		if err := k.fillSound(f.PTS, now); err != nil {
			return err
		}
	}
	f.gap = f.gap || in.gap
	if err := k.current.appendFrame(track, f, in.cause); err != nil {
		return err
	}
	in.gap, in.cause = false, ""
	k.written[track], in.last = f.PTS, f.PTS
	if f.Sync && (video || !k.pictures()) {
		k.safe = f.PTS
	}
	if f.PTS-k.current.zero > goodPart {
		k.trouble.tries = 0
	}
	return nil
}

// fillSound puts silence ahead of a picture with the time to, where sound from before it
// has not come and is not expected any more.
func (k *capture) fillSound(to, now time.Duration) error {
	for i := range k.inputs {
		next, _, waits := k.order.Head(i)
		if !waits {
			// Not there yet; but sound that always comes too late may be older.
			if !k.order.Ended(i) && k.patience.Late(i, now) {
				continue
			}
			next = to + soundSoon
		}
		if err := k.current.fill(i, to, next); err != nil {
			return err
		}
	}
	return nil
}

// descriptionWait is how long a file is not begun for want of a picture whose
// description it needs ahead of everything. Frames that come meanwhile are held.
const descriptionWait = 2 * time.Second

// undescribed reports whether no file is to be begun yet. A track whose picture does not
// come in time is described when it comes, which players of the open file do not like.
func (k *capture) undescribed(now time.Duration) bool {
	waits := false
	for i, in := range k.inputs {
		if in.describe == nil || in.private != nil || k.order.Ended(i) {
			continue
		}
		waits = true
	}
	if !waits {
		return false
	}
	if k.waiting == 0 && k.order.Len() > 0 {
		k.waiting = max(now, 1)
	}
	return k.waiting == 0 || now-k.waiting < descriptionWait
}

// describeTrack tells the open file what the pictures of a track are that begin only now.
func (k *capture) describeTrack(in *input, track int, f captured) error {
	if k.current == nil || in.describe == nil || !f.Sync || k.current.private[track] != nil {
		return nil
	}
	private, ok := in.describe(f.Data)
	if !ok {
		return nil
	}
	return k.current.describe(track, private)
}

// leastPart is how long a file lasts before pictures that it does not describe begin
// the next: a publisher that sends two kinds of them in turn makes no file of each.
const leastPart = 5 * time.Second

// changes reports whether a keyframe cannot be in the file because that describes
// another kind of picture, of another bit depth, say. Players follow what is told in
// front of the keyframe, as a new size is.
func (k *capture) changes(track int, f captured) bool {
	in := k.inputs[track]
	if in.describe == nil || !f.Sync {
		return false
	}
	private, ok := in.describe(f.Data)
	if !ok {
		return false
	}
	in.private = private
	if k.current == nil {
		return false
	}
	described := k.current.private[track]
	switch {
	case described == nil:
		return true
	case bytes.Equal(described, private), in.holds != nil && in.holds(described, private):
		return false
	}
	return f.PTS-k.current.zero >= leastPart
}

// rotates reports whether f is to be the first frame of another part.
func (k *capture) rotates(track int, f captured) bool {
	c := &k.recorder.config
	if c.RotateAfter == 0 && c.RotateBytes == 0 {
		return false
	}
	if !f.Sync || k.inputs[track].info.Kind() != media.Video && k.pictures() {
		return false
	}
	return c.RotateAfter > 0 && f.PTS-k.current.zero >= c.RotateAfter ||
		c.RotateBytes > 0 && k.current.size() >= c.RotateBytes
}

// pictures reports whether there is a track of video.
func (k *capture) pictures() bool {
	for _, in := range k.inputs {
		if in.info.Kind() == media.Video {
			return true
		}
	}
	return false
}

// beginPart opens the next part, whose time zero is that of its first frame.
func (k *capture) beginPart(zero time.Duration) error {
	if err := k.recorder.space.check(); err != nil {
		return err
	}
	for _, in := range k.inputs {
		in.waits = in.info.Kind() == media.Video
		in.gap, in.cause = false, "" // its start is none
	}
	p, err := k.recorder.openPart(k.session, k.inputs, zero)
	if err != nil {
		return err
	}
	k.current, k.trouble.logged = p, false
	return nil
}
