package ws

import (
	"slices"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// audioOnlyAfter is how long there may be sound and no picture until viewers that
	// cannot start with a picture get the sound alone, whatever tracks are declared.
	audioOnlyAfter = time.Second
	// noVideoMost is how long a picture that has been there may be missing beside
	// sound, if it cannot be shown again: all viewers go over to the sound alone, for
	// they would stop. It is longer than a network takes to recover from a moment's
	// trouble.
	noVideoMost = 2500 * time.Millisecond
	// videoSteady is for how long pictures have to come after that until they count as
	// there again. Of a screen that stands still there is one each few seconds, and with
	// each all would begin anew.
	videoSteady = 300 * time.Millisecond
	// pausedAfter is how long a picture may stand until viewers are told.
	pausedAfter = 5 * time.Second
	// gapMost is how long sound may take to come while it counts as there. Opus sends
	// something every 400 ms in silence (RFC 6716 section 2.1.9). Of pictures it is the
	// same.
	gapMost = 500 * time.Millisecond
)

// videoWatch tells for how long there has been sound, but no picture.
type videoWatch struct {
	pictures, sounds uint64 // packets so far
	heard            time.Time
	seen             time.Time // a picture came
	steady           time.Time // since then they have come without a pause
	since            time.Time // no picture has come, and the sound has not paused
}

// look takes the numbers of packets so far and returns for how long there has been no
// picture. Without sound that is 0: the publisher is only about to send, or away.
func (w *videoWatch) look(pictures, sounds uint64, now time.Time) time.Duration {
	silent := now.Sub(w.heard) > gapMost
	if pictures != w.pictures || silent {
		w.since = now
	}
	if sounds != w.sounds {
		w.heard = now
	}
	if pictures != w.pictures {
		if now.Sub(w.seen) > gapMost {
			w.steady = now
		}
		w.seen = now
	}
	w.pictures, w.sounds = pictures, sounds
	return now.Sub(w.since)
}

// moves reports whether pictures have come for a while.
func (w *videoWatch) moves(now time.Time) bool {
	return now.Sub(w.seen) <= gapMost && now.Sub(w.steady) >= videoSteady
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
			f.picture.Store(in.track)
			in.cursor = in.track.Frames()
		} else {
			in.cursor = in.track.AllFrames() // what belongs to the keyframe came seconds ago
		}
		f.inputs = append(f.inputs, in)
	}
}

// watchVideo notes whether there are sound and picture.
func (f *feed) watchVideo(now time.Time) {
	if len(f.inputs) == 2 {
		f.missing = f.video.look(f.inputs[0].track.Stats().Packets, f.inputs[1].track.Stats().Packets, now)
	}
}

// changeLines ends the lines that are of no use any more: the main one when the picture
// is missing for too long and cannot be shown again, the sound alone when a joiner can
// start with a picture.
func (f *feed) changeLines() {
	if f.main != nil && f.missing >= noVideoMost && !f.main.live.Lasts() {
		f.main, f.dropped = nil, true
		f.ring.dropLine(mainLine)
	}
	if f.audioOnly != nil && f.ring.startable() {
		f.audioOnly = nil
		f.ring.dropLine(audioOnlyLine)
	}
	f.ring.setPaused(f.main != nil && f.missing >= pausedAfter)
}

// beginLines begins the lines that a frame of an input is the first of: the main one
// with a keyframe, the sound alone while no viewer can start with a picture.
func (f *feed) beginLines(in *feedInput, frame *media.Frame, now time.Time) {
	switch {
	case in != f.inputs[0]:
		if f.audioOnly == nil && f.missing >= audioOnlyAfter && !f.ring.startable() {
			f.beginLine(audioOnlyLine, f.inputs[1:], nil)
		}
	case !frame.Sync || f.main != nil && f.main.holds(frame.Data):
	case f.main == nil && f.dropped && !f.video.moves(now):
	default:
		if f.main != nil || f.audioOnly != nil {
			f.main, f.audioOnly = nil, nil
			f.ring.dropLine(audioOnlyLine)
			f.rewind()
		}
		f.beginLine(mainLine, f.inputs, frame.Data)
	}
}

// rewind has the sound fetched again, if there is one beside the picture: what belongs
// to the picture was sent without it.
func (f *feed) rewind() {
	if len(f.inputs) < 2 {
		return
	}
	sound := f.inputs[1]
	again := sound.track.AllFrames() // before the other one is closed: a ring without readers is gone
	sound.cursor.Close()
	sound.cursor, sound.ended = again, false
}

// beginLine begins a line with some of the inputs. Its header tells what the first
// keyframe says of itself.
func (f *feed) beginLine(line int, inputs []*feedInput, keyframe []byte) {
	// Codecs that WebM does not have are sent as MP4. All lines of a stream are of the
	// same kind, sound alone too: the same players take it.
	format, _ := codec.For(f.inputs[0].track.Info().Codec)
	m, h, err := newMuxer(inputs, keyframe, format.MatroskaOnly, f.key.timed)
	if err != nil { // no tracks that a player could take
		f.ring.refuse(h.codec)
		return
	}
	if line == mainLine {
		f.main, f.dropped = m, false
	} else {
		f.audioOnly = m
	}
	f.ring.setHeader(line, h)
}
