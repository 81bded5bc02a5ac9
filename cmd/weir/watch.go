package main

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/signaling/admin"
)

// happened are the events of the hub that are counted, in the order of their metric's
// samples.
var happened = [...]sfu.EventKind{
	sfu.StreamClaimed, sfu.StreamLive, sfu.StreamWaiting, sfu.StreamResumed, sfu.StreamUpdated, sfu.StreamReplaced, sfu.StreamEnded,
	sfu.ViewerJoined, sfu.ViewerLeft, sfu.EventsMissed,
}

// watch reads what happens in the hub: it logs how streams end, tells the API's clients,
// and counts.
type watch struct {
	// set once
	hub    *sfu.Hub
	events *admin.Events
	log    *slog.Logger

	counts [len(happened)]atomic.Uint64
}

// start watches until stop, which returns when all is told that has happened.
func (w *watch) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	happens := w.hub.Watch(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range happens {
			w.publish(e)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// publish counts an event, passes it on to the API, and logs the end of a stream.
func (w *watch) publish(e sfu.Event) {
	for i, kind := range happened {
		if kind == e.Kind {
			w.counts[i].Add(max(1, e.Missed))
		}
	}
	w.events.PublishStream(e)
	switch e.Kind {
	case sfu.StreamDrained:
		w.drained(e.Stream, e.Err)
	case sfu.EventsMissed:
		w.log.Warn("events of streams and viewers were missed", "count", e.Missed)
	}
}

// drained logs the end of a stream: that of its publisher's session may have been long
// before.
func (w *watch) drained(i sfu.StreamInfo, err error) {
	log := w.log.With("stream", i.Name, "duration_ms", time.Since(i.StartedAt).Milliseconds())
	for _, t := range i.Tracks {
		if t.Sync.WrongRate && t.Info.Kind() == media.Audio {
			log.Warn("a track's clock has another rate than it says", "track", t.Info.ID, "skew_ppm", int64(math.Round(t.Sync.SkewPPM)))
		}
	}
	if err != nil {
		log.Error("stream ended", "reason", err)
		return
	}
	log.Info("stream ended")
}

// metrics are what has happened so far, and what there is now.
func (w *watch) metrics() []admin.Metric {
	events := admin.Metric{Name: "weir_events_total", Help: "What has happened to streams and viewers, by kind.", Counter: true}
	for i, kind := range happened {
		events.Series = append(events.Series, admin.Series{
			Labels: []admin.Label{{Name: "event", Value: kind.String()}}, Value: float64(w.counts[i].Load()),
		})
	}
	streams, viewers := w.hub.Streams(), 0
	for _, s := range streams {
		viewers += s.Viewers
	}
	return []admin.Metric{
		events,
		{Name: "weir_streams", Help: "Streams that have a name, live or not.", Series: []admin.Series{{Value: float64(len(streams))}}},
		{Name: "weir_viewers", Help: "Viewers of all streams.", Series: []admin.Series{{Value: float64(viewers)}}},
	}
}
