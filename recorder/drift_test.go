package recorder

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/rtp"
)

// TestTenHours: over ten hours a sound card that is a little fast or slow keeps sound
// within 40 ms of its time, and what makes up for it is no loss; what is missing beside
// it is.
func TestTenHours(t *testing.T) {
	const length = 10 * time.Hour
	for _, tt := range []struct {
		ppm    float64
		frames int           // in a packet
		lost   time.Duration // sound that is missing as well
		want   string
	}{
		{-100, 3, 0, "clean"}, {100, 3, 0, "clean"}, {-300, 3, 0, "clean"}, {300, 3, 0, "clean"}, {0, 3, 0, "clean"},
		{-100, 1, 0, "clean"}, {100, 1, 0, "clean"}, {300, 6, 0, "clean"},
		{-100, 3, 1500 * time.Millisecond, "gaps"}, {0, 3, 1500 * time.Millisecond, "gaps"}, {100, 3, 1500 * time.Millisecond, "gaps"},
	} {
		format, _ := codec.For(media.Opus)
		timeline, filler := rtp.NewTimeline(media.Opus), format.NewFiller()
		c := collector{inputs: []*input{}}
		var filled, furthest time.Duration
		packet := opusPacket(1, tt.frames)
		each := time.Duration(float64(filler.Length(packet)) / (1 + tt.ppm/1e6))
		n, zero := uint64(0), time.Duration(-1)
		for at := time.Second; at < length; at += each {
			n++
			if at > length/2 && at < length/2+tt.lost {
				continue
			}
			_, pts := timeline.Place(rtp.Arrival{RTP: 1<<32 + n*uint64(tt.frames)*960, At: at, Begins: true, Heard: media.Never})
			if zero < 0 {
				zero = pts
			}
			_ = filler.Fill(pts-zero, func(s codec.Silence) error { filled += s.Duration; return nil })
			if !filler.Fits(pts - zero) {
				c.trim(filler.Length(packet))
				continue
			}
			filler.Add(pts-zero, packet)
			if at < length/2 || tt.lost == 0 {
				furthest = max(furthest, (filler.End() - filler.Length(packet) - (pts - zero)).Abs())
			}
		}
		if furthest > 40*time.Millisecond && tt.frames < 6 { // a packet of 120 ms is not to be had in parts
			t.Errorf("%v ppm, packets of %v: sound is %v from its time", tt.ppm, filler.Length(packet), furthest)
		}
		rate, known := timeline.Rate()
		rec := &Recording{State: Finished, DurationMS: milliseconds(length), Tracks: []Track{{ID: "audio", Filler: &Filler{DurationMS: milliseconds(filled)}}}}
		q := &Quality{FillerMS: milliseconds(filled), TrimmedMS: milliseconds(c.trimming)}
		q.drift(sfu.SyncStats{SkewPPM: rate.PPM, RateKnown: known, WrongRate: rate.Wrong}, rec.DurationMS)
		if got := c.verdict(rec, q); got != tt.want {
			t.Errorf("%v ppm, %v lost: the verdict is %s, want %s: filler %v, trimmed %v, of that %d ms by the clock, whose rate is %+v", tt.ppm, tt.lost, got, tt.want, filled, c.trimming, q.DriftMS, rate)
		}
		if made := q.FillerMS + q.TrimmedMS; tt.ppm != 0 && tt.lost == 0 && (made < 3000 || q.DriftMS < made-200) {
			t.Errorf("%v ppm: of %d ms %d are the clock's", tt.ppm, made, q.DriftMS)
		}
	}
}

// TestDrift: of a recording of ten minutes the sidecar tells which silence, or what that is
// left out, makes up for the clock.
func TestDrift(t *testing.T) {
	for _, ppm := range []float64{-450, 450} {
		t.Run(fmt.Sprint(ppm), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, _ := recordOf(t, t.TempDir(), soundOf{ppm: ppm, pace: 1, length: 10 * time.Minute, frames: 3})
				q := r.Quality
				if made := q.FillerMS + q.TrimmedMS; q.Verdict != "clean" || made < 200 || q.DriftMS < made-100 {
					t.Errorf("the quality is %+v", *q)
				}
			})
		})
	}
}

// TestTrimmed: sound that came and is not in the file, because what is before it was
// longer than its time, is missing when it is more than a second.
func TestTrimmed(t *testing.T) {
	for _, tt := range []struct {
		extra time.Duration // of sound that comes at once with the rest
		want  string
	}{{600 * time.Millisecond, "clean"}, {2 * time.Second, "gaps"}} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			r, hub := newTest(t, dir)
			publish(t, hub, "a", both, func(b *broadcast) {
				n := 0
				for at := time.Duration(0); at < 20*time.Second; at += audioStep {
					if at%videoStep == 0 {
						b.video(int(at/videoStep), at)
					}
					b.audio(n, at)
					n++
					if at >= 5*time.Second && at < 5*time.Second+tt.extra { // twice as much as there is time for
						b.audio(n, at+time.Millisecond)
						n++
					}
					time.Sleep(audioStep)
				}
			})
			rec, _ := only(t, r, dir)
			if q := rec.Quality; q.Verdict != tt.want || q.TrimmedMS < milliseconds(tt.extra)-100 || q.TrimmedMS > milliseconds(tt.extra) || q.FillerMS > 0 {
				t.Errorf("%v too much: %+v", tt.extra, *q)
			}
		})
	}
}
