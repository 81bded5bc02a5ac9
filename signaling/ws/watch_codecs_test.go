package ws

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// oneFrame is a Source that writes one keyframe of a codec every 40 ms.
type oneFrame struct {
	codec media.Codec
	why   error // of its end
	stop  chan struct{}
}

func (o oneFrame) Run(_ context.Context, pub *sfu.Publication) error {
	writers, err := pub.AddTracks(sfu.Frames, media.TrackInfo{ID: "video", Codec: o.codec})
	if err != nil {
		return err
	}
	w := writers[0]
	tick := time.NewTicker(40 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		w.WriteFrame(media.Frame{PTS: max(pub.Now(), pub.Edge()+time.Millisecond), Sync: true, Data: sfutest.Frame(o.codec, n, true, 500)})
		select {
		case <-tick.C:
		case <-o.stop:
			return o.why
		}
	}
}

// TestWatchCodecs: who watches is told the exact type, also of VP9 and AV1. H264
// is not for WebM: there the error says how it can be watched.
func TestWatchCodecs(t *testing.T) {
	for c, want := range map[media.Codec]string{media.VP8: `codecs="vp8"`, media.VP9: `codecs="vp`, media.AV1: `codecs="av01.`, media.H264: ""} {
		t.Run(c.String(), func(t *testing.T) {
			s := newWatchServer(t, Config{})
			pub, err := s.hub.Publish("a", sfu.PublishOptions{Source: "websocket"})
			if err != nil {
				t.Fatal(err)
			}
			src := oneFrame{codec: c, stop: make(chan struct{})}
			done := make(chan struct{})
			go func() {
				defer close(done)
				pub.Run(context.Background(), src)
			}()
			var e event
			for e.Type == "" || e.Type == "waiting" { // it may have come first
				e = s.event(t, "a")
			}
			if want != "" && (e.Type != "init" || !strings.Contains(e.MIME, want)) || want == "" && (e.Type != "error" || e.Status != 422 || !strings.Contains(e.Detail, "h264")) {
				t.Errorf("told %+v", e)
			}
			close(src.stop)
			<-done
		})
	}
}

// event connects and returns the first event.
func (s *watchServer) event(t *testing.T, name string) (e event) {
	t.Helper()
	conn := s.dial(name)
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(watchPatience))
	if err := conn.ReadJSON(&e); err != nil {
		t.Fatal(err)
	}
	return e
}

// TestWatchWaiting: while the publisher is lost, and may come back, viewers are
// told; when it does, they get what follows on the same timeline.
func TestWatchWaiting(t *testing.T) {
	s := newWatchServer(t, Config{})
	hub, err := sfu.New(sfu.Config{Grace: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	s.hub, s.endpoint.config.Hub = hub, hub
	publish := func(why error) (end func()) {
		pub, err := hub.Publish("a", sfu.PublishOptions{Source: "websocket"})
		if err != nil {
			t.Fatal(err)
		}
		src := oneFrame{codec: media.VP8, why: why, stop: make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			pub.Run(context.Background(), src)
		}()
		return sync.OnceFunc(func() {
			close(src.stop)
			<-done
		})
	}
	end := publish(sfu.ErrLost)
	defer func() { end() }()
	for i, err := hub.Stream("a"); err != nil || !i.Live; i, err = hub.Stream("a") {
		time.Sleep(time.Millisecond)
	}
	w := s.watch("a", `{"type":"hello"}`)
	w.has(0, "init")
	w.until("a picture", func() bool { return len(w.frames) > 3 })
	lost := time.Now()
	end()
	w.has(1, "waiting")
	if took := time.Since(lost); took > feedAway {
		t.Logf("it was told after %v", took)
	}
	w.mu.Lock()
	before := len(w.frames)
	w.mu.Unlock()
	end = publish(nil)
	w.until("pictures again", func() bool { return len(w.frames) > before+3 })
	w.mu.Lock()
	for i := 1; i < len(w.frames); i++ {
		if w.frames[i].Time <= w.frames[i-1].Time {
			t.Errorf("picture %d goes from %v to %v", i, w.frames[i-1].Time, w.frames[i].Time)
		}
	}
	w.mu.Unlock()
	end()
	end = func() {}
	w.has(2, "ended")
}
