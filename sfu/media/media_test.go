package media

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestTicksAndDuration(t *testing.T) {
	tests := []struct {
		codec Codec
		d     time.Duration
		ticks int64
	}{
		{VP8, 0, 0},
		{VP8, time.Second, 90000},
		{VP8, time.Millisecond, 90},
		{VP8, -time.Millisecond, -90},
		{VP8, 33333333 * time.Nanosecond, 3000},
		{Opus, 20 * time.Millisecond, 960},
		{Opus, 400 * 24 * time.Hour, 400 * 24 * 3600 * 48000},
	}
	for _, tt := range tests {
		if got := tt.codec.Ticks(tt.d); got != tt.ticks {
			t.Errorf("%v.Ticks(%v) = %d, want %d", tt.codec, tt.d, got, tt.ticks)
		}
		if got := tt.codec.Duration(tt.ticks); (got - tt.d).Abs() > time.Microsecond {
			t.Errorf("%v.Duration(%d) = %v, want %v", tt.codec, tt.ticks, got, tt.d)
		}
	}
}

func TestUnwrapSequence(t *testing.T) {
	const base = uint64(1) << 32
	tests := []struct {
		name string
		in   []uint16
		want []uint64
	}{
		{"in order", []uint16{5, 6, 7}, []uint64{base + 5, base + 6, base + 7}},
		{"wraps", []uint16{65534, 65535, 0, 1}, []uint64{base + 65534, base + 65535, base + 65536, base + 65537}},
		{"late after the wrap", []uint16{65535, 1, 0, 65534}, []uint64{base + 65535, base + 65537, base + 65536, base + 65534}},
		{"before the first", []uint16{0, 65535}, []uint64{base, base - 1}},
		{"forward jump", []uint16{0, 32767}, []uint64{base, base + 32767}},
		{"half a turn is backward", []uint16{0, 32768}, []uint64{base, base - 32768}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var u Unwrapper[uint16]
			for i, v := range tt.in {
				if got := u.Unwrap(v); got != tt.want[i] {
					t.Fatalf("Unwrap(%d), the value at %d, = %d, want %d", v, i, got, tt.want[i])
				}
			}
		})
	}
}

func TestUnwrapManyTurns(t *testing.T) {
	var u Unwrapper[uint32]
	start := uint32(1<<32 - 1000)
	first := u.Unwrap(start)
	for i := uint64(1); i < 40; i++ {
		step := i << 28 // 1/16 of a turn each
		if got := u.Unwrap(start + uint32(step)); got != first+step {
			t.Fatalf("after %d steps: %d, want %d", i, got, first+step)
		}
	}
}

// TestTimelineByArrival: with jitter, packets are placed where the least delayed
// ones say, in order.
func TestTimelineByArrival(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	line := NewTimeline(VP8)
	last := time.Duration(-1)
	for i := range 900 {
		sent := time.Duration(i) * 33 * time.Millisecond
		delay := 20*time.Millisecond + time.Duration(rng.IntN(40))*time.Millisecond
		pts := place(line, 1<<32+uint64(VP8.Ticks(sent)), sent+delay)
		if pts <= last {
			t.Fatalf("frame %d: time steps from %v to %v", i, last, pts)
		}
		last = pts
		if off := pts - sent - 20*time.Millisecond - VP8.Duration(0); i > 300 && off.Abs() > 5*time.Millisecond {
			t.Fatalf("frame %d is placed %v from where the least delayed packets say", i, off)
		}
	}
}

// TestTimelineFollowsReports: two tracks whose packets arrive differently late
// come together once reports say how their clocks relate, without a step back.
func TestTimelineFollowsReports(t *testing.T) {
	var clock SenderClock
	audio, video := NewTimeline(Opus), NewTimeline(VP8)
	const audioStart, videoStart = uint64(1<<32 + 7000), uint64(1<<33 + 99)
	ntp := NTPTime(time.Date(2026, 1, 2, 3, 4, 5, 600, time.UTC))
	lastA, lastV := time.Duration(-1), time.Duration(-1)
	for i := range 1000 {
		sent := time.Duration(i) * 20 * time.Millisecond
		aTime := audioStart + uint64(Opus.Ticks(sent))
		vTime := videoStart + uint64(VP8.Ticks(sent))
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
	line := NewTimeline(VP8)
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
	line := NewTimeline(VP8)
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

func TestNTP(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)
	got := NTPDuration(NTPTime(now))
	want := time.Duration(now.Unix()+ntpUnix)*time.Second + 123456789
	if (got - want).Abs() > 2 {
		t.Errorf("round trip differs by %v", got-want)
	}
}

func TestKinds(t *testing.T) {
	for codec, want := range map[Codec]string{Opus: "audio", VP8: "video", VP9: "video", AV1: "video", H264: "video"} {
		if got := (TrackInfo{Codec: codec}).Kind().String(); got != want {
			t.Errorf("%v is %s, want %s", codec, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	for codec, want := range map[Codec]string{0: "none", Opus: "opus", VP8: "vp8", VP9: "vp9", AV1: "av1", H264: "h264"} {
		if got := codec.String(); got != want {
			t.Errorf("codec %d is called %q, want %q", codec, got, want)
		}
		if rate := codec.ClockRate(); codec.Kind() == Video && rate != 90000 {
			t.Errorf("%v has a clock of %d Hz", codec, rate)
		}
	}
}
