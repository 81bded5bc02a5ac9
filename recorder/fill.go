package recorder

import (
	"fmt"
	"time"

	"weir/recorder/webm"
	"weir/sfu/media"
)

// Sound in a file has no hole from the first picture on: silence stands where no
// sound is, since Chromium plays the packets of a file one behind the other. It is
// written ahead of the pictures of its time, or of the sound that ends the hole.

// soundSoon is how long after a picture sound that is no longer waited for is taken to
// come at the earliest, so that the silence before it need not be put behind the
// picture.
const soundSoon = 10 * time.Millisecond

// fill puts silence into an input's track ahead of a picture, as far as there is a hole
// from where its sound ends to the time next, when there is sound. Both are on the
// stream's clock. If no sound has come yet, it is to begin with the picture.
func (p *part) fill(input int, picture, next time.Duration) error {
	track := p.place[input]
	if p.fillers[track] == nil {
		return nil
	}
	picture = max(0, picture-p.zero)
	p.fillers[track].Begin(picture)
	return p.silence(track, picture, next-p.zero)
}

// fillBefore puts silence ahead of a frame of a track, and notes that one.
func (p *part) fillBefore(track int, at time.Duration, data []byte) error {
	f := p.fillers[track]
	if f == nil {
		return nil
	}
	err := p.silence(track, at, at)
	f.Add(at, data)
	return err
}

// silence writes what of the silence in the hole up to next begins before the time to.
func (p *part) silence(track int, to, next time.Duration) error {
	f := p.fillers[track]
	for {
		s, ok := f.Hole(next)
		if !ok || s.Time >= to {
			return nil
		}
		f.AddSilence(s)
		err := p.writer.WriteFrame(track, webm.Block{Time: s.Time, Duration: s.Duration, Sync: true, Filler: true, Data: s.Data})
		if err != nil {
			return fmt.Errorf("recorder: %w", err)
		}
	}
}

// omit leaves tracks out of the file that were announced and of which nothing ever
// came, in this part or in one before. It reports whether there is one with silence.
func (p *part) omit() (some bool) {
	for i := range p.record.Tracks {
		if !p.heard[i] && p.writer.Omit(i) {
			p.record.Tracks[i].Filler = nil
			some = true
		}
	}
	return some
}

// fits reports whether a frame of an input has a place at its time: see
// codec.OpusFiller. It counts those that have none.
func (p *part) fits(input int, f *media.Frame) bool {
	filler := p.fillers[p.place[input]]
	if filler == nil || filler.Fits(f.PTS-p.zero) {
		return true
	}
	if p.late(input, f.PTS) {
		p.quality.unordered++
	} else {
		p.quality.trim(filler.Length(f.Data))
	}
	return false
}

// late reports whether silence is in the place of a frame that does not fit.
func (p *part) late(input int, pts time.Duration) bool {
	return p.fillers[p.place[input]].Filled(pts - p.zero)
}
