package rtp

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"weir/sfu/media"
)

// drifting is one track of a publisher whose clocks are not ours: its wall clock
// runs at one rate, the clock that samples the track at another.
type drifting struct {
	codec    media.Codec
	interval time.Duration // of frames, by its sampling clock
	ppm      float64       // of the sampling clock
	line     *Timeline
	start    uint64 // RTP time of the first frame
	frames   int
}

// rtp is the RTP time of an instant, and at the instant of the n-th frame.
func (d *drifting) rtp(at time.Duration) uint64 {
	return d.start + uint64(math.Round(at.Seconds()*(1+d.ppm/1e6)*float64(d.codec.Ticks(time.Second))))
}

func (d *drifting) at(n int) time.Duration {
	return time.Duration(float64(n) * float64(d.interval) / (1 + d.ppm/1e6))
}

// place places the next frame, of one packet, of a track that is alone.
func place(t *Timeline, rtp uint64, arrival time.Duration) time.Duration {
	_, pts := t.Place(Arrival{RTP: rtp, At: arrival, Begins: true, Heard: media.Never})
	return pts
}

// TestSyncOverHours: a flash and a beep each second, seen by a camera and heard by
// a microphone whose clocks are 200 ppm off, each in another direction, for ten
// hours. In the recording they are at most 20 ms from one another at every moment,
// before the first report, too, and hardly further from when they were.
func TestSyncOverHours(t *testing.T) {
	const (
		length = 10 * time.Hour
		most   = 20 * time.Millisecond
		jitter = 15 * time.Millisecond // of the network, on top of its delay
		delay  = 40 * time.Millisecond
		wall   = -200.0 // ppm of the publisher's wall clock
	)
	for name, reports := range map[string]func(n int) bool{
		"reports each 2 s": func(int) bool { return true },
		"one of ten comes": func(n int) bool { return n%10 == 0 },
		"from a minute on": func(n int) bool { return n > 30 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(1, 2))
			late := func() time.Duration { return delay + time.Duration(dice.Int64N(int64(jitter))) }
			var clock SenderClock
			video := &drifting{codec: media.VP8, interval: 40 * time.Millisecond, ppm: 200, line: NewTimeline(media.VP8), start: 1 << 40}
			audio := &drifting{codec: media.Opus, interval: 20 * time.Millisecond, ppm: -200, line: NewTimeline(media.Opus), start: 1 << 33}
			// Where the first picture is placed has the network's delay in it: an instant
			// counts from there.
			origin := time.Duration(math.MinInt64)
			var worst, away, last time.Duration
			next := 2 * time.Second
			nextReport := 0
			for second := time.Duration(0); second < length; second += time.Second {
				// PTS of what was seen and heard at that instant, interpolated between frames.
				var pts [2]time.Duration
				for i, d := range []*drifting{video, audio} {
					for d.at(d.frames) <= second {
						at := d.at(d.frames)
						pts[i] = place(d.line, d.rtp(at), at+late()) + (second - at)
						d.frames++
					}
				}
				if second >= next {
					next += 2 * time.Second
					nextReport++
					if reports(nextReport) {
						ntp := uint64((second.Seconds()*(1+wall/1e6) + 3e9) * (1 << 32))
						arrival := second + late()
						for _, d := range []*drifting{video, audio} {
							if !d.line.Report(d.rtp(second), clock.Observe(ntp, arrival)) {
								t.Fatalf("a report at %v is refused", second)
							}
						}
					}
				}
				if origin == math.MinInt64 {
					origin = pts[0] - second
				}
				worst = max(worst, (pts[0] - pts[1]).Abs())
				if off := (pts[0] - second - origin).Abs(); off > away {
					away, last = off, second
				}
			}
			t.Logf("picture and sound are %v apart at most, and %v from when they were, at %v", worst, away, last)
			if worst > most {
				t.Errorf("picture and sound are up to %v apart", worst)
			}
			// The first packet is placed by when it came, jitter and all; against that,
			// nothing adds up over the hours.
			if away > most+jitter {
				t.Errorf("the picture is up to %v from when it was, at %v", away, last)
			}
		})
	}
}
