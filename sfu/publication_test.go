package sfu

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

func TestAddTracks(t *testing.T) {
	h := newHub(t, Config{})
	p, err := h.Publish("s", PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	add := func(tracks ...media.TrackInfo) error {
		_, err := p.AddTracks(Packets, tracks...)
		return err
	}
	track := func(id string, c media.Codec) media.TrackInfo { return media.TrackInfo{ID: id, Codec: c} }
	for _, c := range []media.Codec{0, 200} {
		if add(track("x", c)) == nil {
			t.Errorf("codec %d is taken", uint8(c))
		}
	}
	if err := add(track("video", media.VP8), track("video", media.Opus)); err == nil || !strings.Contains(err.Error(), "video") {
		t.Errorf("a second track of that name: %v", err)
	}
	var most []media.TrackInfo
	for i := range maxTracks {
		most = append(most, track(strings.Repeat("x", i+1), media.Opus))
	}
	if add(append(most, track("more", media.Opus))...) == nil {
		t.Error("there is no bound to the tracks")
	}
	if _, err := h.Subscribe("s"); !errors.Is(err, ErrNotLive) {
		t.Errorf("viewers are taken before the tracks are known: %v", err)
	}
	if err := add(most...); err != nil {
		t.Error(err)
	}
	if add(track("late", media.Opus)) == nil {
		t.Error("tracks can be added when viewers may have come")
	}
	p.Close()
	if err := add(track("later", media.Opus)); !errors.Is(err, ErrEnded) {
		t.Errorf("after the end: %v", err)
	}
}

// TestTracksAreACopy: what a sink does to its list of tracks is its own business.
func TestTracksAreACopy(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	_, first := b.subscribe(t)
	clear(first)
	_, second := b.subscribe(t)
	if len(second) != 2 || second[0] == nil {
		t.Error("a subscriber changed what others see")
	}
}

func TestTracksWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, Config{})
		p, err := h.Publish("s", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sub := &Subscription{stream: p.stream()} // as standing sinks have before Ready
		defer sub.Close()
		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		time.AfterFunc(time.Second, func() { cancel(reason) })
		if _, err := sub.Tracks(ctx); !errors.Is(err, reason) {
			t.Errorf("Tracks() = %v, want the context's cause", err)
		}
		time.AfterFunc(time.Second, func() {
			addSource(t, p, media.Opus, Packets)
		})
		if tracks, err := sub.Tracks(t.Context()); len(tracks) != 1 || err != nil {
			t.Errorf("Tracks() = %d, %v; want one", len(tracks), err)
		}
		p.Close()
		if tracks, err := sub.Tracks(t.Context()); len(tracks) != 1 || err != nil {
			t.Errorf("after the end Tracks() = %d, %v; want one still", len(tracks), err)
		}

		p, err = h.Publish("s", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		sub = &Subscription{stream: p.stream()}
		time.AfterFunc(time.Second, func() { p.Close() })
		if _, err := sub.Tracks(t.Context()); !errors.Is(err, ErrEnded) {
			t.Errorf("Tracks() of a stream that came to nothing = %v, want ErrEnded", err)
		}
	})
}

func TestCloseWithoutRun(t *testing.T) {
	called := false
	h := newHub(t, Config{Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink { called = true; return nil }}})
	p, err := h.Publish("s", PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	p.Close()
	<-p.Done()
	if i := p.Info(); i.State != Ended {
		t.Errorf("it is %s", i.State)
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if called {
		t.Error("a standing sink was made for a stream that never ran")
	}
}

// TestRunAndClose: whichever comes second, and however often, does no harm.
func TestRunAndClose(t *testing.T) {
	h := newHub(t, Config{})
	publish := func() *Publication {
		p, err := h.Publish("s", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	reason := errors.New("gone")

	p := publish() // closed while it runs, and after
	err := p.Run(t.Context(), sourceFunc(func(_ context.Context, p *Publication) error {
		p.Close()
		if isClosed(p.Done()) {
			t.Error("Close ended a stream that runs")
		}
		return reason
	}))
	p.Close()
	if !errors.Is(err, reason) || !isClosed(p.Done()) {
		t.Errorf("Run() = %v", err)
	}

	p = publish() // run after it was closed, or has run
	p.Close()
	for range 2 {
		err = p.Run(t.Context(), sourceFunc(func(ctx context.Context, p *Publication) error {
			if _, err := p.AddTracks(Packets, media.TrackInfo{ID: "a", Codec: media.Opus}); !errors.Is(err, ErrEnded) {
				t.Errorf("AddTracks() = %v, want ErrEnded", err)
			}
			<-ctx.Done()
			return context.Cause(ctx)
		}))
		if !errors.Is(err, ErrEnded) {
			t.Errorf("Run() = %v, want ErrEnded", err)
		}
	}
	if err := h.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestStandingSinks: they get all of the stream, see its end, and finish before
// Run returns, while the name is free and viewers are told at once.
func TestStandingSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length, drain = 1990 * ms, 3 * time.Second // 50 frames
		got := sfutest.NewCollector(media.VP8)
		failed := errors.New("disk full")
		h := newHub(t, Config{Standing: []func(StreamInfo) Sink{
			func(StreamInfo) Sink { return nil }, // wants nothing of this stream
			func(i StreamInfo) Sink {
				if i.Name != "s" || !i.Record {
					t.Errorf("the sink is made for %+v", i)
				}
				return sinkFunc(func(ctx context.Context, s *Subscription) error {
					tracks, err := s.Tracks(ctx)
					if err != nil {
						return err
					}
					time.Sleep(time.Second) // late, and misses nothing
					if err := readAll(ctx, tracks[0].AllFrames(), got.AddFrames); err != nil {
						return err
					}
					time.Sleep(drain)
					return failed
				})
			},
		}})
		p, err := h.Publish("s", PublishOptions{Record: true})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		stopped := errors.New("stopped")
		time.AfterFunc(length, func() { cancel(stopped) })
		src := &clipSource{form: Frames, clip: sfutest.Clip{Length: time.Minute}, begin: make(chan struct{})}
		close(src.begin)
		start := time.Now()
		time.AfterFunc(length+100*ms, func() {
			if !isClosed(p.Done()) {
				t.Error("viewers are not told of the end while a sink drains")
			}
			again, err := h.Publish("s", PublishOptions{})
			if err != nil {
				t.Errorf("the name is not free while a sink drains: %v", err)
				return
			}
			again.Close()
		})
		err = p.Run(ctx, src)
		if !errors.Is(err, stopped) || !errors.Is(err, failed) {
			t.Errorf("Run() = %v, want the source's and the sink's error", err)
		}
		if took := time.Since(start); took != length+drain {
			t.Errorf("Run took %v, want %v", took, length+drain)
		}
		if err := got.Complete(0, 49); err != nil {
			t.Error(err)
		}
	})
}

// TestDrainTimeout: a sink that does not come to its end is told to.
func TestDrainTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const timeout = 4 * time.Second
		var cause error
		h := newHub(t, Config{DrainTimeout: timeout, Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink {
			return sinkFunc(func(ctx context.Context, _ *Subscription) error {
				<-ctx.Done()
				cause = context.Cause(ctx)
				return nil
			})
		}}})
		p, err := h.Publish("s", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var ended time.Time
		time.AfterFunc(time.Minute, func() { ended = time.Now(); cancel() })
		err = p.Run(ctx, sourceFunc(func(ctx context.Context, _ *Publication) error {
			<-ctx.Done()
			return nil
		}))
		if err != nil || !errors.Is(cause, ErrEnded) {
			t.Errorf("Run() = %v; the sink was told %v, want ErrEnded", err, cause)
		}
		if took := time.Since(ended); took != timeout {
			t.Errorf("it had %v to drain, want %v", took, timeout)
		}
	})
}

// TestStandingSinkIsNoViewer: nor does a slow one delay anybody.
func TestStandingSinkIsNoViewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stuck := make(chan struct{})
		h := newHub(t, Config{Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink {
			return sinkFunc(func(ctx context.Context, s *Subscription) error {
				tracks, err := s.Tracks(ctx)
				if err != nil {
					return err
				}
				c := tracks[0].AllFrames()
				defer c.Close()
				<-stuck // and never reads
				return nil
			})
		}}})
		p, err := h.Publish("s", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		src := &clipSource{form: Packets, clip: sfutest.Clip{Length: 10 * time.Second}, begin: make(chan struct{})}
		var running sync.WaitGroup
		running.Go(func() { p.Run(t.Context(), src) })
		synctest.Wait()
		sub, err := h.Subscribe("s")
		if err != nil {
			t.Fatal(err)
		}
		viewer := viewerSink{newCollection()}
		running.Go(func() {
			defer sub.Close()
			if err := viewer.Run(t.Context(), sub); err != nil {
				t.Error(err)
			}
			if n := p.Info().Viewers; n != 1 {
				t.Errorf("%d viewers, want 1", n)
			}
			close(stuck)
		})
		synctest.Wait()
		close(src.begin)
		running.Wait()
		for of, c := range viewer.collected() {
			checkComplete(t, "viewer", c, src.clip, of, src.start)
		}
	})
}
