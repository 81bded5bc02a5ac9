package webm_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// timed is a live stream whose blocks tell how long they last.
type timed struct {
	*webm.Live
	t      *testing.T
	tracks []ebml.TrackEntry
	units  []webm.Unit
}

func newTimed(t *testing.T, tracks []ebml.TrackEntry) *timed {
	l, err := webm.NewLive(webm.LiveConfig{Durations: true}, tracks)
	if err != nil {
		t.Fatal(err)
	}
	return &timed{Live: l, t: t, tracks: tracks}
}

// push pushes a frame of a track and returns how many units there are.
func (l *timed) push(track, ms int, key bool) int {
	data := webmtest.VP8(ms, key, 60)
	if l.tracks[track].Codec == media.Opus {
		data = []byte{0xFC, byte(ms), byte(ms >> 8)} // 20 ms
	}
	l.Push(track, webm.Block{Time: liveZero + time.Duration(ms)*time.Millisecond, Sync: key, Data: data})
	return l.take()
}

func (l *timed) take() int {
	for u, ok := l.Next(); ok; u, ok = l.Next() {
		l.units = append(l.units, u)
	}
	return len(l.units)
}

// frames reads all units in one framing.
func (l *timed) frames(f webm.Framing) []read.Frame {
	return webmtest.MustReadAll(l.t, render(l.Init(), l.units, f)).Frames
}

// lasting is a frame as a player is told it.
type lasting struct {
	track     int
	at, lasts int // ms
	key       bool
}

func (l *timed) check(want []lasting) {
	l.t.Helper()
	for _, framing := range []webm.Framing{webm.Clusters, webm.Growing} {
		got := l.frames(framing)
		if len(got) != len(want) {
			l.t.Fatalf("%d frames, want %d: %+v", len(got), len(want), got)
		}
		for i, f := range got {
			if g := (lasting{f.Track, int(f.Time.Milliseconds()), int(f.Duration.Milliseconds()), f.Key}); g != want[i] {
				l.t.Errorf("framing %d, frame %d is %+v, want %+v", framing, i, g, want[i])
			}
		}
	}
}

// TestLiveDurations: each picture waits for the next one, with the sound behind it,
// and is out with the next.
func TestLiveDurations(t *testing.T) {
	const audio, video = webmtest.AudioTrack, webmtest.VideoTrack
	l := newTimed(t, webmtest.AVTracks())
	if bytes.Contains(l.Init(), []byte{0x23, 0xE3, 0x83}) {
		t.Error("the header says how long all pictures last")
	}
	l.push(video, 0, true)
	l.push(audio, 0, true)
	l.push(audio, 20, true)
	if n := l.push(audio, 40, true); n != 0 {
		t.Errorf("%d units before the first picture has ended", n)
	}
	if n := l.push(video, 33, false); n != 1 {
		t.Errorf("%d units with the second picture", n)
	}
	l.push(audio, 60, true)
	l.push(audio, 80, true)
	if n := l.push(video, 83, false); n != 2 {
		t.Errorf("%d units with the third picture", n)
	}
	l.push(audio, 100, true)
	l.Flush()
	l.take()
	l.check([]lasting{
		{video, 0, 33, true}, {audio, 0, 20, true}, {audio, 20, 20, true},
		{video, 33, 50, false}, {audio, 40, 20, true}, {audio, 60, 20, true}, {audio, 80, 20, true},
		{video, 83, 50, false}, {audio, 100, 20, true},
	})
	for i, u := range l.units[1:] {
		if before := l.units[i]; u.Time < before.Time || u.Key || u.Begins {
			t.Errorf("unit %d: %v after %v, key %v", i+1, u.Time, before.Time, u.Key)
		}
	}
}

// TestLiveDurationsFrozen: sound does not wait for ever behind a picture that stands
// still and cannot be shown again; that is said to last longer than any player waits.
func TestLiveDurationsFrozen(t *testing.T) {
	key := sfutest.Clip{Codec: media.AV1}.Video(0).Frame.Data // right behind a keyframe AV1 has no still
	format, _ := codec.For(media.AV1)
	private, _ := format.CodecPrivate(key)
	l := newTimed(t, []ebml.TrackEntry{{Codec: media.AV1, CodecPrivate: private}, {Codec: media.Opus}})
	l.Push(0, webm.Block{Time: liveZero, Sync: true, Data: key})
	for ms := 0; ms <= 600; ms += 20 {
		l.push(1, ms, true)
		l.Advance(liveZero + time.Duration(ms)*time.Millisecond)
		n := l.take()
		if ms <= 300 && n != 0 || ms > 340 && n == 0 {
			t.Fatalf("%d units after %d ms of sound", n, ms)
		}
	}
	l.Flush()
	l.take()
	got := l.frames(webm.Clusters)
	if first := got[0]; first.Track != 0 || first.Duration != time.Second || len(got) != 32 {
		t.Errorf("the picture is %+v, of %d frames", first, len(got))
	}
}

// TestLiveDurationsWithoutSound: a picture is as long as it takes the next to come,
// a keyframe begins a Cluster, and pictures that come fast leave two by two.
func TestLiveDurationsWithoutSound(t *testing.T) {
	l := newTimed(t, webmtest.AVTracks()[1:])
	var want []lasting
	for i := range 10 {
		n := l.push(0, i*20, i%8 == 0)
		if i%8 != 0 && n != (i-i%2)/2 {
			t.Errorf("%d units with picture %d", n, i)
		}
		want = append(want, lasting{0, i * 20, 20, i%8 == 0})
	}
	l.Flush()
	l.take()
	l.check(want)
	for i, u := range l.units {
		if u.Key != (u.Time == liveZero || u.Time == liveZero+160*time.Millisecond) || i > 0 && u.Time != l.units[i-1].End {
			t.Errorf("unit %d of %v to %v, key %v", i, u.Time, u.End, u.Key)
		}
	}
}

// TestLiveSlowPictures: a picture is not shown again where the next one has come
// already; with none to come it is.
func TestLiveSlowPictures(t *testing.T) {
	const audio, video = webmtest.AudioTrack, webmtest.VideoTrack
	for _, tt := range []struct {
		every  int // ms
		stills int64
	}{{100, 0}, {125, 0}, {200, 0}, {220, 0}, {240, 2}, {500, 4}} {
		l, err := webm.NewLive(webm.LiveConfig{}, webmtest.AVTracks())
		if err != nil {
			t.Fatal(err)
		}
		for ms := 0; ms < 4*tt.every+100; ms += 20 {
			if ms%tt.every < 20 {
				at := time.Duration(ms-ms%tt.every) * time.Millisecond
				l.Push(video, webm.Block{Time: liveZero + at, Sync: ms == 0, Data: webmtest.VP8(ms, ms == 0, 60)})
			}
			l.Push(audio, webm.Block{Time: liveZero + time.Duration(ms)*time.Millisecond, Sync: true, Data: []byte{0xFC, 1, 2}})
			for _, ok := l.Next(); ok; _, ok = l.Next() {
			}
		}
		if got := l.Stills(); got != tt.stills*4 {
			t.Errorf("pictures each %d ms are shown again %d times, want %d", tt.every, got, tt.stills*4)
		}
	}
}

// TestSamplesStandStill: a picture that has no next one waits for 300 ms of the stream,
// whether there is sound beside it or not, and then stands still; the next one is out as
// soon as the one behind it.
func TestSamplesStandStill(t *testing.T) {
	const ms = time.Millisecond
	key := []byte("\x00\x00\x00\x05\x67\x64\x00\x1e\xd9\x00\x00\x00\x02\x68\xce\x00\x00\x00\x02\x65\x88")
	picture := ebml.TrackEntry{Codec: media.H264, Width: 64, Height: 64, CodecPrivate: []byte{1, 0x64, 0, 0x1e, 0xff, 0xe0, 0}}
	for name, tracks := range map[string][]ebml.TrackEntry{
		"alone":        {picture},
		"beside sound": {picture, {Codec: media.Opus, Channels: 2}},
	} {
		l, err := webm.NewLive(webm.LiveConfig{Samples: true}, tracks)
		if err != nil {
			t.Fatal(err)
		}
		pictures := func() (lasts []time.Duration) {
			for u, ok := l.Next(); ok; u, ok = l.Next() {
				for _, s := range u.Samples {
					if s.Track == 0 {
						lasts = append(lasts, s.Length)
					}
				}
			}
			return lasts
		}
		l.Push(0, webm.Block{Time: liveZero, Sync: true, Data: key})
		l.Advance(liveZero + 300*ms)
		if got := pictures(); len(got) != 0 {
			t.Errorf("%s: it is out at once, for %v", name, got)
		}
		l.Advance(liveZero + 400*ms)
		if got := pictures(); !slices.Equal(got, []time.Duration{time.Second}) {
			t.Errorf("%s: standing still, for %v", name, got)
		}
		l.Push(0, webm.Block{Time: liveZero + 500*ms, Data: key})
		l.Push(0, webm.Block{Time: liveZero + 540*ms, Data: key})
		l.Advance(liveZero + 600*ms)
		if got := pictures(); !slices.Equal(got, []time.Duration{40 * ms}) {
			t.Errorf("%s: the next one, for %v", name, got)
		}
	}
}
