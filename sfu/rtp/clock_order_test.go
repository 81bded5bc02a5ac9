package rtp_test

import (
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/rtp"
)

// TestOutOfOrderAroundAJump: a packet that is sent again, or overtaken, has the time
// that it would have had in order, on whichever side of a jump it is.
func TestOutOfOrderAroundAJump(t *testing.T) {
	const jumps = 50 // the first packet of the new clock
	order := func(edit func(numbers []int) []int) []int {
		var all []int
		for n := range 100 {
			all = append(all, n)
		}
		return edit(all)
	}
	swap := func(i, j int) func([]int) []int {
		return func(all []int) []int {
			all[i], all[j] = all[j], all[i]
			return all
		}
	}
	late := func(n, after int) func([]int) []int {
		return func(all []int) []int {
			var out []int
			for _, m := range all {
				if m != n {
					out = append(out, m)
				}
				if m == after {
					out = append(out, n)
				}
			}
			return out
		}
	}
	for _, by := range []time.Duration{-time.Hour, -5 * time.Second, -700 * ms, 700 * ms, 5 * time.Second, time.Hour, 20 * time.Hour} {
		for name, edit := range map[string]func([]int) []int{
			"the last one before is sent again":      late(49, 60),
			"an older one is sent again":             late(45, 70),
			"the first one after is sent again":      late(50, 60),
			"the second one after is sent again":     late(51, 60),
			"the first one after overtakes the last": swap(49, 50),
			"the second overtakes the first":         swap(50, 51),
			"the third one overtakes both":           late(50, 52),
			"far ahead":                              late(48, 51),
		} {
			t.Run(name+" "+by.String(), func(t *testing.T) {
				b := newBroadcast()
				for i, n := range order(edit) {
					p := sound(65530, 1<<32-960, n)
					if n >= jumps {
						p.Time += uint32(media.Opus.Ticks(by))
					}
					p.Arrival = time.Duration(i) * 20 * ms
					b.audio.writer.WritePacket(p)
				}
				packets := b.audio.track.packets
				if len(packets) != 100 {
					t.Fatalf("%d of 100 packets are taken", len(packets))
				}
				first := packets[0]
				for i, n := range numbersOf(t, packets) {
					p := packets[i]
					// Where the first packet of the new clock came early or late by some
					// places, all behind it are.
					if off := media.Opus.Duration(int64(p.Time-first.Time)) - time.Duration(n)*20*ms; off.Abs() > 40*ms {
						t.Errorf("packet %d has a time that is %v from its own", n, off)
					}
					if off := p.PTS - first.PTS - time.Duration(n)*20*ms; off.Abs() > 40*ms {
						t.Errorf("packet %d is placed %v from there", n, off)
					}
				}
			})
		}
	}
}

// TestTimesOutOfNowhere: packets whose times are of no clock, but which are numbered
// as if they came late, take nobody into the future.
func TestTimesOutOfNowhere(t *testing.T) {
	b := newBroadcast()
	for n := range 200 {
		b.audio.writer.WritePacket(sound(0, 0, 2*n+1))
		wild := sound(0, 1<<30, 2*n)
		wild.Arrival += 20 * ms
		b.audio.writer.WritePacket(wild)
	}
	packets := b.audio.track.packets
	for _, p := range packets {
		if p.PTS > p.Arrival+time.Second {
			t.Fatalf("a packet that came at %v is placed at %v", p.Arrival, p.PTS)
		}
	}
	if n, refused := len(packets), b.audio.track.refused; n != 200 || refused != 200 {
		t.Errorf("%d packets are taken and %d are not, want 200 and 200", n, refused)
	}
}

// TestFasterThanTime: a clock that runs many times too fast, in steps that are no jumps,
// stays with the clock of arrival, in the RTP time as well.
func TestFasterThanTime(t *testing.T) {
	for _, tt := range []struct{ each, every time.Duration }{
		{25 * ms, 2 * ms}, {100 * ms, 2 * ms}, {399 * ms, 2 * ms}, {10 * time.Second, 2 * ms}, {20 * ms, time.Second / 2500}, {20 * ms, 10 * ms},
	} {
		each, every := tt.each, tt.every
		b := newBroadcast()
		w, track := b.video.writer, b.video.track
		var first media.Packet
		for n := range int(20 * time.Second / every) {
			at := time.Duration(n) * every
			w.WritePacket(rtp.Packet{
				Seq: uint16(n), Time: uint32(n) * uint32(media.VP8.Ticks(each)), Marker: true, Arrival: at, Payload: []byte{0x10, 1, 0, 0},
			})
			p := *track.packets[len(track.packets)-1]
			if n == 0 {
				first = p
			}
			most := 600 * ms
			if at < 9*time.Second { // and it takes a while back
				most = 2100 * ms // at the start they may have been held up
			}
			if ahead := p.PTS - at; ahead > most {
				t.Fatalf("steps of %v: what comes at %v is placed %v ahead", each, at, ahead)
			}
			if ahead := media.VP8.Duration(int64(p.Time-first.Time)) - at; ahead > most+ms {
				t.Fatalf("steps of %v: at %v the RTP time is %v ahead", each, at, ahead)
			}
		}
		if n := len(track.packets); n != int(20*time.Second/every) || each < 10*time.Second && !track.clock.WrongRate {
			t.Errorf("steps of %v: %d packets, a wrong rate: %v", each, n, track.clock.WrongRate)
		}
	}
}
