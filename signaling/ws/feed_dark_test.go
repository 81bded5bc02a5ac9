package ws

import (
	"slices"
	"testing"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// handFeed is a feed that a test runs by hand, on a clock of its own.
type handFeed struct {
	feed
	b     *broadcast
	now   time.Time
	at    position
	mimes []string // of the headers that a viewer got
	units int      // that it got since the newest header
	hole  bool     // one of them did not follow the one before
}

func newHandFeed(t *testing.T, name string) *handFeed {
	return newHandFeedOf(t, name, sfutest.Clip{KeyEvery: 10})
}

// newHandFeedOf is newHandFeed of a clip.
func newHandFeedOf(t *testing.T, name string, clip sfutest.Clip) *handFeed {
	s := newWatchServer(t, Config{})
	h := &handFeed{b: s.publish(name, clip), now: time.Now()}
	h.ring.changed, h.began = make(chan struct{}), h.now
	sub, err := s.hub.Subscribe(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h.choose(tracks)
	for _, in := range h.inputs {
		t.Cleanup(func() { in.cursor.Close() })
	}
	h.batch = make([]*media.Frame, feedBatch)
	return h
}

// step does what the feed's goroutine does 10 ms later, and what a viewer does.
func (h *handFeed) step() {
	h.now = h.now.Add(feedPoll)
	h.muxNew(h.now)
	for {
		got := h.ring.next(&h.at)
		if got.begins {
			h.mimes, h.units = append(h.mimes, got.mime), 0
		}
		if !got.some {
			return
		}
		h.hole = h.hole || got.joins && h.units > 0
		h.units++
	}
}

// run lets time pass, with sound and picture or without them.
func (h *handFeed) run(d time.Duration, sound, picture bool) {
	h.runWith(d, sound, func(n int) []byte {
		if !picture {
			return nil
		}
		return h.b.clip.Video(n).Frame.Data
	})
}

// runWith is run with other pictures: picture returns the n-th, or nil where there is
// none.
func (h *handFeed) runWith(d time.Duration, sound bool, picture func(n int) []byte) {
	format, _ := codec.For(h.inputs[0].track.Info().Codec)
	for end := h.b.at + d; h.b.at < end; h.b.at += sfutest.AudioInterval {
		if h.b.at%sfutest.VideoInterval == 0 {
			if data := picture(int(h.b.at / sfutest.VideoInterval)); data != nil {
				_, _, sync := format.FrameSize(data)
				h.b.video.WriteFrame(media.Frame{PTS: h.b.at, Sync: sync, Data: data})
			}
		}
		if sound {
			h.b.audio.WriteFrame(h.b.clip.Audio(int(h.b.at / sfutest.AudioInterval)).Frame)
		}
		h.step()
		h.step()
	}
}

const (
	bothMIME  = `video/webm; codecs="vp8,opus"`
	soundMIME = `audio/webm; codecs="opus"`
)

// TestFeedDark: when a picture is declared and does not come, the sound comes
// alone, and both when the picture comes at last.
func TestFeedDark(t *testing.T) {
	type stretch struct {
		d              time.Duration
		sound, picture bool
	}
	const second = time.Second
	for _, tt := range []struct {
		name  string
		runs  []stretch
		mimes []string
	}{
		{"sound and picture", []stretch{{3 * second, true, true}}, []string{bothMIME}},
		{"nothing at all", []stretch{{30 * second, false, false}}, nil},
		{"nothing, then both", []stretch{{30 * second, false, false}, {second, true, true}}, []string{bothMIME}},
		{"a moment of sound first", []stretch{{900 * time.Millisecond, true, false}, {second, true, true}}, []string{bothMIME}},
		{"nothing, then a moment of sound", []stretch{{30 * second, false, false}, {900 * time.Millisecond, true, false}, {second, true, true}}, []string{bothMIME}},
		{"sound alone", []stretch{{30 * second, true, false}}, []string{soundMIME}},
		{"the picture comes late", []stretch{{4 * second, true, false}, {4 * second, true, true}}, []string{soundMIME, bothMIME}},
		{"picture without sound", []stretch{{4 * second, false, true}}, []string{bothMIME}},
		{"a picture that stands still", []stretch{{second, true, true}, {4 * second, true, false}, {second, true, true}}, []string{bothMIME}},
		{"one that stands still for long, and can be begun with", []stretch{{second, true, true}, {9 * second, true, false}, {second, true, true}}, []string{bothMIME}},
		{"away, then sound a moment before the picture", []stretch{{second, true, true}, {20 * second, false, false}, {40 * time.Millisecond, true, false}, {2 * second, true, true}}, []string{bothMIME}},
		{"the camera goes", []stretch{{second, true, true}, {30 * second, true, false}}, []string{bothMIME}},
		{"and comes again", []stretch{{second, true, true}, {30 * second, true, false}, {2 * second, true, true}, {30 * second, true, false}},
			[]string{bothMIME}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := newHandFeed(t, "a/dark")
			for _, r := range tt.runs {
				h.run(r.d, r.sound, r.picture)
			}
			if !slices.Equal(h.mimes, tt.mimes) {
				t.Errorf("%q, want %q", h.mimes, tt.mimes)
			}
			if len(tt.mimes) > 0 && h.units < 5 {
				t.Errorf("%d units since the last header", h.units)
			}
			if late := (&position{}); len(tt.mimes) > 0 && !h.ring.next(late).some {
				t.Error("who comes now gets nothing")
			}
		})
	}
}

// TestFeedDarkForOldClients: who cannot be told of other tracks gets nothing before
// the picture.
func TestFeedDarkForOldClients(t *testing.T) {
	h := newHandFeed(t, "a/old")
	old := position{picture: true}
	h.run(3*time.Second, true, false)
	if got := h.ring.next(&old); got.begins || got.some || got.init != nil {
		t.Errorf("before the picture: %+v", got)
	}
	h.run(time.Second, true, true)
	if got := h.ring.next(&old); !got.begins || got.mime != bothMIME || !got.unit.Key {
		t.Errorf("with the picture: %+v", got)
	}
}

// TestFeedDarkRewinds: a picture that comes later than the sound of its time gets
// that sound, though it was sent alone before.
func TestFeedDarkRewinds(t *testing.T) {
	h := newHandFeed(t, "a/rewinds")
	h.run(4*time.Second, true, false)
	late := h.b.clip.Video(90).Frame // a keyframe, 400 ms old
	h.b.video.WriteFrame(late)
	h.run(time.Second, true, false)
	if len(h.mimes) != 2 || h.mimes[1] != bothMIME || h.units < 5 {
		t.Fatalf("%q, then %d units", h.mimes, h.units)
	}
	if n := h.main.live.Silence(); n != 0 {
		t.Errorf("%d pieces of sound are missing", n)
	}
}

// TestWatchDark: over a socket, a header for the sound is followed by one for both,
// whose times begin at zero.
func TestWatchDark(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/dark", sfutest.Clip{KeyEvery: 10})
	w := s.watch("a/dark", `{"type":"hello"}`)
	begun := make(chan struct{})
	go func() {
		defer close(begun)
		if e := w.has(0, "init"); e["mime"] != soundMIME {
			t.Errorf("the first header: %v", e)
		}
		w.until("sound", func() bool { return len(w.frames) > 10 })
	}()
	tick := time.NewTicker(sfutest.AudioInterval)
	defer tick.Stop()
	for alone := true; alone; b.at += sfutest.AudioInterval {
		b.audio.WriteFrame(b.clip.Audio(int(b.at / sfutest.AudioInterval)).Frame)
		select {
		case <-begun:
			alone = false
		case <-tick.C:
		}
	}
	every := 10 * sfutest.VideoInterval
	b.at = (b.at + every - 1) / every * every // a keyframe
	first := int(b.at / sfutest.VideoInterval)
	b.write(b.at + every) // with two keyframes it could begin with the second one
	if e := w.has(1, "init"); e["mime"] != bothMIME {
		t.Errorf("the second header: %v", e)
	}
	consecutive(t, w.numbers(first+7), first)
	w.mu.Lock()
	defer w.mu.Unlock()
	if f := w.frames[0]; f.Track != 0 || f.Time != 0 {
		t.Errorf("it begins with track %d at %v", f.Track, f.Time)
	}
}
