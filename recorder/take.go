package recorder

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
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
	ended  bool
	// waits says that no picture can follow before one where a decoder can start,
	// and why says what made the gap, if it was not that frames did not come.
	waits bool
	gap   bool
	why   string
	last  time.Duration // time of the last frame that was written of it
	// describe makes what a file says of the track ahead of its frames of a keyframe;
	// nil where nothing is needed. private is what it made of the newest one.
	describe func(keyframe []byte) ([]byte, bool)
	private  []byte
	holds    func(private, next []byte) bool // see codec.Format.Holds
}

// take moves frames from the tracks to parts until all have ended: then it
// returns nil. Otherwise it returns errStopped, ctx's cause, or why nothing can be
// written.
func (t *tape) take(ctx context.Context) error {
	inputs := make([]*input, len(t.tracks))
	for i, track := range t.tracks {
		format, _ := codec.For(track.Info().Codec) // the hub has checked
		inputs[i] = &input{info: track.Info(), track: track, describe: format.CodecPrivate, holds: format.Holds}
		if t.missed {
			inputs[i].cursor = track.AllFrames()
		} else {
			inputs[i].cursor = track.Frames()
		}
		defer inputs[i].cursor.Close()
	}
	t.taking = true
	defer func() { t.taking = false }()
	t.missed = true // whatever ends this take, the next is to go on where it was
	k := &take{tape: t, inputs: inputs, order: newInterleaver(len(inputs))}
	return k.run(ctx)
}

// take is one time that a tape reads its stream.
type take struct {
	*tape
	inputs  []*input
	order   *interleaver
	waiting time.Time // since when it is waited for what a file needs ahead
}

func (k *take) run(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	batch := make([]*media.Frame, takeBatch)
	for {
		ended, err := k.fetch(batch)
		if err != nil {
			return err
		}
		now := time.Now()
		if err := k.drain(now); err != nil {
			return err
		}
		if k.current != nil {
			if err := k.current.flush(now); err != nil {
				return err
			}
		}
		if ended {
			return nil
		}
		select {
		case <-poll.C:
		case o := <-k.orders:
			k.obey(o)
			if !k.wanted {
				// What has come so far belongs to it.
				return errors.Join(errStopped, k.drain(now.Add(maxHold)))
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// fetch moves what has come into the interleaver. ended says that nothing will
// follow on any input, and that everything is in.
func (k *take) fetch(batch []*media.Frame) (ended bool, err error) {
	now := time.Now()
	ended = true
	for i, in := range k.inputs {
		for !in.ended {
			n, lagged, err := in.cursor.Take(batch)
			if errors.Is(err, io.EOF) {
				in.ended = true
				k.order.end(i)
				break
			}
			if err != nil {
				return false, err
			}
			for j, frame := range batch[:n] {
				k.order.put(i, heldFrame{Frame: frame, since: now, gap: frame.Gap || lagged && j == 0})
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
		ended = ended && in.ended
	}
	return ended, nil
}

// drain writes the frames whose turn it is.
func (k *take) drain(now time.Time) error {
	if k.current == nil && k.undescribed(now) {
		return nil
	}
	for {
		track, frame, ok := k.order.next(now)
		if !ok {
			return nil
		}
		if err := k.put(track, frame, now); err != nil {
			return err
		}
	}
}

// put writes one frame, into another part if it is time for that.
func (k *take) put(track int, f heldFrame, now time.Time) error {
	in := k.inputs[track]
	video := in.info.Kind() == media.Video
	switch {
	case f.PTS <= k.written[track]:
		if f.PTS < in.last && k.current != nil { // frames out of order are not supported
			k.current.quality.unordered++
		}
		return nil // a part before has it
	case k.paused:
		in.gap, in.waits, in.why = true, video, "paused"
		return nil
	case (in.waits || k.current == nil) && video && !f.Sync:
		in.track.RequestKeyframeAfter(f.PTS) // at most once a second goes out
		return nil                           // a file begins where a decoder can
	case k.current != nil && !k.current.fits(track, f.Frame):
		in.gap = in.gap || f.gap || k.current.late(track, f.PTS)
		return nil
	}
	if err := k.describe(in, track, f); err != nil {
		return err
	}
	if changes := k.changes(track, f); k.current != nil && (changes || k.rotates(track, f)) {
		k.endPart(nil)
	}
	if k.current == nil {
		if err := k.begin(f.PTS); err != nil {
			return err
		}
	}
	in.waits = false
	if video {
		if err := k.fill(f.PTS, now); err != nil {
			return err
		}
	}
	f.gap = f.gap || in.gap
	if err := k.current.write(track, f, in.why); err != nil {
		return err
	}
	in.gap, in.why = false, ""
	k.written[track], in.last = f.PTS, f.PTS
	if f.Sync && (video || !k.pictures()) {
		k.safe = f.PTS
	}
	if k.tries > 0 && f.PTS-k.current.zero > goodPart {
		k.tries = 0
	}
	return nil
}

// fill puts silence ahead of a picture, where sound from before it has not come and is
// not expected any more.
func (k *take) fill(to time.Duration, now time.Time) error {
	for i := range k.inputs {
		next, ok := k.order.after(i, to, now)
		if !ok {
			continue
		}
		if err := k.current.fill(i, to, next); err != nil {
			return err
		}
	}
	return nil
}

// descriptionWait is how long a file is not begun for want of a picture whose
// description it needs ahead of everything. What comes meanwhile is held.
const descriptionWait = 2 * time.Second

// undescribed says that no file is to be begun yet. A track whose picture does not
// come in time is described when it comes, which players of the open file do not like.
func (k *take) undescribed(now time.Time) bool {
	waits := false
	for _, in := range k.inputs {
		if in.describe == nil || in.private != nil || in.ended {
			continue
		}
		waits = true
	}
	if !waits {
		return false
	}
	if k.waiting.IsZero() && k.order.some() {
		k.waiting = now
	}
	return k.waiting.IsZero() || now.Sub(k.waiting) < descriptionWait
}

// describe tells the open file what the pictures of a track are that begin only now.
func (k *take) describe(in *input, track int, f heldFrame) error {
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
// another kind of picture, of another bit depth, say. What is told in front of the
// keyframe, as a new size is, players follow.
func (k *take) changes(track int, f heldFrame) bool {
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

// rotates says that f is to be the first frame of another part.
func (k *take) rotates(track int, f heldFrame) bool {
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

// pictures says that there is a track of video.
func (k *take) pictures() bool {
	for _, in := range k.inputs {
		if in.info.Kind() == media.Video {
			return true
		}
	}
	return false
}

// begin opens the next part, whose time zero is that of its first frame.
func (k *take) begin(zero time.Duration) error {
	if err := k.recorder.space.check(); err != nil {
		return err
	}
	for _, in := range k.inputs {
		in.waits = in.info.Kind() == media.Video
		in.gap, in.why = false, "" // its begin is none
	}
	p, err := k.recorder.openPart(k.tape, k.inputs, zero)
	if err != nil {
		return err
	}
	k.current, k.told = p, false
	return nil
}
