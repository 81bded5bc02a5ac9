package rtp_test

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// TestJumpUnderJitter: where a clock jumps just while the network holds its packets up,
// so that the first one tells the wrong place, all is where it belongs as soon as those
// behind it have come, whatever reports say or do not say.
func TestJumpUnderJitter(t *testing.T) {
	const (
		when   = 3 * time.Second
		jitter = 300 * ms
	)
	soon := func(_ media.Kind, at time.Duration) time.Duration { return at + networkDelay }
	afterwards := func(_ media.Kind, at time.Duration) time.Duration {
		if at < when && at > when-time.Second {
			at = max(at, when+jitter+30*ms)
		}
		return at + networkDelay
	}
	for name, reports := range map[string]scene{
		"no reports":               {},
		"each second":              {report: truth},
		"right before":             {report: truth, reports: []time.Duration{when - 10*ms}},
		"before, and again after":  {report: truth, reports: []time.Duration{time.Second, when + time.Second}},
		"made before, comes after": {report: truth, reports: []time.Duration{time.Second, when - 10*ms}, reported: afterwards},
		"held up as well":          {report: truth, reports: []time.Duration{time.Second, when + 100*ms}},
		"of the new clock, comes before its packets":     {report: truth, reports: []time.Duration{time.Second, when + 20*ms}, reported: soon},
		"the first one at all is of the new clock":       {report: truth, reports: []time.Duration{when + 500*ms}},
		"it is, and comes while packets are made up for": {report: truth, reports: []time.Duration{when + 20*ms, when + 310*ms}},
	} {
		for _, jumps := range []string{"video", "audio", "both"} {
			for _, by := range []time.Duration{500 * ms, 600 * ms, 3 * time.Second, 12 * time.Second, -500 * ms, -600 * ms, -3 * time.Second, -12 * time.Second} {
				for _, delayed := range []string{"it", "everything"} {
					// Time has to keep its order: what was placed later than it belongs, by the
					// jitter or before it was clear that the clock had jumped, is made up for
					// with each frame but for a millisecond.
					again := jitter + 100*ms
					if 0 < by && by < time.Second {
						again += by
					}
					t.Run(name+", "+jumps+" by "+by.String()+", delayed is "+delayed, func(t *testing.T) {
						t.Parallel()
						of := func(k media.Kind) bool { return jumps == "both" || jumps == k.String() }
						held := stall(when, jitter, 1000)
						sc := reports
						sc.length = when + 3*time.Second
						sc.clock = func(k media.Kind, at time.Duration) time.Duration {
							if of(k) && at >= when {
								at += by
							}
							return at
						}
						sc.arrives = func(k media.Kind, at time.Duration) time.Duration {
							if of(k) || delayed == "everything" {
								return held(k, at)
							}
							return soon(k, at)
						}
						_, packets := sc.play(t)
						wantPlaced(t, packets, 25*ms, func(made time.Duration) bool { return made < when || made > when+again })
					})
				}
			}
		}
	}
}

// TestFirstReportAfterAJump: what the first report of a new origin tells is followed at
// once, in both directions, if it can be true; from one that cannot nothing moves.
func TestFirstReportAfterAJump(t *testing.T) {
	const (
		when  = 5 * time.Second
		after = when + 3*time.Second // reports begin
		again = 400 * ms
	)
	for _, kind := range []media.Kind{media.Video, media.Audio} {
		for _, by := range []time.Duration{2 * time.Second, -2 * time.Second, 600 * ms, -600 * ms} {
			for _, tt := range []struct {
				name     string
				encoding time.Duration // of video, in truth
				lie      time.Duration // of the reports on the track that jumps
				since    time.Duration // reports
			}{
				{"an encoder takes 0.3 s, and it is the first one at all", 300 * ms, 0, after},
				{"an encoder takes 0.3 s", 300 * ms, 0, time.Second},
				{"made out of the RTP time", 0, by, time.Second},
				{"seconds too early", 0, -1500 * ms, after},
				{"seconds too late", 0, 1500 * ms, after},
			} {
				t.Run(tt.name+", "+kind.String()+" by "+by.String(), func(t *testing.T) {
					t.Parallel()
					_, packets := scene{
						length: after + 3*time.Second, clock: jump(kind, when, by),
						arrives: func(k media.Kind, at time.Duration) time.Duration {
							if k == media.Video {
								at += tt.encoding
							}
							return at + networkDelay
						},
						report: func(k media.Kind, at time.Duration) (time.Duration, bool) {
							if k == kind && (tt.lie != by || at >= when) {
								at += tt.lie
							}
							return at, at >= tt.since
						},
					}.play(t)
					if tt.encoding > 0 { // what has no new origin is slewed
						packets = map[media.Kind][]seen{kind: packets[kind]}
					}
					wantPlaced(t, packets, 25*ms, func(made time.Duration) bool { return made > after+again })
				})
			}
		}
	}
}
