package ws

import (
	"bytes"
	"slices"
	"time"

	"weir/recorder/mp4"
	"weir/recorder/webm"
	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// feedDark is how long there may be sound and no picture at first until the
	// sound is sent alone, whatever tracks are declared.
	feedDark = time.Second
	// feedBlind is the same for a picture that has been there. All who watch begin
	// anew then, so it waits until nobody else could begin, and for longer than a
	// screen that stands still.
	feedBlind = 5 * time.Second
	// feedPause is how long sound may take to come while it counts as there. Opus
	// sends something every 400 ms when nobody speaks (RFC 6716 section 2.1.9).
	feedPause = 500 * time.Millisecond
)

// darkness tells for how long there has been sound, but no picture.
type darkness struct {
	pictures, sounds uint64 // packets so far
	heard            time.Time
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
	d.pictures, d.sounds = pictures, sounds
	return now.Sub(d.since)
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

// turn makes a muxer, if it is time to: for all tracks with a keyframe, for the
// sound alone when no picture comes.
func (f *feed) turn() {
	if f.live == nil || f.alone {
		keyframe := slices.IndexFunc(f.fresh, func(frame feedFrame) bool { return frame.in == f.inputs[0] && frame.Sync })
		if keyframe >= 0 {
			if f.alone {
				f.rewind()
			}
			f.begin(f.inputs)
			return
		}
	}
	if len(f.fresh) > 0 && (f.live == nil && f.dark >= feedDark ||
		f.live != nil && !f.alone && f.dark >= feedBlind && !f.ring.startable()) {
		f.begin(f.inputs[1:])
	}
}

// rewind fetches the sound again: what belongs to the picture was sent without it.
func (f *feed) rewind() {
	sound := f.inputs[1]
	again := sound.track.AllFrames() // before the other one is closed: a ring that nobody reads is gone
	sound.cursor.Close()
	sound.cursor, sound.ended = again, false
	f.fresh = slices.DeleteFunc(f.fresh, func(frame feedFrame) bool { return frame.in == sound })
	f.take(sound)
	f.sort()
}

// begin makes the muxer for some of the inputs. Its header tells the size of the
// first keyframe.
func (f *feed) begin(inputs []*feedInput) {
	tracks := make([]webm.Track, len(inputs))
	for i, in := range inputs {
		tracks[i].Codec = in.track.Info().Codec
	}
	first := slices.IndexFunc(f.fresh, func(frame feedFrame) bool { return frame.in == inputs[0] && frame.Sync })
	if first < 0 {
		return
	}
	describe(&tracks[0], f.fresh[first].Data)
	h := header{codec: tracks[0].Codec, alone: len(inputs) < len(f.inputs)}
	// No browser takes H264 in WebM. What belongs to it is of the same kind, sound
	// alone too: the same players take it.
	h.fmp4 = f.inputs[0].track.Info().Codec == media.H264
	live, err := webm.NewLive(webm.LiveConfig{Samples: h.fmp4}, tracks)
	if err != nil { // no tracks that a player could take
		f.ring.refuse(h.codec)
		return
	}
	h.init, h.mime = live.Init(), live.MIME()
	f.mp4 = nil
	if h.fmp4 {
		muxer, err := mp4.New(fragmented(tracks))
		if err != nil {
			f.ring.refuse(h.codec)
			return
		}
		h.init, h.mime = muxer.Init(), muxer.MIME()
		f.mp4, f.config = muxer, tracks[0].CodecPrivate
	}
	for _, in := range f.inputs {
		in.place = slices.Index(inputs, in)
	}
	f.live, f.alone = live, h.alone
	f.ring.begin(h)
}

// describe notes what a keyframe tells of its track.
func describe(t *webm.Track, keyframe []byte) {
	format, _ := codec.For(t.Codec)
	if format.FrameSize != nil {
		if width, height, ok := format.FrameSize(keyframe); ok && width > 0 && height > 0 {
			t.Width, t.Height = width, height
		}
	}
	if format.CodecPrivate != nil {
		t.CodecPrivate, _ = format.CodecPrivate(keyframe)
	}
}

// fragmented returns the same tracks for the other container.
func fragmented(tracks []webm.Track) []mp4.Track {
	list := make([]mp4.Track, len(tracks))
	for i, t := range tracks {
		list[i] = mp4.Track{Codec: t.Codec, Width: t.Width, Height: t.Height, Private: t.CodecPrivate}
	}
	return list
}

// samples returns frames for the other container. A keyframe with other parameter
// sets, as after a change of the picture's size, brings a header of its own.
func (f *feed) samples(list []webm.Sample) []mp4.Sample {
	samples := make([]mp4.Sample, len(list))
	for i, s := range list {
		samples[i] = mp4.Sample{Track: s.Track, Time: s.Time, Length: s.Length, Key: s.Key, Data: s.Data}
		if !s.Key || f.alone || f.inputs[0].place != s.Track {
			continue
		}
		t := webm.Track{Codec: media.H264}
		if describe(&t, s.Data); t.CodecPrivate != nil && !bytes.Equal(t.CodecPrivate, f.config) {
			f.config = t.CodecPrivate
			samples[i].Header = &fragmented([]webm.Track{t})[0]
		}
	}
	return samples
}
