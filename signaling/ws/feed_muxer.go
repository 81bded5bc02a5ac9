package ws

import (
	"bytes"
	"slices"
	"time"

	"weir/recorder/mp4"
	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// muxer makes the units of one line of a feed. It is owned by the feed's goroutine.
type muxer struct {
	inputs  []*feedInput // in the order of its tracks, the picture first
	live    *webm.Live
	mp4     *mp4.Muxer // what becomes of live's units; nil: they are WebM
	private []byte     // of the picture, as its header tells it
	config  []byte     // of H264, as the newest keyframe told it
}

// newMuxer returns a muxer of inputs whose first frame is first, and its header. With
// fmp4 it makes fragmented MP4, else WebM, whose blocks tell how long they last if
// timed. The error says that no player could take it.
func newMuxer(inputs []*feedInput, first []byte, fmp4, timed bool) (*muxer, header, error) {
	tracks := make([]ebml.TrackEntry, len(inputs))
	for i, in := range inputs {
		tracks[i].Codec = in.track.Info().Codec
	}
	describe(&tracks[0], first)
	h := header{codec: tracks[0].Codec, fmp4: fmp4}
	m := &muxer{inputs: inputs, private: tracks[0].CodecPrivate}
	var err error
	if m.live, err = webm.NewLive(webm.LiveConfig{Samples: fmp4, Durations: timed}, tracks); err != nil {
		return nil, h, err
	}
	h.init, h.mime = m.live.Init(), m.live.MIME()
	if !fmp4 {
		return m, h, nil
	}
	if m.mp4, err = mp4.New(fragmented(tracks)); err != nil {
		return nil, h, err
	}
	h.init, h.mime, m.config = m.mp4.Init(), m.mp4.MIME(), m.private
	return m, h, nil
}

// describe notes what a keyframe tells of its track.
func describe(t *ebml.TrackEntry, keyframe []byte) {
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
func fragmented(tracks []ebml.TrackEntry) []mp4.Description {
	list := make([]mp4.Description, len(tracks))
	for i, t := range tracks {
		list[i] = mp4.Description{Codec: t.Codec, Width: t.Width, Height: t.Height, Private: t.CodecPrivate}
	}
	return list
}

// holds reports whether players that have the muxer's header can go on with a
// keyframe: not where profile, bit depth or chroma format are others, by which they
// have chosen their decoder.
func (m *muxer) holds(keyframe []byte) bool {
	format, _ := codec.For(m.inputs[0].track.Info().Codec)
	if format.CodecPrivate == nil {
		return true
	}
	next, ok := format.CodecPrivate(keyframe)
	if !ok || bytes.Equal(m.private, next) {
		return true
	}
	return format.Holds != nil && format.Holds(m.private, next)
}

// push takes a frame of an input, if it is of one of the muxer's inputs.
func (m *muxer) push(in *feedInput, f *media.Frame) {
	if place := slices.Index(m.inputs, in); place >= 0 {
		m.live.Push(place, webm.Block{Time: f.PTS, Sync: f.Sync, Data: f.Data})
	}
}

// advance notes that the stream is at the time to. If sends, the publisher is there,
// and sound from before that time that has not come will not.
func (m *muxer) advance(to time.Duration, sends bool) {
	if sends {
		m.live.Advance(to)
	}
}

// units returns what is complete; all that is left, if nothing will follow.
func (m *muxer) units(last bool) (units []unit) {
	if last {
		m.live.Flush()
	}
	for u, ok := m.live.Next(); ok; u, ok = m.live.Next() {
		if m.mp4 == nil {
			units = append(units, unit{Unit: u})
		} else {
			units = append(units, ofFragment(m.mp4.Fragment(m.samples(u.Samples))))
		}
	}
	return units
}

// needsPrivate reports whether each header has to describe a track of the codec anew.
func needsPrivate(c media.Codec) bool {
	format, ok := codec.For(c)
	return ok && format.NeedsPrivate
}

// samples returns frames for the other container. A keyframe with other parameter
// sets, as after a change of the picture's size, brings a header of its own.
func (m *muxer) samples(list []webm.LiveFrame) []mp4.Sample {
	samples := make([]mp4.Sample, len(list))
	for i, s := range list {
		samples[i] = mp4.Sample{Track: s.Track, Time: s.Time, Length: s.Length, Key: s.Key, Data: s.Data}
		c := m.inputs[s.Track].track.Info().Codec
		if !s.Key || !needsPrivate(c) {
			continue
		}
		t := ebml.TrackEntry{Codec: c}
		if describe(&t, s.Data); t.CodecPrivate != nil && !bytes.Equal(t.CodecPrivate, m.config) {
			m.config = t.CodecPrivate
			samples[i].Header = &fragmented([]ebml.TrackEntry{t})[0]
		}
	}
	return samples
}
