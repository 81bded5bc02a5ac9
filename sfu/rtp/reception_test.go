package rtp

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// receiving is a reception with the numbers of its stream.
type receiving struct {
	reception
	numbers numbers
}

func newReception() *receiving { return &receiving{reception: reception{codec: media.VP8}} }

// packet takes in a packet with a number that wraps.
func (r *receiving) packet(seq uint16, timestamp uint32, at time.Duration) {
	number, _ := r.numbers.place(&Packet{Seq: seq, Arrival: at})
	r.reception.packet(number, timestamp, at)
}

// got takes in packets that come at one time, on a clock that stands still.
func (r *receiving) got(numbers ...uint16) {
	for _, seq := range numbers {
		r.packet(seq, 0, 0)
	}
}

// TestReceptionLoss: what is reported of losses, at the end of each interval, by RFC
// 3550 section 6.4.1 and appendix A.3.
func TestReceptionLoss(t *testing.T) {
	type interval struct {
		numbers  []uint16
		fraction uint8
		lost     uint32
		highest  uint32
	}
	for _, tt := range []struct {
		name      string
		intervals []interval
	}{
		{"nothing lost", []interval{{[]uint16{10, 11, 12}, 0, 0, 12}, {[]uint16{13}, 0, 0, 13}}},
		{"one of four", []interval{{[]uint16{10, 11, 13}, 64, 1, 13}, {[]uint16{14, 15}, 0, 1, 15}}},
		{"all but one of an interval", []interval{{[]uint16{1}, 0, 0, 1}, {[]uint16{301}, 255, 299, 301}}},
		{"no packet in an interval", []interval{{[]uint16{1, 2}, 0, 0, 2}, {nil, 0, 0, 2}, {[]uint16{3}, 0, 0, 3}}},
		{"in disorder", []interval{{[]uint16{3, 5, 4, 7, 6}, 0, 0, 7}}},
		{"late, in the next interval", []interval{{[]uint16{1, 2, 4}, 64, 1, 4}, {[]uint16{3, 5}, 0, 0, 5}}},
		// Expected 1 in the second interval, and 2 came: the fraction is not negative.
		{"before the first one", []interval{{[]uint16{5, 6}, 0, 0, 6}, {[]uint16{4, 7}, 0, 0, 7}}},
		// 5 of 4: that more came than were sent is told as 0, not as 2^24 - 1.
		{"twice", []interval{{[]uint16{1, 2, 2, 3, 4}, 0, 0, 4}, {[]uint16{6}, 128, 0, 6}, {[]uint16{8}, 128, 1, 8}}},
		// 65534, 65535, 0, 1, 2 of which 65535 and 1 are lost; the cycle counts 65536.
		{"wrap", []interval{{[]uint16{65534, 0, 2}, 102, 2, 65536 + 2}, {[]uint16{65535, 3}, 0, 1, 65536 + 3}}},
	} {
		r := newReception()
		for i, in := range tt.intervals {
			r.got(in.numbers...)
			got, ok := r.report(7, 0)
			if !ok || got.SSRC != 7 || got.FractionLost != in.fraction || got.TotalLost != in.lost || got.LastSequenceNumber != in.highest {
				t.Errorf("%s: interval %d: %+v, want %d/256, %d, %d", tt.name, i, got, in.fraction, in.lost, in.highest)
			}
		}
	}
}

// TestReceptionMuchLost: the number of lost packets has 24 bits, with a sign.
func TestReceptionMuchLost(t *testing.T) {
	r := newReception()
	for n := range 600 { // two come in each turn of 65536
		r.got(uint16(n * 32000))
	}
	got, _ := r.report(1, 0)
	if _, err := got.Marshal(); err != nil || got.TotalLost != 1<<23-1 {
		t.Errorf("%d are lost: %v", got.TotalLost, err)
	}
}

// TestReceptionJitter: packets of 20 ms, 1800 ticks, by the arithmetic of appendix A.8.
func TestReceptionJitter(t *testing.T) {
	r := newReception()
	const start = 1<<32 - 3600 // the RTP clock wraps
	for i, step := range []struct {
		at     time.Duration
		jitter uint32 // 16 times
	}{
		{0, 0},
		{20 * ms, 0},
		{50 * ms, 900},  // 10 ms late: 0 + 900 - (0+8)/16
		{60 * ms, 1744}, // in time again: 900 + 900 - (900+8)/16
		{80 * ms, 1635}, // 1744 + 0 - (1744+8)/16
		{95 * ms, 1983}, // 5 ms early: 1635 + 450 - (1635+8)/16
	} {
		r.packet(uint16(i), uint32(start+1800*i), step.at)
		got, _ := r.report(1, step.at)
		if r.jitter != step.jitter || got.Jitter != step.jitter/16 {
			t.Errorf("packet %d: jitter %d/16, want %d/16; reported %d", i, r.jitter, step.jitter, got.Jitter)
		}
	}
}

// TestReceptionReports: the newest sender report is told by the middle of its NTP
// time, and how long ago it came in units of 1/65536 s.
func TestReceptionReports(t *testing.T) {
	r := newReception()
	r.senderReport(0x1122334455667788, 3*time.Second)
	if _, ok := r.report(1, 4*time.Second); ok {
		t.Error("a stream of which nothing came is reported")
	}
	r.got(1)
	for _, tt := range []struct {
		now   time.Duration
		delay uint32
	}{{3 * time.Second, 0}, {4500 * ms, 65536 + 32768}, {3*time.Second + 15259*time.Nanosecond, 1}, {2 * time.Second, 0}} {
		if got, _ := r.report(1, tt.now); got.LastSenderReport != 0x33445566 || got.Delay != tt.delay {
			t.Errorf("at %v: %x, %d; want %d", tt.now, got.LastSenderReport, got.Delay, tt.delay)
		}
	}
	r.restart()
	r.numbers = numbers{}
	r.got(40000)
	if got, _ := r.report(1, 5*time.Second); got.LastSenderReport != 0 || got.Delay != 0 || got.TotalLost != 0 || got.LastSequenceNumber != 40000 {
		t.Errorf("of a new stream %+v is reported", got)
	}
}
