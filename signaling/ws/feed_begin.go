package ws

import (
	"slices"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// feedDark is how long there may be sound and no picture until those who cannot
	// start with a picture get the sound alone, whatever tracks are declared.
	feedDark = time.Second
	// feedBlind is how long a picture that has been there may be missing beside sound,
	// if it cannot be shown again: all who watch go over to the sound alone, for they
	// would stop. It is longer than a network takes to recover from a moment's trouble.
	feedBlind = 2500 * time.Millisecond
	// feedSteady is for how long pictures have to come after that until they count as
	// there again. Of a screen that stands still there is one each few seconds, and with
	// each all would begin anew.
	feedSteady = 300 * time.Millisecond
	// feedPaused is how long a picture may stand until who watches is told.
	feedPaused = 5 * time.Second
	// feedPause is how long sound may take to come while it counts as there. Opus
	// sends something every 400 ms when nobody speaks (RFC 6716 section 2.1.9). Of
	// pictures it is the same.
	feedPause = 500 * time.Millisecond
)

// darkness tells for how long there has been sound, but no picture.
type darkness struct {
	pictures, sounds uint64 // packets so far
	heard            time.Time
	seen             time.Time // a picture came
	steady           time.Time // since then they have come without a pause
	since            time.Time // no picture has come, and the sound has not paused
}

// look takes the numbers of packets so far and returns for how long it is dark.
// Without sound it is not: the publisher is only about to send, or away.
func (d *darkness) look(pictures, sounds uint64, now time.Time) time.Duration {
	paused := now.Sub(d.heard) > feedPause
	if pictures != d.pictures || paused {
		d.since = now
	}
	if sounds != d.sounds {
		d.heard = now
	}
	if pictures != d.pictures {
		if now.Sub(d.seen) > feedPause {
			d.steady = now
		}
		d.seen = now
	}
	d.pictures, d.sounds = pictures, sounds
	return now.Sub(d.since)
}

// moves reports whether pictures have come for a while.
func (d *darkness) moves(now time.Time) bool {
	return now.Sub(d.seen) <= feedPause && now.Sub(d.steady) >= feedSteady
}

// choose takes the first track of each kind, which is what a SourceBuffer takes.
func (f *feed) choose(tracks []*sfu.Track) {
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		i := slices.IndexFunc(tracks, func(t *sfu.Track) bool { return t.Info().Kind() == kind })
		if i < 0 {
			continue
		}
		in := &feedInput{track: tracks[i]}
		if kind == media.Video {
			f.video.Store(in.track)
			in.cursor = in.track.Frames()
		} else {
			in.cursor = in.track.AllFrames() // what belongs to the keyframe came seconds ago
		}
		f.inputs = append(f.inputs, in)
	}
}

// look notes whether there are sound and picture.
func (f *feed) look(now time.Time) {
	if len(f.inputs) == 2 {
		f.dark = f.unseen.look(f.inputs[0].track.Stats().Packets, f.inputs[1].track.Stats().Packets, now)
	}
}

// turn begins and ends lines, where it is time to: the main one with a keyframe, the
// one beside it while there is sound and nobody can start with a picture.
func (f *feed) turn(now time.Time) {
	f.turnMain(now)
	switch both := len(f.inputs) == 2; {
	case f.aside != nil && f.ring.startable():
		f.aside = nil
		f.ring.drop(asideLine)
	case both && f.aside == nil && len(f.fresh) > 0 && f.dark >= feedDark && !f.ring.startable():
		f.begin(asideLine, f.inputs[1:], nil)
	}
	f.ring.setPaused(f.main != nil && f.dark >= feedPaused)
}

// turnMain is turn for the main line.
func (f *feed) turnMain(now time.Time) {
	if f.main != nil && f.dark >= feedBlind && !f.main.live.Lasts() {
		f.main, f.dropped = nil, true
		f.ring.drop(mainLine)
		return
	}
	first := slices.IndexFunc(f.fresh, func(frame feedFrame) bool {
		return frame.in == f.inputs[0] && frame.Sync && (f.main == nil || !f.main.holds(frame.Data))
	})
	if f.main == nil && f.dropped {
		if !f.unseen.moves(now) {
			return
		}
		if first < 0 {
			f.requestKeyframe(f.newest)
			return
		}
	}
	if first < 0 {
		return
	}
	keyframe := f.fresh[first]
	if f.main != nil || f.aside != nil {
		f.main, f.aside = nil, nil
		f.ring.drop(asideLine)
		f.rewind()
	}
	f.fresh = slices.DeleteFunc(f.fresh, func(frame feedFrame) bool {
		return frame.in == keyframe.in && frame.PTS < keyframe.PTS
	})
	f.begin(mainLine, f.inputs, keyframe.Data)
}

// rewind fetches the sound again, if there is one beside the picture: what belongs to
// the picture was sent without it.
func (f *feed) rewind() {
	if len(f.inputs) < 2 {
		return
	}
	sound := f.inputs[1]
	again := sound.track.AllFrames() // before the other one is closed: a ring that nobody reads is gone
	sound.cursor.Close()
	sound.cursor, sound.ended = again, false
	f.fresh = slices.DeleteFunc(f.fresh, func(frame feedFrame) bool { return frame.in == sound })
	f.take(sound)
	f.sort()
}

// begin begins a line with some of the inputs. Its header tells what the first
// keyframe says of itself.
func (f *feed) begin(line int, inputs []*feedInput, keyframe []byte) {
	// What WebM does not have is sent as MP4. What belongs to it is of the same kind,
	// sound alone too: the same players take it.
	format, _ := codec.For(f.inputs[0].track.Info().Codec)
	m, h, err := newMuxer(inputs, keyframe, format.MatroskaOnly)
	if err != nil { // no tracks that a player could take
		f.ring.refuse(h.codec)
		return
	}
	if line == mainLine {
		f.main, f.dropped = m, false
	} else {
		f.aside = m
	}
	f.ring.begin(line, h)
}
