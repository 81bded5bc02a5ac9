package sfu

import (
	"math"
	"time"

	"weir/sfu/media"
)

// What the tracks of a stream tell one another of the clocks, and what is told of
// them outside. The placing itself is media.Timeline's.

// heard returns when a packet of another track than t last came on time.
func (s *stream) heard(t *Track) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := time.Duration(media.Never)
	for _, other := range s.tracks {
		if other != t {
			last = max(last, time.Duration(other.heard.Load()))
		}
	}
	return last
}

// senderTime places the publisher's NTP time on the stream's clock.
func (s *stream) senderTime(ntp uint64, arrival time.Duration) time.Duration {
	s.clockMu.Lock()
	defer s.clockMu.Unlock()
	return s.clock.Observe(ntp, arrival)
}

// useReport hands a sender report that has come since the last packet to the
// timeline.
func (w *TrackWriter) useReport() {
	if w.report.Load() == nil || w.highest == 0 {
		return // nothing tells yet whether the report can be right
	}
	report := w.report.Swap(nil)
	rtp := w.timeline.Belongs(w.rtp.Time(math.MaxUint64, report.rtp))
	if before, ok := w.rtp.Before(report.rtp); ok && report.arrival < w.origin+staleReport &&
		w.timeline.Misfit(before, report.at) < w.timeline.Misfit(rtp, report.at) {
		return // it is of the clock before
	}
	if !w.timeline.Report(rtp, report.at) {
		w.track.counters.badReports.Add(1)
		return
	}
	s := w.track.counters.syncStats()
	if s.Reports == 0 {
		s.First = w.track.stream.started.Add(report.at)
	}
	s.Reports++
	s.Off = w.timeline.Off()
	w.track.counters.sync.Store(&s)
}

// countRate notes how fast the publisher's clock runs, if that is known.
func (w *TrackWriter) countRate() {
	rate, ok := w.timeline.Rate()
	if !ok {
		return
	}
	c := &w.track.counters
	c.skew.Store(math.Float64bits(rate.PPM))
	if rate.Wrong {
		c.rate.Store(rateWrong)
	} else {
		c.rate.Store(rateKnown)
	}
}
