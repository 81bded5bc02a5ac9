package rtp

import (
	"math/rand/v2"
	"testing"
	"time"

	"weir/sfu/media"
)

// TestTimelineByArrival: with jitter, packets are placed where the least delayed
// ones say, in order.
func TestTimelineByArrival(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	line := NewTimeline(media.VP8)
	last := time.Duration(-1)
	for i := range 900 {
		sent := time.Duration(i) * 33 * time.Millisecond
		delay := 20*time.Millisecond + time.Duration(rng.IntN(40))*time.Millisecond
		pts := place(line, 1<<32+uint64(media.VP8.Ticks(sent)), sent+delay)
		if pts <= last {
			t.Fatalf("frame %d: time steps from %v to %v", i, last, pts)
		}
		last = pts
		if off := pts - sent - 20*time.Millisecond - media.VP8.Duration(0); i > 300 && off.Abs() > 5*time.Millisecond {
			t.Fatalf("frame %d is placed %v from where the least delayed packets say", i, off)
		}
	}
}

// TestTimelineFollowsReports: two tracks whose packets arrive differently late
// come together once reports say how their clocks relate, without a step back.
func TestTimelineFollowsReports(t *testing.T) {
	var clock SenderClock
	audio, video := NewTimeline(media.Opus), NewTimeline(media.VP8)
	const audioStart, videoStart = uint64(1<<32 + 7000), uint64(1<<33 + 99)
	ntp := media.NTPTime(time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC))
	lastA, lastV := time.Duration(-1), time.Duration(-1)
	for i := range 1000 {
		sent := time.Duration(i) * 20 * time.Millisecond
		aTime := audioStart + uint64(media.Opus.Ticks(sent))
		vTime := videoStart + uint64(media.VP8.Ticks(sent))
		if i%50 == 10 { // a report each second, both tracks
			at := ntp + uint64(sent.Seconds()*(1<<32))
			if !audio.Report(aTime, clock.Observe(at, sent+5*time.Millisecond)) ||
				!video.Report(vTime, clock.Observe(at, sent+5*time.Millisecond)) {
				t.Fatal("a good report was refused")
			}
		}
		a := place(audio, aTime, sent+10*time.Millisecond)
		v := place(video, vTime, sent+90*time.Millisecond) // the encoder takes 80 ms longer
		if a <= lastA || v <= lastV {
			t.Fatalf("at %v time steps back", sent)
		}
		lastA, lastV = a, v
		if skew := (a - v).Abs(); sent > 15*time.Second && skew > time.Millisecond {
			t.Fatalf("at %v the tracks are %v apart", sent, skew)
		}
	}
}

func TestTimelineIgnoresWrongReport(t *testing.T) {
	line := NewTimeline(media.VP8)
	before := place(line, 1<<32, time.Second)
	if line.Report(1<<32, time.Hour) {
		t.Error("a report one hour off was used")
	}
	after := place(line, 1<<32+90, time.Second+time.Millisecond)
	if d := after - before; d != time.Millisecond {
		t.Errorf("after a wrong report time went on by %v, want 1ms", d)
	}
}

// TestTimelineJumpsAhead: an RTP clock that stood still for a while leaves a gap
// as long as the wall clock says.
func TestTimelineJumpsAhead(t *testing.T) {
	line := NewTimeline(media.VP8)
	at, rtp := time.Duration(0), uint64(1<<32)
	step := func(n int) (pts time.Duration) {
		for range n {
			pts = place(line, rtp, at)
			at += 100 * time.Millisecond
			rtp += 9000
		}
		return pts
	}
	step(100)
	at += 20 * time.Second
	if pts := step(120); (pts - (at - 100*time.Millisecond)).Abs() > 50*time.Millisecond {
		t.Errorf("after a pause of 20 s a frame of %v is placed at %v", at, pts)
	}
}
