package sfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
)

// watcher collects what a hub tells.
type watcher struct {
	stop context.CancelFunc
	done chan struct{}
	got  []Event // when done is closed
}

func watch(h *Hub) *watcher {
	ctx, stop := context.WithCancel(context.Background())
	w := &watcher{stop: stop, done: make(chan struct{})}
	events := h.Watch(ctx)
	go func() {
		defer close(w.done)
		w.got = slices.Collect(events)
	}()
	return w
}

// all ends the watching and returns what was told.
func (w *watcher) all() []Event {
	w.stop()
	<-w.done
	return w.got
}

// TestWatch: what happens to a stream and its viewers is told in order, with what it
// was like then.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := errors.New("disk full")
		h := newHub(t, Config{Grace: grace, Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink {
			return sinkFunc(func(_ context.Context, s *Subscription) error {
				<-s.Done()
				return failed
			})
		}}})
		before := h.Watch(t.Context()) // nobody has to read it
		w := watch(h)
		lose := func(o PublishOptions, codecs ...media.Codec) {
			p := publish(t, h, o)
			p.Run(t.Context(), sourceFunc(func(context.Context, *Publication) error {
				for _, s := range addSources(t, p, Frames, codecs...) {
					s.writer.WriteFrame(media.Frame{PTS: max(p.Now(), p.Edge()+1), Sync: true, Data: []byte{1}})
				}
				return ErrLost
			}))
		}
		lose(PublishOptions{}, media.Opus)
		first := wantState(t, h, Waiting).ID
		var subs []*Subscription
		for range 2 {
			sub, err := h.Subscribe("s")
			if err != nil {
				t.Fatal(err)
			}
			sub.Join()
			sub.Join() // counts once
			subs = append(subs, sub)
		}
		for _, sub := range subs {
			sub.Close()
		}
		time.Sleep(time.Second)
		lose(PublishOptions{}, media.Opus)
		publish(t, h, PublishOptions{}).Close() // comes to nothing, and is not told
		lose(PublishOptions{Record: true}, media.Opus)
		second := wantState(t, h, Waiting).ID
		time.Sleep(grace)
		synctest.Wait()

		var got []string
		for _, e := range w.all() {
			name := map[string]string{first: "1", second: "2"}[e.Stream.ID]
			got = append(got, fmt.Sprint(e.Kind, " ", name, " ", e.Stream.State, " ", e.Stream.Viewers))
			if (e.Kind == StreamDrained) != errors.Is(e.Err, failed) {
				t.Errorf("%v tells %v", e.Kind, e.Err)
			}
			if e.At.IsZero() || e.Stream.Name != "s" {
				t.Errorf("%+v", e)
			}
		}
		want := []string{
			"stream.claimed 1 claimed 0", "stream.live 1 live 0", "stream.waiting 1 waiting 0",
			"viewer.joined 1 waiting 1", "viewer.joined 1 waiting 2", "viewer.left 1 waiting 1", "viewer.left 1 waiting 0",
			"stream.resumed 1 live 0", "stream.waiting 1 waiting 0",
			"stream.replaced 1 ended 0", "stream.ended 1 ended 0", "stream.claimed 2 claimed 0",
			"stream.live 2 live 0", "stream.waiting 2 waiting 0",
			"stream.ended 2 ended 0", "stream.drained 2 ended 0",
		}
		drained := slices.Index(got, "stream.drained 1 ended 0") // beside what comes next
		if drained < slices.Index(got, "stream.ended 1 ended 0") {
			t.Errorf("the old stream's drain is told at %d", drained)
		}
		if got = slices.Delete(got, drained, drained+1); !slices.Equal(got, want) {
			t.Errorf("told:\n%q, want\n%q", got, want)
		}
		n := 0
		for range before {
			if n++; n == len(want)+1 {
				break
			}
		}
	})
}

// TestWatchSlow: a watcher that takes nothing holds up nobody, and is told how much it
// has missed.
func TestWatchSlow(t *testing.T) {
	h := newHub(t, Config{})
	ctx, stop := context.WithCancel(t.Context())
	slow := h.Watch(ctx)
	const streams = 300 // each is claimed, and ends
	for range streams {
		publish(t, h, PublishOptions{}).Close()
	}
	stop()
	told, missed := 0, uint64(0)
	for e := range slow {
		if e.Kind == EventsMissed {
			if told > 0 {
				t.Error("what is missing lies before the rest")
			}
			missed += e.Missed
			continue
		}
		told++
	}
	if told != maxEvents || missed != 2*streams-maxEvents {
		t.Errorf("%d told and %d missed, of %d", told, missed, 2*streams)
	}
	if n := h.events.watching.Load(); n != 0 {
		t.Errorf("%d still watch", n)
	}
}

// TestWatchCounts: however many viewers come and go at a time, each event's count
// follows from the one before.
func TestWatchCounts(t *testing.T) {
	b := newBroadcast(t, Config{}, Frames)
	w := watch(b.hub)
	var viewers sync.WaitGroup
	for range 8 {
		viewers.Go(func() {
			for range 10 {
				sub, err := b.hub.Subscribe("test")
				if err != nil {
					t.Error(err)
					return
				}
				sub.Join()
				sub.Close()
			}
		})
	}
	viewers.Wait()
	count := 0
	for _, e := range w.all() {
		switch e.Kind {
		case ViewerJoined:
			count++
		case ViewerLeft:
			count--
		case EventsMissed: // it may be slow: what follows is right in itself
			count = -1
			continue
		}
		if count < 0 {
			count = e.Stream.Viewers
		}
		if e.Stream.Viewers != count {
			t.Fatalf("%v tells %d viewers, want %d", e.Kind, e.Stream.Viewers, count)
		}
		if e.Kind != EventsMissed && len(e.Stream.Tracks) > 0 {
			t.Fatalf("%v tells what %d tracks have counted", e.Kind, len(e.Stream.Tracks))
		}
	}
}

// registry is a context that counts the functions that wait for its end.
type registry struct {
	context.Context
	waiting int
}

func (r *registry) Done() <-chan struct{} { return make(chan struct{}) }

func (r *registry) AfterFunc(func()) (stop func() bool) {
	r.waiting++
	return func() bool { r.waiting--; return true }
}

// TestWatchLeaves: a loop that ends before its context leaves nothing behind.
func TestWatchLeaves(t *testing.T) {
	h := newHub(t, Config{})
	ctx := &registry{Context: t.Context()}
	events := h.Watch(ctx)
	publish(t, h, PublishOptions{}).Close()
	for range events {
		break
	}
	if n := h.events.watching.Load(); n != 0 || ctx.waiting != 0 {
		t.Errorf("%d still watch, %d functions wait for the context", n, ctx.waiting)
	}
}
