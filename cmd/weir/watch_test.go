package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"

	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
	"weir/signaling"
	"weir/signaling/admin"
)

// frameSource writes one frame, and ends when the test has looked.
type frameSource struct{ look func() }

func (s frameSource) Run(_ context.Context, p *sfu.Publication) error {
	w, err := p.AddTracks(sfu.Frames, media.TrackInfo{ID: "audio", Codec: media.Opus})
	if err != nil {
		return err
	}
	w[0].WriteFrame(media.Frame{PTS: 1, Sync: true, Data: sfutest.OpusFrame(0, 50)})
	s.look()
	return nil
}

// TestWatch: what happens in the hub is told to the API's clients in the API's words,
// is counted, and the end of a stream is logged with what its recording failed with.
func TestWatch(t *testing.T) {
	hub, err := sfu.New(sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{func(sfu.StreamInfo) sfu.Sink { return failing{} }}})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	w := &watch{hub: hub, events: admin.NewEvents(), log: slog.New(slog.NewTextHandler(&log, nil))}
	api, err := admin.New(admin.Config{Hub: hub, Events: w.events})
	if err != nil {
		t.Fatal(err)
	}
	mux := signaling.NewRoutes(nil, nil)
	api.Register(mux)
	served := httptest.NewServer(mux)
	defer served.Close()
	listening, err := served.Client().Get(served.URL + "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Body.Close()

	stop := w.start()
	pub, err := hub.Publish("a/b", sfu.PublishOptions{Source: "websocket"})
	if err != nil {
		t.Fatal(err)
	}
	_ = pub.Run(t.Context(), frameSource{func() {
		sub, err := hub.Subscribe("a/b")
		if err != nil {
			t.Error(err)
			return
		}
		sub.Join()
		if got := figure(w.metrics(), "weir_viewers", ""); got != 1 {
			t.Errorf("%v viewers now", got)
		}
		sub.Close()
		title := "港から"
		if _, err := hub.Describe("a/b", sfu.TextsChange{Title: &title}); err != nil {
			t.Error(err)
		}
	}})
	stop()
	w.events.Close()

	var got []string
	for lines := bufio.NewScanner(listening.Body); lines.Scan(); {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e struct {
			Type   string
			Stream admin.Stream
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil || e.Stream.Name != "a/b" || e.Stream.Source != "websocket" {
			t.Errorf("%s: %v", data, err)
		}
		got = append(got, strings.TrimSpace(e.Type+" "+e.Stream.State+" "+e.Stream.Title))
	}
	if want := []string{"stream.claimed connecting", "stream.live live", "stream.updated live 港から", "stream.ended ended 港から"}; !slices.Equal(got, want) {
		t.Errorf("told: %q, want %q", got, want)
	}
	for event, want := range map[string]float64{
		"stream.claimed": 1, "stream.live": 1, "stream.waiting": 0, "stream.updated": 1, "stream.ended": 1, "viewer.joined": 1, "viewer.left": 1, "missed": 0,
	} {
		if got := figure(w.metrics(), "weir_events_total", event); got != want {
			t.Errorf("%s is counted %v times, want %v", event, got, want)
		}
	}
	if line := log.String(); !strings.Contains(line, `level=ERROR msg="stream ended" stream=a/b`) || !strings.Contains(line, "disk full") {
		t.Errorf("the log has %q", line)
	}
	w.publish(sfu.Event{Kind: sfu.EventsMissed, Missed: 7})
	if got := figure(w.metrics(), "weir_events_total", "missed"); got != 7 {
		t.Errorf("%v missed events are counted", got)
	}
}

// failing is a standing sink that fails.
type failing struct{}

func (failing) Run(_ context.Context, s *sfu.Subscription) error {
	<-s.Done()
	return errors.New("disk full")
}

// figure returns a sample of a metric: the one whose first label is that, or the only one.
func figure(metrics []admin.Metric, name, label string) float64 {
	for _, m := range metrics {
		for _, s := range m.Series {
			if m.Name == name && (label == "" || s.Labels[0].Value == label) {
				return s.Value
			}
		}
	}
	return -1
}
