package ws

import (
	"bytes"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

func TestHello(t *testing.T) {
	for text, want := range map[string]wishes{
		`{"type":"hello"}`:                           {},
		`{"type":"hello","framing":"growing"}`:       {framing: webm.Growing},
		`{"type":"hello","framing":"clusters"}`:      {},
		`{"type":"hello","framing":"of later"}`:      {},
		`{"type":"hello","durations":"always"}`:      {durations: alwaysDurations},
		`{"type":"hello","durations":"never"}`:       {},
		`{"type":"hello","containers":["mp4"]}`:      {takes: takes{fmp4: true, noWebM: true}},
		`{"type":"hello","containers":["webm"]}`:     {},
		`{"type":"hello","durations":"of later"}`:    {},
		`{"type":"hello","containers":["of later"]}`: {takes: takes{noWebM: true}},
		`{"type":"hello","framing":"growing","durations":"without-sound","containers":["webm","mp4"]}`: {
			framing: webm.Growing, durations: durationsWithoutSound, takes: takes{fmp4: true}},
	} {
		if got, ok := readHello([]byte(text)); !ok || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{`{"type":"ping"}`, `hello`, `{"type":"hello","framing":1}`, ``} {
		if _, ok := readHello([]byte(text)); ok {
			t.Errorf("%q is taken for a hello", text)
		}
	}
}

// TestWatchDurations: who asks for it is told how long each frame lasts, in both
// framings; all others get what they always got, from a feed of their own.
func TestWatchDurations(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/timed", sfutest.Clip{KeyEvery: 10})
	b.write(400 * time.Millisecond)
	for hello, timed := range map[string]bool{
		`{"type":"hello","durations":"always"}`:                     true,
		`{"type":"hello","durations":"always","framing":"growing"}`: true,
		`{"type":"hello","durations":"without-sound"}`:              false,
		`{"type":"hello","framing":"growing"}`:                      false,
		`{"type":"hello"}`:                                          false,
	} {
		w := s.watch("a/timed", hello)
		consecutive(t, w.numbers(8), 0)
		w.mu.Lock()
		for _, f := range w.frames {
			want := time.Second // of pictures by the header, of sound nothing
			switch {
			case f.Track == 1 && timed:
				want = sfutest.AudioInterval
			case f.Track == 1:
				want = 0
			case timed:
				want = sfutest.VideoInterval
			}
			if f.Duration != want {
				t.Errorf("%s: a frame of track %d at %v lasts %v, want %v", hello, f.Track, f.Time, f.Duration, want)
			}
		}
		if said := bytes.Contains(w.media, []byte{0x23, 0xE3, 0x83}); said == timed {
			t.Errorf("%s: the header says how long pictures last: %v", hello, said)
		}
		w.mu.Unlock()
	}
	s.endpoint.feeds.mu.Lock()
	defer s.endpoint.feeds.mu.Unlock()
	if n := len(s.endpoint.feeds.byKey); n != 2 {
		t.Errorf("there are %d feeds", n)
	}
}

// TestDurationsWithoutSound: whether a broadcast has sound is known when a viewer comes.
func TestDurationsWithoutSound(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name                   string
		codecs                 []media.Codec
		never, without, always bool
	}{
		{"both", []media.Codec{media.VP8, media.Opus}, false, false, true},
		{"picture", []media.Codec{media.VP8}, false, true, true},
		{"sound", []media.Codec{media.Opus}, false, false, true},
		{"h264", []media.Codec{media.H264}, false, false, false},
	} {
		pub, err := hub.Publish(tt.name, sfu.PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		defer pub.Close()
		var tracks []media.TrackInfo
		for _, c := range tt.codecs {
			tracks = append(tracks, media.TrackInfo{ID: c.Kind().String(), Codec: c})
		}
		if _, err := pub.AddTracks(sfu.Frames, tracks...); err != nil {
			t.Fatal(err)
		}
		sub, err := hub.Subscribe(tt.name)
		if err != nil {
			t.Fatal(err)
		}
		defer sub.Close()
		if got := [3]bool{neverDurations.of(sub), durationsWithoutSound.of(sub), alwaysDurations.of(sub)}; got != [3]bool{tt.never, tt.without, tt.always} {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
