package sfu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
)

// sourceFunc is a Source.
type sourceFunc func(ctx context.Context, p *Publication) error

func (f sourceFunc) Run(ctx context.Context, p *Publication) error { return f(ctx, p) }

// sinkFunc is a Sink.
type sinkFunc func(ctx context.Context, s *Subscription) error

func (f sinkFunc) Run(ctx context.Context, s *Subscription) error { return f(ctx, s) }

func TestConfig(t *testing.T) {
	for _, c := range []Config{{ShardViewers: -1}, {DrainTimeout: -1}} {
		if _, err := New(c); err == nil {
			t.Errorf("New(%+v) succeeds", c)
		}
	}
	h := newHub(t, Config{})
	if h.config.ShardViewers != 32 || h.config.DrainTimeout != 10*time.Second {
		t.Errorf("the defaults are %+v", h.config)
	}
}

func TestPublishNames(t *testing.T) {
	h := newHub(t, Config{})
	if _, err := h.Publish("../etc", PublishOptions{}); !errors.Is(err, ErrBadName) {
		t.Errorf("a bad name: %v", err)
	}
	first, err := h.Publish("a/b", PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Publish("a/b", PublishOptions{}); !errors.Is(err, ErrNameTaken) {
		t.Errorf("a name that is taken: %v", err)
	}
	other, err := h.Publish("a", PublishOptions{})
	if err != nil {
		t.Errorf("a name below which another is: %v", err)
	}
	first.Close()
	again, err := h.Publish("a/b", PublishOptions{})
	if err != nil {
		t.Fatalf("a name that is free again: %v", err)
	}
	if again.Info().ID == first.Info().ID {
		t.Error("two broadcasts have one ID")
	}
	first.Close() // not the name of the one that came after
	if _, err := h.Stream("a/b"); err != nil {
		t.Error("closing a publication twice ended another one")
	}
	again.Close()
	other.Close()
}

// TestPublishRace: of two that want a name at once, one gets it.
func TestPublishRace(t *testing.T) {
	h := newHub(t, Config{})
	for range 100 {
		var won atomic.Int64
		var racing sync.WaitGroup
		begin := make(chan struct{})
		pubs := make([]*Publication, 2)
		for i := range pubs {
			racing.Go(func() {
				<-begin
				p, err := h.Publish("race", PublishOptions{})
				switch {
				case err == nil:
					won.Add(1)
					pubs[i] = p
				case !errors.Is(err, ErrNameTaken):
					t.Error(err)
				}
			})
		}
		close(begin)
		racing.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d publishers got the name", won.Load())
		}
		for _, p := range pubs {
			if p != nil {
				p.Close()
			}
		}
	}
	if n := len(h.Streams()); n != 0 {
		t.Errorf("%d streams are left", n)
	}
}

func TestSubscribeBeforeReady(t *testing.T) {
	h := newHub(t, Config{})
	subscribe := func(when string, live bool) {
		t.Helper()
		sub, err := h.Subscribe("s")
		if live != (err == nil) || err != nil && !errors.Is(err, ErrNotLive) {
			t.Errorf("%s: Subscribe() = %v", when, err)
		}
		if sub != nil {
			sub.Close()
		}
	}
	subscribe("nobody publishes", false)
	p, err := h.Publish("s", PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	subscribe("the name is claimed", false)
	addSource(t, p, media.Opus, Packets)
	subscribe("the tracks are known", true)
	p.Close()
	subscribe("it has ended", false)
}

func TestStreams(t *testing.T) {
	h := newHub(t, Config{})
	for _, name := range []string{"b", "a/x", "c", "a"} {
		p, err := h.Publish(name, PublishOptions{Source: "webrtc", Record: true})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
	}
	var names []string
	for _, i := range h.Streams() {
		names = append(names, i.Name)
		if i.Source != "webrtc" || !i.Record || i.ID == "" || i.StartedAt.IsZero() {
			t.Errorf("%+v", i)
		}
		if one, err := h.Stream(i.Name); err != nil || one.ID != i.ID {
			t.Errorf("Stream(%q) = %+v, %v", i.Name, one, err)
		}
	}
	if got := fmt.Sprint(names); got != "[a a/x b c]" {
		t.Errorf("the streams are %s", got)
	}
	if _, err := h.Stream("d"); !errors.Is(err, ErrNotLive) {
		t.Errorf("Stream() of one that is not there = %v", err)
	}
}

// TestShutdown: no new streams from then on, and it waits for those that are,
// also for one whose name is free already but whose standing sinks still work.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const drain = 3 * time.Second
		h := newHub(t, Config{Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink {
			return sinkFunc(func(_ context.Context, s *Subscription) error {
				<-s.Done()
				time.Sleep(drain)
				return nil
			})
		}}})
		start := time.Now()
		publish := func(name string, length time.Duration) {
			p, err := h.Publish(name, PublishOptions{})
			if err != nil {
				t.Fatal(err)
			}
			go p.Run(t.Context(), sourceFunc(func(context.Context, *Publication) error {
				time.Sleep(length)
				return nil
			}))
		}
		publish("long", 5*time.Second)
		publish("short", time.Second)
		claim, err := h.Publish("claim", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Second) // short drains now
		if n := len(h.Streams()); n != 2 {
			t.Errorf("%d names are taken, want 2", n)
		}
		short, cancel := context.WithTimeoutCause(t.Context(), 500*ms, errors.New("impatient"))
		defer cancel()
		if err := h.Shutdown(short); err == nil || err.Error() != "impatient" {
			t.Errorf("Shutdown() = %v, want the context's cause", err)
		}
		if _, err := h.Publish("new", PublishOptions{}); !errors.Is(err, ErrShutdown) {
			t.Errorf("Publish() = %v, want ErrShutdown", err)
		}
		claim.Close()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != 5*time.Second+drain {
			t.Errorf("shut down after %v, want %v", took, 5*time.Second+drain)
		}
		if len(h.streams)+len(h.settling) != 0 {
			t.Error("streams are left")
		}
	})
}

// TestShutdownWaitsForSinks: a stream whose source has ended is waited for.
func TestShutdownWaitsForSinks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drained := false
		h := newHub(t, Config{Standing: []func(StreamInfo) Sink{func(StreamInfo) Sink {
			return sinkFunc(func(_ context.Context, s *Subscription) error {
				<-s.Done()
				time.Sleep(time.Second)
				drained = true
				return nil
			})
		}}})
		p, err := h.Publish("s", PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		go p.Run(t.Context(), sourceFunc(func(context.Context, *Publication) error { return nil }))
		<-p.Done()
		if err := h.Shutdown(t.Context()); err != nil || !drained {
			t.Errorf("Shutdown() = %v, the sink is done: %v", err, drained)
		}
	})
}
