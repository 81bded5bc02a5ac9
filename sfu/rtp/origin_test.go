package rtp

import (
	"math/rand/v2"
	"testing"
	"time"

	"weir/sfu/media"
)

// TestTimelineOfAnything: whatever the RTP times are, they go on, what is placed keeps
// its order, and nothing is placed far ahead of its arrival.
func TestTimelineOfAnything(t *testing.T) {
	for seed := range uint64(200) {
		dice := rand.New(rand.NewPCG(seed, 1))
		line := NewTimeline(media.VP8)
		var clock stamps
		var now, last time.Duration
		var before uint64
		stamp := dice.Uint32()
		for seq := range uint64(2000) {
			now += time.Duration(dice.Int64N(int64(40 * time.Millisecond)))
			switch dice.IntN(20) {
			case 0:
				stamp = dice.Uint32()
			case 1:
				stamp += dice.Uint32N(1 << 20)
			case 2:
				stamp -= dice.Uint32N(1 << 20)
			case 3:
				line.Report(clock.Time(seq, dice.Uint32()), now+time.Duration(dice.Int64N(int64(4*time.Second)))-2*time.Second)
			case 4:
				now += time.Duration(dice.Int64N(int64(4 * time.Second)))
			default:
				stamp += dice.Uint32N(6000)
			}
			heard := media.Never
			if dice.IntN(2) == 0 {
				heard = now - 20*time.Millisecond
			}
			rtp, pts := line.Place(Arrival{RTP: clock.Time(seq, stamp), At: now, Begins: true, Heard: heard})
			clock.Advance(seq, stamp, rtp)
			if clock.Time(seq, stamp) != rtp {
				t.Fatalf("seed %d: packet %d is not found again", seed, seq)
			}
			if rtp > before && pts < last {
				t.Fatalf("seed %d: packet %d is placed at %v, after %v", seed, seq, pts, last)
			}
			if ahead := pts - now; ahead > startAhead+100*time.Millisecond {
				t.Fatalf("seed %d: packet %d is placed %v ahead of its arrival", seed, seq, ahead)
			}
			if rtp > before {
				before, last = rtp, pts
			}
		}
	}
}

// TestNoRate: a delay that changes, or is never the same, is no rate of a clock.
func TestNoRate(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 1))
	for name, delay := range map[string]func(at time.Duration) time.Duration{
		"more at once":  func(at time.Duration) time.Duration { return at / (10 * time.Second) * 150 * time.Millisecond },
		"less at once":  func(at time.Duration) time.Duration { return -(at / (15 * time.Second)) * 300 * time.Millisecond },
		"jitter":        func(time.Duration) time.Duration { return time.Duration(dice.Int64N(int64(100 * time.Millisecond))) },
		"a queue fills": func(at time.Duration) time.Duration { return min(max(0, at-8*time.Second)/10, 300*time.Millisecond) },
	} {
		line := NewTimeline(media.Opus)
		for at := time.Duration(0); at < 25*time.Second; at += 20 * time.Millisecond {
			place(line, uint64(1<<32)+uint64(media.Opus.Ticks(at)), at+delay(at))
			if r, ok := line.Rate(); ok && r.Wrong {
				t.Fatalf("%s: at %v the clock is off by %.0f ppm", name, at, r.PPM)
			}
		}
	}
}

// TestStamps: packets have the times of the origin that they belong to.
func TestStamps(t *testing.T) {
	var c stamps
	if got := c.Time(1, 7); got != epoch+7 {
		t.Errorf("the first time is %d", got)
	}
	c.Advance(100, 1<<32-10, epoch)
	c.Advance(101, 10, epoch+20)    // over the end of the counter
	c.Advance(110, 5000, epoch+100) // a new origin
	c.Advance(111, 5020, epoch+120)
	c.Advance(120, 1<<31, epoch+200) // and another one
	for _, tt := range []struct {
		seq       uint64
		timestamp uint32
		want      uint64
	}{
		{99, 1<<32 - 30, epoch - 20}, {100, 1<<32 - 10, epoch}, {101, 10, epoch + 20},
		{102, 30, epoch + 40}, {109, 4980, epoch + 80}, {109, 70, epoch + 80},
		{110, 5000, epoch + 100}, {112, 5040, epoch + 140}, {119, 1<<31 - 20, epoch + 180}, {121, 1<<31 + 20, epoch + 220},
	} {
		if got := c.Time(tt.seq, tt.timestamp); got != tt.want {
			t.Errorf("Time(%d, %d) = epoch%+d, want %+d", tt.seq, tt.timestamp, int64(got-epoch), int64(tt.want-epoch))
		}
	}
	// A clock that was placed late is put back with each frame, and what was lost is sent
	// again meanwhile.
	for n := range uint64(60) {
		c.Advance(200+2*n, 5000+uint32(n)*960, epoch+1000+n*48)
	}
	for n := range uint64(60) {
		if got := c.Time(200+2*n, 5000+uint32(n)*960); got != epoch+1000+n*48 {
			t.Errorf("of 60 origins packet %d has epoch%+d, want %+d", n, int64(got-epoch), 1000+n*48)
		}
	}
	for n := range uint64(2 * maxOrigins) { // only so many are remembered
		c.Advance(400+n, uint32(n)<<28, epoch+9000+n)
	}
	last := uint64(2*maxOrigins - 1)
	if got := c.Time(400+last, uint32(last)<<28); got != epoch+9000+last {
		t.Errorf("after many origins the newest packet has epoch%+d", int64(got-epoch))
	}
}

// TestSenderClock: reports that say that the clock is far ahead are believed when they go
// on, and no other one contradicts them.
func TestSenderClock(t *testing.T) {
	const delay = 20 * time.Millisecond
	for _, tt := range []struct {
		name  string
		ahead func(second int) time.Duration
		want  time.Duration // how much later than it was made the last report is placed
	}{
		{"true", func(int) time.Duration { return 0 }, delay},
		{"one of two is 0.6 s ahead", func(second int) time.Duration { return time.Duration(second%2) * 600 * time.Millisecond }, delay},
		{"the clock is put ahead", func(int) time.Duration { return 600 * time.Millisecond }, delay},
		{"the clock was put ahead a while ago", func(second int) time.Duration {
			if second < 20 {
				return 0
			}
			return 600 * time.Millisecond
		}, delay},
		{"the clock was put ahead just now", func(second int) time.Duration {
			if second < 37 {
				return 0
			}
			return 600 * time.Millisecond
		}, delay + 600*time.Millisecond},
	} {
		var c SenderClock
		var at time.Duration
		for second := range 41 {
			made := time.Duration(second) * time.Second
			ntp := media.NTPTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(made + tt.ahead(second)))
			at = c.Observe(ntp, made+delay) - made
		}
		if (at - tt.want).Abs() > time.Millisecond {
			t.Errorf("%s: a report is placed %v from when it was made, want %v", tt.name, at, tt.want)
		}
	}
}

// TestReportsAfterAJump: reports that place a track long before its packets arrive, and
// behind a jump of its clock others, are followed once, and no new origin comes of it.
func TestReportsAfterAJump(t *testing.T) {
	for _, before := range []time.Duration{20, 100, 300, 500, 700, 900} {
		for _, after := range []time.Duration{20, 500, 800, 950} {
			line, clock := NewTimeline(media.Opus), stamps{}
			jumps, crushed := 0, 0
			timestamp, last := uint32(1000), uint64(0)
			for n := range 2000 {
				at := time.Second + time.Duration(n)*20*time.Millisecond
				early := before * time.Millisecond
				if timestamp += 960; n >= 500 {
					early = after * time.Millisecond
				}
				if n == 500 {
					timestamp += 100 * 48000
				}
				rtp, _ := line.Place(Arrival{RTP: clock.Time(uint64(n+1), timestamp), At: at, Begins: true, Heard: at - 20*time.Millisecond})
				if line.Jumped() {
					jumps++
					clock.Jump()
				}
				clock.Advance(uint64(n+1), timestamp, rtp)
				if n > 1000 && rtp-last < 480 {
					crushed++
				}
				last = rtp
				if n%50 == 10 {
					line.Report(line.Belongs(clock.Time(1<<62, timestamp)), at-early)
				}
			}
			if jumps > 1 || crushed > 0 {
				t.Errorf("reports %d ms early, then %d: %d jumps, %d frames crushed", before, after, jumps, crushed)
			}
		}
	}
}
