package main

import (
	"context"
	"time"

	"weir/recorder"
	"weir/sfu"
	"weir/sfu/poster"
	"weir/signaling/admin"
	"weir/signaling/posters"
)

// startPosters has pictures taken of the streams until stop, which waits for the one that
// is being made.
func startPosters(g *poster.Gallery) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = g.Run(ctx) // it ends by ctx only
	}()
	return func() {
		cancel()
		<-done
	}
}

// posterPath is where the poster of a stream is, if it has one.
func (a *app) posterPath(i sfu.StreamInfo) (string, bool) {
	p, ok := a.posters.Poster(i.ID)
	return posters.Path(i.Name, p.Version), ok
}

// recordedPoster is the newest picture of a live stream, for its recording.
func (a *app) recordedPoster(streamID string, since time.Time) (recorder.Poster, bool) {
	p, ok := a.posters.Since(streamID, since)
	return recorder.Poster{JPEG: p.JPEG, Shown: p.Shown}, ok
}

// posterMetrics tell what became of the pictures that were due, and what they cost.
func posterMetrics(g *poster.Gallery) []admin.Metric {
	m := admin.Metric{Name: "weir_posters_total", Help: "Pictures of streams that were due or sent, by what became of them.", Counter: true}
	for _, o := range g.Outcomes() {
		m.Series = append(m.Series, admin.Series{Labels: []admin.Label{{Name: "outcome", Value: o.Name}}, Value: float64(o.Count)})
	}
	return []admin.Metric{m, {
		Name: "weir_posters_cpu_seconds_total", Help: "Processor time that pictures of streams have taken.", Counter: true,
		Series: []admin.Series{{Value: g.Spent().Seconds()}},
	}}
}
