package poster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/poster/picture"
	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// studio is a hub whose streams have pictures taken, by a decoder that takes no time but
// says that it does.
type studio struct {
	*Gallery
	hub *sfu.Hub
	t   *testing.T

	mu      sync.Mutex
	cpu     time.Duration // that a picture costs
	wall    time.Duration // how long it takes
	fails   error
	decoded []time.Time
}

func newStudio(t *testing.T) *studio {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := &studio{hub: hub, t: t, cpu: 5 * time.Millisecond, wall: 5 * time.Millisecond}
	s.Gallery, err = New(Config{Hub: hub, decode: s.decode, measure: func(do func()) (cpu, wall time.Duration) {
		do()
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.cpu, s.wall
	}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = s.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	synctest.Wait()
	return s
}

// decode makes a JPEG that is the keyframe.
func (s *studio) decode(keyframe []byte) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.decoded = append(s.decoded, time.Now())
	return keyframe, s.fails
}

// costs sets what a picture costs, and how long it takes.
func (s *studio) costs(cpu, wall time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cpu, s.wall = cpu, wall
}

// times is when pictures were taken, since then.
func (s *studio) times(since time.Time) (after []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.decoded {
		after = append(after, at.Sub(since).Round(time.Second))
	}
	return after
}

func (s *studio) outcome(of string) uint64 {
	for _, o := range s.Outcomes() {
		if o.Name == of {
			return o.Count
		}
	}
	s.t.Fatalf("there is no outcome %q", of)
	return 0
}

// live is a stream that is being published.
type live struct {
	*sfu.Publication
	tracks []*sfu.TrackWriter
}

// publish begins a stream with those tracks, which writes frames.
func (s *studio) publish(name string, infos ...media.TrackInfo) *live {
	s.t.Helper()
	p, err := s.hub.Publish(name, sfu.PublishOptions{Source: "test"})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { p.Close() })
	writers, err := p.AddTracks(sfu.Frames, infos...)
	if err != nil {
		s.t.Fatal(err)
	}
	return &live{p, writers}
}

var vp8 = media.TrackInfo{ID: "video", Codec: media.VP8}

// keyframe writes a keyframe of that size to a track, which no other one is like.
func (l *live) keyframe(track, width, height int) []byte {
	data := sfutest.Frame(media.VP8, int(l.Now()/time.Millisecond), true, 300)
	data[6], data[7], data[8], data[9] = byte(width), byte(width>>8), byte(height), byte(height>>8)
	l.tracks[track].WriteFrame(media.Frame{PTS: l.Now(), Sync: true, Data: data})
	return data
}

// play writes a keyframe a second for that long.
func (l *live) play(d time.Duration) {
	for range int(d / time.Second) {
		l.keyframe(0, 320, 180)
		time.Sleep(time.Second)
	}
}

// TestFirst: a stream has a picture as soon as it has a keyframe, and none when it has
// ended.
func TestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		l := s.publish("a/b", vp8, media.TrackInfo{ID: "audio", Codec: media.Opus})
		id := l.Info().ID
		if _, ok := s.Poster(id); ok {
			t.Error("there is a picture of nothing")
		}
		want := l.keyframe(0, 320, 180)
		time.Sleep(300 * time.Millisecond)
		p, ok := s.Poster(id)
		if !ok || string(p.JPEG) != string(want) || p.Version == "" {
			t.Errorf("%v, %+v", ok, p)
		}
		l.Close()
		time.Sleep(time.Second)
		if _, ok := s.Poster(id); ok || len(s.posters) != 0 {
			t.Error("the picture of a stream is kept that is over")
		}
	})
}

// TestOneAMinute: pictures are a minute apart, and change their version.
func TestOneAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		l, start := s.publish("a", vp8), time.Now()
		l.play(10 * time.Second)
		first, _ := s.Poster(l.Info().ID)
		l.play(191 * time.Second)
		second, _ := s.Poster(l.Info().ID)
		if got := s.times(start); len(got) != 4 || got[0] != 0 || got[1] != time.Minute || got[3] != 3*time.Minute {
			t.Errorf("taken after %v", got)
		}
		if first.Version == second.Version || s.outcome("taken") != 4 || s.Spent() != 4*s.cpu {
			t.Errorf("%s, then %s, %d taken for %v", first.Version, second.Version, s.outcome("taken"), s.Spent())
		}
	})
}

// TestSmallest: of several sizes the smallest one is taken that is being sent.
func TestSmallest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		l := s.publish("a",
			media.TrackInfo{ID: "h", Codec: media.VP8, Encoding: media.Encoding{Group: "video", RID: "h"}},
			media.TrackInfo{ID: "q", Codec: media.VP8, Encoding: media.Encoding{Group: "video", RID: "q"}},
			media.TrackInfo{ID: "f", Codec: media.VP8, Encoding: media.Encoding{Group: "video", RID: "f"}})
		l.keyframe(0, 640, 360)
		small := l.keyframe(1, 320, 180)
		l.keyframe(2, 1280, 720)
		time.Sleep(time.Second)
		if p, ok := s.Poster(l.Info().ID); !ok || string(p.JPEG) != string(small) {
			t.Errorf("another one was taken: %v", ok)
		}
	})
}

// TestBudget: of many streams with large pictures each has its first picture at once,
// then they take turns, for 2 % of a core in all.
func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		s.costs(60*time.Millisecond, 60*time.Millisecond)
		const streams, minutes = 50, 20
		var all []*live
		for i := range streams {
			all = append(all, s.publish(fmt.Sprint(i), vp8))
		}
		for range minutes * 60 {
			for _, l := range all {
				l.keyframe(0, 1280, 720)
			}
			time.Sleep(time.Second)
			if s.outcome("taken") < streams {
				t.Fatalf("%d first pictures after a second", s.outcome("taken"))
			}
		}
		spent := time.Duration(s.outcome("taken")-streams) * s.cpu // after the first ones
		if share := spent.Seconds() / (minutes * 60); share < 0.017 || share > 0.0205 {
			t.Errorf("%.2f %% of a core", 100*share)
		}
		now := time.Now()
		for _, l := range all {
			if p, _ := s.Poster(l.Info().ID); now.Sub(p.At) > longest {
				t.Errorf("a picture is %v old", now.Sub(p.At))
			}
		}
		if s.outcome("late") == 0 {
			t.Error("nothing was late")
		}
	})
}

// TestLongest: where 2 % of a core are too little, pictures are 5 minutes apart at most.
func TestLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		s.costs(2*time.Second, 2*time.Second)
		var all []*live
		for i := range 5 {
			all = append(all, s.publish(fmt.Sprint(i), vp8))
		}
		oldest := time.Duration(0)
		for second := range 1800 {
			for _, l := range all {
				l.keyframe(0, 3840, 2160)
			}
			time.Sleep(time.Second)
			for _, l := range all {
				if p, ok := s.Poster(l.Info().ID); second > 120 {
					oldest = max(oldest, time.Since(p.At))
					if !ok {
						t.Fatal("there is none")
					}
				}
			}
		}
		if oldest < 2*time.Minute || oldest > longest+30*time.Second {
			t.Errorf("one was %v old", oldest)
		}
	})
}

// TestLoad: while the machine is busy no pictures are taken but one now and then, to see
// whether it still is.
func TestLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		s.costs(s.cpu, 30*time.Millisecond)
		for i := range 40 {
			l := s.publish(fmt.Sprint(i), vp8)
			l.keyframe(0, 320, 180)
		}
		time.Sleep(76 * time.Second) // 5 + 10 + 20 + 40
		if got := s.outcome("taken"); got != 5 || s.outcome("skipped") == 0 {
			t.Errorf("%d were taken, %d skipped", got, s.outcome("skipped"))
		}
		s.costs(s.cpu, s.cpu) // and now it has time again
		time.Sleep(61 * time.Second)
		if got := s.outcome("taken"); got < 40 {
			t.Errorf("%d were taken", got)
		}
	})
}

// TestBroken: a keyframe that cannot be decoded is not tried again before a minute is
// over, and the picture before stays.
func TestBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		l, start := s.publish("a", vp8), time.Now()
		l.play(30 * time.Second)
		before, _ := s.Poster(l.Info().ID)
		s.mu.Lock()
		s.fails = picture.ErrBroken
		s.mu.Unlock()
		l.play(100 * time.Second)
		after, ok := s.Poster(l.Info().ID)
		if got := s.times(start); len(got) != 3 || s.outcome("failed") != 2 || !ok || after.Version != before.Version {
			t.Errorf("tried after %v, %d failed, %v", got, s.outcome("failed"), ok)
		}
	})
}

// TestPut: a publisher's own picture is taken, at most one each 10 s, and then none is
// taken of its keyframes.
func TestPut(t *testing.T) {
	jpeg, err := picture.FromVP8(sfutest.Keyframe180)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		if err := s.Put("a", jpeg); !errors.Is(err, sfu.ErrNotLive) {
			t.Errorf("without a stream: %v", err)
		}
		l := s.publish("a", vp8)
		if err := s.Put("a", jpeg); err != nil {
			t.Error(err)
		}
		if p, ok := s.Poster(l.Info().ID); !ok || string(p.JPEG) != string(jpeg) {
			t.Errorf("it is not there: %v", ok)
		}
		if err := s.Put("a", jpeg); !errors.Is(err, ErrTooSoon) {
			t.Errorf("the next one: %v", err)
		}
		if err := s.Put("a", jpeg[:20]); !errors.Is(err, picture.ErrBroken) {
			t.Errorf("a broken one: %v", err)
		}
		l.play(sendPause)
		if err := s.Put("a", jpeg); err != nil {
			t.Error(err)
		}
		l.play(100 * time.Second)
		if got := s.times(time.Now()); len(got) != 0 || s.outcome("sent") != 2 || s.outcome("refused") != 2 {
			t.Errorf("taken %v, %+v", got, s.Outcomes())
		}
		l.play(100 * time.Second) // its publisher sends none any more
		if got := s.outcome("taken"); got == 0 {
			t.Error("none was taken")
		}
	})
}

// TestWanted: a picture of a stream that is newer than the last one is taken as soon as it
// shows another, if somebody wants it; and it tells when it was shown.
func TestWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		l, start := s.publish("a", vp8), time.Now()
		id, began := l.Info().ID, l.Info().StartedAt
		if _, ok := s.Since(id, start); ok {
			t.Error("there is a picture of nothing")
		}
		shown := l.Now()
		l.play(10 * time.Second)
		if p, ok := s.Since(id, start.Add(-time.Second)); !ok || !p.Shown.Equal(began.Add(shown)) {
			t.Errorf("%v, shown at %v", ok, p.Shown)
		}
		l.play(10 * time.Second)
		wanted := time.Now()
		for range 5 { // it is asked for often, and taken once
			s.Since(id, wanted)
			l.play(2 * time.Second)
		}
		if p, _ := s.Since(id, wanted); p.Shown.Before(wanted) || p.Shown.After(wanted.Add(2*time.Second)) {
			t.Errorf("wanted since %v, shown at %v", wanted.Sub(start), p.Shown.Sub(start))
		}
		l.play(50 * time.Second)
		if got := s.times(start); len(got) != 2 && len(got) != 3 || got[1] < 20*time.Second || got[1] > 22*time.Second {
			t.Errorf("taken after %v", got)
		}
		l.Close()
		time.Sleep(time.Second)
		if _, ok := s.Since(id, time.Now()); ok {
			t.Error("there is one of a stream that is over")
		}
	})
}

// TestSentOnly: where no pictures are to be taken there are those that publishers send.
func TestSentOnly(t *testing.T) {
	jpeg, err := picture.FromVP8(sfutest.Keyframe180)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		s.config.SentOnly = true
		l := s.publish("a", vp8)
		l.play(2 * time.Minute)
		if _, ok := s.Poster(l.Info().ID); ok || len(s.times(time.Now())) != 0 || s.Spent() != 0 {
			t.Errorf("one was taken, for %v", s.Spent())
		}
		if err := s.Put("a", jpeg); err != nil {
			t.Error(err)
		}
		if _, ok := s.Poster(l.Info().ID); !ok {
			t.Error("what was sent is not there")
		}
	})
}

// TestOtherCodecs: nothing is decoded that is not VP8.
func TestOtherCodecs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStudio(t)
		l := s.publish("a", media.TrackInfo{ID: "video", Codec: media.VP9}, media.TrackInfo{ID: "audio", Codec: media.Opus})
		l.tracks[0].WriteFrame(media.Frame{PTS: l.Now(), Sync: true, Data: sfutest.Frame(media.VP9, 0, true, 300)})
		time.Sleep(3 * time.Minute)
		if got := s.times(time.Now()); len(got) != 0 {
			t.Errorf("taken %v", got)
		}
	})
}
