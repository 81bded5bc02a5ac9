package whip

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/media"
)

// TestWaiters: a viewer waits for a publisher that is connecting, but not for ever,
// not where nobody is, and not when there are too many.
func TestWaiters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hub, err := sfu.New(sfu.Config{})
		if err != nil {
			t.Fatal(err)
		}
		var w waiters
		await := func(ctx context.Context) (time.Duration, error) {
			start := time.Now()
			err := w.await(ctx, hub, "s")
			return time.Since(start), err
		}
		if took, err := await(t.Context()); !errors.Is(err, sfu.ErrNotLive) || took > 0 {
			t.Errorf("where nobody is: %v after %v", err, took)
		}
		pub, err := hub.Publish("s", sfu.PublishOptions{})
		if err != nil {
			t.Fatal(err)
		}
		writers, err := pub.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: media.VP8})
		if err != nil {
			t.Fatal(err)
		}
		writer := writers[0]
		if took, err := await(t.Context()); !errors.Is(err, sfu.ErrNotLive) || took != connectingWait {
			t.Errorf("a publisher without media: %v after %v", err, took)
		}
		left, leave := context.WithTimeout(t.Context(), time.Second)
		defer leave()
		if took, err := await(left); err == nil || took != time.Second {
			t.Errorf("a viewer that leaves: %v after %v", err, took)
		}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := await(gone); !errors.Is(err, sfu.ErrNotLive) {
			t.Errorf("a viewer that has left: %v", err)
		}

		results := make(chan error, maxWaiting)
		for range maxWaiting {
			go func() { results <- w.await(t.Context(), hub, "s") }()
		}
		synctest.Wait()
		if took, err := await(t.Context()); !errors.Is(err, sfu.ErrNotLive) || took > 0 {
			t.Errorf("one too many: %v after %v", err, took)
		}
		time.Sleep(time.Second)
		writer.WriteFrame(media.Frame{Sync: true, Data: []byte{0x10, 2, 0, 0x9d, 1, 0x2a, 16, 0, 16, 0}})
		for range maxWaiting {
			if err := <-results; err != nil {
				t.Fatalf("the publisher is live: %v", err)
			}
		}
		if took, err := await(t.Context()); err != nil || took > 0 {
			t.Errorf("a live stream: %v after %v", err, took)
		}
		pub.Close()

		if pub, err = hub.Publish("s", sfu.PublishOptions{}); err != nil {
			t.Fatal(err)
		}
		go func() { results <- w.await(t.Context(), hub, "s") }()
		synctest.Wait()
		pub.Close()
		if err := <-results; !errors.Is(err, sfu.ErrNotLive) {
			t.Errorf("the publisher gives up: %v", err)
		}

		if pub, err = hub.Publish("s", sfu.PublishOptions{}); err != nil {
			t.Fatal(err)
		}
		defer pub.Close()
		go func() { results <- w.await(t.Context(), hub, "s") }()
		synctest.Wait()
		w.shutdown()
		if err := <-results; !errors.Is(err, sfu.ErrShutdown) {
			t.Errorf("a shutdown: %v", err)
		}
		if took, err := await(t.Context()); !errors.Is(err, sfu.ErrShutdown) || took > 0 {
			t.Errorf("after a shutdown: %v after %v", err, took)
		}
		if len(w.all) != 0 {
			t.Errorf("%d are still waiting", len(w.all))
		}
	})
}
