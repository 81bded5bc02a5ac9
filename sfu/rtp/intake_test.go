package rtp

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// sound is the n-th packet of 20 ms of a stream that begins with these counters.
func sound(seq uint16, stamp uint32, n int, payload []byte) *Packet {
	return &Packet{Seq: seq + uint16(n), Time: stamp + uint32(n)*960, Arrival: time.Duration(n) * 20 * ms, Payload: payload}
}

// TestContinue: an intake goes on where another one has ended, though its own has seen
// nothing of that: with one number left out, and as late against arrival as it was.
func TestContinue(t *testing.T) {
	payload := []byte{0xf8, 1}
	for _, delay := range []time.Duration{0, 80 * ms, -30 * ms} {
		tail := media.Tail{Seq: epoch + 700, Time: epoch + 960*1000, PTS: 20 * time.Second, Delay: delay}
		p := NewPlacer(media.Opus, &SyncContext{})
		p.Continue(tail)
		i := NewIntake(Config{Codec: media.Opus, Placer: p})
		const pause = 5 * time.Second
		var before Result
		for n := range 50 {
			k := sound(65530, 1<<32-960*3, n, payload)
			k.Arrival += tail.PTS + delay + pause
			var r Result
			i.Receive(k, &r)
			if want := tail.Seq + 2 + uint64(n); r.Seq != want || r.Discontinuity != (n == 0) {
				t.Fatalf("packet %d has number %+d, discontinuity %v", n, int64(r.Seq-tail.Seq), r.Discontinuity)
			}
			if off := r.PTS - tail.PTS - pause - time.Duration(n)*20*ms; off.Abs() > ms+time.Duration(n)*20*ms/100 { // it is slewed to where arrival tells
				t.Errorf("delay %v: packet %d is placed %v from where it belongs", delay, n, off)
			}
			if step := media.Opus.Duration(int64(r.Time - tail.Time)); (step - pause - time.Duration(n)*20*ms).Abs() > ms {
				t.Errorf("delay %v: the RTP time of packet %d is %v behind the old one's", delay, n, step)
			}
			if n > 0 && (r.Time <= before.Time || r.PTS <= before.PTS) {
				t.Errorf("packet %d steps back", n)
			}
			before = r
		}
	}
	p := NewPlacer(media.Opus, &SyncContext{})
	p.Continue(media.Tail{}) // of a track to which nothing was written
	i := NewIntake(Config{Codec: media.Opus, Placer: p})
	var r Result
	if i.Receive(sound(7, 7, 0, payload), &r); r.Seq != epoch+7 || r.Discontinuity {
		t.Errorf("the first packet of all has number epoch%+d, discontinuity %v", int64(r.Seq-epoch), r.Discontinuity)
	}
}

// TestRestartFillsNoHole: what comes late from before the first packet of another RTP
// stream does not take the place of what the stream before has lost.
func TestRestartFillsNoHole(t *testing.T) {
	i := NewIntake(Config{Codec: media.Opus, Placer: NewPlacer(media.Opus, &SyncContext{})})
	payload := []byte{0xf8, 1}
	var r Result
	for n := range 10 {
		if n != 7 {
			i.Receive(sound(100, 5000, n, payload), &r)
		}
	}
	last := r.Seq
	i.Restart()
	for _, tt := range []struct {
		n      int
		behind uint64 // of the old stream's last packet; 0: it is refused
	}{{14, 2}, {13, 1}, {12, 0}, {11, 0}, {10, 0}, {15, 3}} {
		i.Receive(sound(9000, 77, tt.n, payload), &r)
		if r.Refused != (tt.behind == 0) || !r.Refused && r.Seq != last+tt.behind {
			t.Errorf("packet %d has number %+d, refused %v", tt.n, int64(r.Seq-last), r.Refused)
		}
	}
}

// TestRestartIsOne: numbers that begin anew under the same SSRC begin anew for the track,
// for what is asked for and for what is reported, with one and the same packet.
func TestRestartIsOne(t *testing.T) {
	i := NewIntake(Config{Codec: media.Opus, NACK: true, Placer: NewPlacer(media.Opus, &SyncContext{})})
	payload := []byte{0xf8, 1}
	var r Result
	for n := range 100 {
		i.Receive(sound(20000, 5000, n, payload), &r)
	}
	last := r.Seq
	for n := range restartRun {
		p := sound(10, 1<<31, n, payload)
		p.Arrival += 2 * time.Second
		i.Receive(p, &r)
		if r.Restarted != (n == restartRun-1) || r.Discontinuity != r.Restarted {
			t.Fatalf("packet %d: restarted %v, discontinuity %v", n, r.Restarted, r.Discontinuity)
		}
	}
	if r.Seq != last+2 {
		t.Errorf("the track's number steps by %d", r.Seq-last)
	}
	p := sound(10, 1<<31, restartRun+2, payload) // two are lost
	p.Arrival += 2 * time.Second
	i.Receive(p, &r)
	if asked := listed(r.Ask); len(asked) != 2 || asked[0] != 10+restartRun {
		t.Errorf("asked for are %v", asked)
	}
	report, ok := i.Report(1, 3*time.Second)
	if !ok || report.TotalLost != 2 || report.LastSequenceNumber != 10+restartRun+2 {
		t.Errorf("%+v is reported", report)
	}
}

// TestPaddingHasNoTime: a packet without media is of the time of the one before.
func TestPaddingHasNoTime(t *testing.T) {
	i := NewIntake(Config{Codec: media.VP8, Placer: NewPlacer(media.VP8, &SyncContext{})})
	var r Result
	i.Receive(&Packet{Seq: 1, Time: 9000, Payload: []byte{0x10, 0}}, &r)
	at := r.Time
	if i.Receive(&Packet{Seq: 2, Time: 1 << 31, Arrival: 20 * ms}, &r); r.Time != at {
		t.Errorf("it is %d ticks behind", int64(r.Time-at))
	}
}

// TestPaddingBeginsAnew: where a sender counts anew with a packet without media, that is
// of no time of the stream before.
func TestPaddingBeginsAnew(t *testing.T) {
	i := NewIntake(Config{Codec: media.VP8, Placer: NewPlacer(media.VP8, &SyncContext{})})
	var r Result
	for n := range 100 {
		i.Receive(sound(20000, 5000, n, []byte{0x10, 0}), &r)
	}
	for n := range restartRun {
		p := sound(10, 1<<31, n, []byte{0x10, 0})
		p.Arrival += 2 * time.Second
		if n == restartRun-1 {
			p.Payload = nil
		}
		i.Receive(p, &r)
	}
	begins := r.Time
	p := sound(10, 1<<31, restartRun, []byte{0x10, 0})
	p.Arrival += 2 * time.Second
	if i.Receive(p, &r); r.Time != begins+960 {
		t.Errorf("media are %d ticks behind the first packet, want 960", int64(r.Time-begins))
	}
}

// TestIntakeAllocates: nothing, as long as nothing is lost.
func TestIntakeAllocates(t *testing.T) {
	for _, c := range []media.Codec{media.Opus, media.VP8, media.H264} {
		i := NewIntake(Config{Codec: c, NACK: true, Placer: NewPlacer(c, &SyncContext{})})
		payload, n := []byte{0x10, 1, 2, 3, 4}, 0
		p := sound(0, 0, 0, payload)
		if got := testing.AllocsPerRun(1000, func() {
			*p = Packet{Seq: uint16(n), Time: uint32(n) * 960, Arrival: time.Duration(n) * 20 * ms, Payload: payload}
			var r Result
			i.Receive(p, &r)
			n++
		}); got != 0 {
			t.Errorf("%v: %v allocations a packet", c, got)
		}
	}
}

// BenchmarkIntake is one packet, from its header to what is written to a track.
func BenchmarkIntake(b *testing.B) {
	for _, c := range []media.Codec{media.Opus, media.VP8, media.H264} {
		b.Run(c.String(), func(b *testing.B) {
			i := NewIntake(Config{Codec: c, NACK: true, Placer: NewPlacer(c, &SyncContext{})})
			payload := make([]byte, 1000)
			payload[0] = 0x41 // a slice of H.264, a continuation of VP8, sound
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				p := Packet{Seq: uint16(n), Time: uint32(n) * 960, Arrival: time.Duration(n) * 20 * ms, Payload: payload}
				var r Result
				i.Receive(&p, &r)
			}
		})
	}
}

// FuzzIntake: whatever comes, numbers keep their order, times theirs, and nothing is
// placed far ahead of when it came.
func FuzzIntake(f *testing.F) {
	f.Add([]byte{1, 0, 0, 1, 20, 2, 0, 3, 1, 20, 3, 0, 9, 1, 200})
	f.Add([]byte{255, 9, 1, 255, 3, 1, 2, 3, 4, 5, 255, 255, 128, 0, 0, 1, 9, 9, 64, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		placer := NewPlacer(media.VP8, &SyncContext{})
		i := NewIntake(Config{Codec: media.VP8, NACK: true, Placer: placer})
		var now, pts time.Duration
		var highest, newest uint64
		for len(data) >= 5 {
			flags, seq, stamp, size, step := data[3], uint16(data[0])<<8|uint16(data[1]), uint32(data[2])<<(data[3]&24), data[3]&3, data[4]
			data = data[5:]
			now += time.Duration(step) * ms
			switch {
			case flags&0x80 != 0:
				i.Restart()
			case flags&0x40 != 0:
				placer.Report(stamp, now-time.Duration(size)*time.Second, now)
			}
			p := Packet{Seq: seq, Time: stamp, Arrival: now, Marker: flags&4 != 0, Retransmitted: flags&0x20 != 0, Payload: make([]byte, size)}
			var r Result
			i.Receive(&p, &r)
			i.Due(now)
			i.Report(1, now)
			if r.Refused || r.Seq <= highest {
				continue
			}
			if r.Time > newest && r.PTS < pts { // pictures need not be in the order of their times
				t.Fatalf("number %d has the time %d, %v; before %d, %v", r.Seq, r.Time, r.PTS, newest, pts)
			}
			if r.PTS > now+startAhead+time.Second {
				t.Fatalf("what came at %v is placed at %v", now, r.PTS)
			}
			if highest = r.Seq; r.Time > newest {
				newest, pts = r.Time, r.PTS
			}
		}
	})
}
