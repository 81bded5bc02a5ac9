package sfu

import (
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestRestart: packets of another RTP stream go on in sequence, but for one
// number left out, and in time, by as much as the pause between them took.
func TestRestart(t *testing.T) {
	tests := []struct {
		name  string
		seq   uint16
		time  uint32
		pause time.Duration
	}{
		{"counters far ahead", 40000, 1 << 31, time.Second},
		{"counters far behind", 65535, 1<<32 - 1, time.Second},
		{"the same counters again", 100, 5000, 20 * ms},
		{"after a long pause", 7, 7, time.Hour},
		{"arrived at once", 7, 7, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBroadcast(t, Config{}, Packets)
			w := b.audio.writer
			for i := range 10 {
				w.WritePacket(sound(100, 5000, i))
			}
			old := written(b.audio.track)[9]
			w.Restart()
			w.Restart() // has no further effect
			for i := range 10 {
				p := sound(tt.seq, tt.time, i)
				p.Arrival += old.Arrival + tt.pause
				w.WritePacket(p)
			}
			packets := written(b.audio.track)
			packets = packets[len(packets)-10:]
			first := packets[0]
			if first.Seq != old.Seq+2 {
				t.Errorf("the sequence steps by %d, want 2", first.Seq-old.Seq)
			}
			if step := media.Opus.Duration(int64(first.Time - old.Time)); (step - tt.pause).Abs() > ms {
				t.Errorf("time steps by %v, want %v", step, tt.pause)
			}
			if first.Time <= old.Time || first.PTS <= old.PTS {
				t.Errorf("time does not go on: from %d to %d, from %v to %v", old.Time, first.Time, old.PTS, first.PTS)
			}
			for i, p := range packets {
				if p.Seq != first.Seq+uint64(i) || p.Time != first.Time+uint64(i)*960 {
					t.Fatalf("packet %d has Seq %+d and Time %+d from the first", i, p.Seq-first.Seq, p.Time-first.Time)
				}
			}
		})
	}
}

func TestRestartBeforeTheFirstPacket(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	b.audio.writer.Restart()
	b.audio.writer.WritePacket(sound(77, 5000, 0))
	if p := written(b.audio.track)[0]; uint16(p.Seq) != 77 {
		t.Errorf("the first packet has Seq %d", p.Seq)
	}
}

// TestRestartReordered: the first packet to come of the new stream need not be
// its first one.
func TestRestartReordered(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	w := b.audio.writer
	w.WritePacket(sound(100, 5000, 0))
	w.Restart()
	for _, n := range []int{2, 1, 3} {
		p := sound(9000, 77, n)
		p.Arrival = time.Second
		w.WritePacket(p)
	}
	packets := written(b.audio.track)
	for _, p := range packets[1:] {
		if p.Seq <= packets[0].Seq {
			t.Errorf("a packet of the new stream has Seq %d, the old one's last has %d", p.Seq, packets[0].Seq)
		}
	}
}

// TestStartedAnew: a publisher that starts its counters anew without a new SSRC
// is taken up again.
func TestStartedAnew(t *testing.T) {
	const maxLate = 16 // packets until it is clear (RFC 3550 appendix A.1)
	for _, seq := range []uint16{20000, 20000 - 5000, 50000} {
		b := newBroadcast(t, Config{}, Packets)
		w := b.audio.writer
		for i := range 1000 { // 20 s, so that what is lower has left the ring
			w.WritePacket(sound(20000, 5000, i))
		}
		const more = 100
		for i := range more {
			p := sound(seq, 1<<31, i)
			p.Arrival += 20 * time.Second
			w.WritePacket(p)
		}
		packets := written(b.audio.track)
		if s := b.audio.track.Stats(); s.Packets+s.Late != 1000+more || s.Late >= maxLate {
			t.Errorf("Seq %d: %d packets, %d too late", seq, s.Packets, s.Late)
		}
		packets = packets[len(packets)-more+maxLate:]
		for i, p := range packets[1:] {
			before := packets[i]
			if p.Seq <= before.Seq || p.Time-before.Time != 960 || p.PTS <= before.PTS {
				t.Fatalf("Seq %d: packet %d steps by %d, %d ticks, %v", seq, i, p.Seq-before.Seq, p.Time-before.Time, p.PTS-before.PTS)
			}
		}
		last := packets[len(packets)-1]
		if off := last.PTS - 20*time.Second - (more-1)*20*ms; off.Abs() > 100*ms {
			t.Errorf("Seq %d: in the end packets are placed %v from their arrival", seq, off)
		}
	}
}

// TestLateRunInBetween: packets that are too late do not look like a new stream
// as long as the old one goes on.
func TestLateRunInBetween(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	w := b.audio.writer
	for i := range 1000 {
		w.WritePacket(sound(20000, 5000, i))
	}
	for i := range 100 {
		w.WritePacket(sound(20000, 5000, i))      // sent again, far too late
		w.WritePacket(sound(20000, 5000, 1000+i)) // goes on
	}
	s := b.audio.track.Stats()
	if s.Late != 100 || s.Packets != 1100 {
		t.Errorf("%d packets, %d too late; want 1100, 100", s.Packets, s.Late)
	}
}

// TestClockJump: an RTP clock that is set anew in mid-stream makes no jump in
// the track's time; one that stood still does, of the length of the pause.
func TestClockJump(t *testing.T) {
	tests := []struct {
		name  string
		jump  time.Duration // of the RTP clock
		pause time.Duration
		want  time.Duration // step of Time
	}{
		{"no jump", 20 * ms, 20 * ms, 20 * ms},
		{"ahead", time.Hour, 20 * ms, 20 * ms},
		{"back", -time.Hour, 20 * ms, 20 * ms},
		{"back after a pause", -time.Hour, time.Minute, time.Minute},
		{"a pause", time.Minute, time.Minute, time.Minute},
		{"stood still", 20 * ms, time.Minute, 20 * ms}, // or the network did: there is no other track to tell
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := newBroadcast(t, Config{}, Packets)
			w := b.audio.writer
			for i := range 10 {
				w.WritePacket(sound(0, 1<<31, i))
			}
			old := written(b.audio.track)[9]
			for i := range 10 {
				p := sound(10, 1<<31+9*960+uint32(media.Opus.Ticks(tt.jump)), i)
				p.Arrival += old.Arrival + tt.pause
				w.WritePacket(p)
			}
			packets := written(b.audio.track)
			packets = packets[len(packets)-10:]
			if step := media.Opus.Duration(int64(packets[0].Time - old.Time)); step != tt.want {
				t.Errorf("the RTP time steps by %v, want %v", step, tt.want)
			}
			if step := packets[0].PTS - old.PTS; step < 0 || step > tt.pause+ms {
				t.Errorf("the time steps by %v after a pause of %v", step, tt.pause)
			}
			if packets[9].Seq != old.Seq+10 || packets[9].Time-packets[0].Time != 9*960 {
				t.Error("sequence or time does not go on as it should")
			}
		})
	}
}

// TestSenderReports: sound and picture come together, though the picture takes
// longer to arrive, once the publisher's sender reports tell how its clocks
// relate. The reports come from another goroutine, as they do from a peer.
func TestSenderReports(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	const late = 80 * ms // an encoder's delay
	started := media.NTPTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	report := func(s *source, at time.Duration) {
		ntp := started + uint64(at.Seconds()*(1<<32))
		ticks := uint32(s.track.info.Codec.Ticks(at)) + s.time
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.writer.SyncClock(ntp, ticks, at+5*ms)
		}()
		<-done
	}
	skew := func() time.Duration {
		audio, video := written(b.audio.track), written(b.video.track)
		a, v := audio[len(audio)-1], video[len(video)-1]
		sent := func(p *media.Packet, s *source) time.Duration {
			return s.track.info.Codec.Duration(int64(uint32(p.Time) - s.time))
		}
		return (v.PTS - sent(v, b.video)) - (a.PTS - sent(a, b.audio))
	}
	clip := sfutest.Clip{Length: 20 * time.Second, Size: 100}
	for _, s := range clip.Samples() {
		at := s.Frame.PTS
		if at == time.Second {
			if off := skew() - late; off.Abs() > 2*ms {
				t.Fatalf("before the reports the tracks are %v apart, want %v", skew(), late)
			}
		}
		if at >= time.Second && at%time.Second == 0 && s.Codec == media.VP8 {
			report(b.audio, at)
			report(b.video, at)
		}
		from, arrival := b.audio, at+20*ms
		if s.Codec == media.VP8 {
			from, arrival = b.video, at+20*ms+late
		}
		for _, r := range from.packets(s.Frame, arrival) {
			from.writer.WritePacket(r)
		}
	}
	if off := skew(); off.Abs() > ms {
		t.Errorf("in the end the tracks are %v apart", off)
	}
	if n := b.video.track.Stats().BadReports + b.audio.track.Stats().BadReports; n != 0 {
		t.Errorf("%d reports were refused", n)
	}
}

// TestRestartForgetsReports: a report of the old RTP stream says nothing of the
// new one, neither one that was used nor one that waits to be.
func TestRestartForgetsReports(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	w := b.audio.writer
	const late = 300 * ms // what was sent arrives so much later, says the first report
	write := func(at uint32, from, n int) {
		for i := range n {
			p := sound(0, at, i)
			p.Seq, p.Arrival = uint16(from+i), time.Duration(from+i)*20*ms
			w.WritePacket(p)
		}
	}
	write(0, 0, 1)
	w.rtp.Report(0, -late, -late)
	write(960, 1, 1000)
	newest := func() *media.Packet { p := written(b.audio.track); return p[len(p)-1] }
	if off := newest().Arrival - newest().PTS - late; off.Abs() > ms {
		t.Fatalf("the report moved packets by %v, want %v", newest().PTS-newest().Arrival, -late)
	}
	w.rtp.Report(0, -late, -late)
	w.Restart()
	write(1<<31, 1001, 3000)
	if off := newest().PTS - newest().Arrival; off.Abs() > ms {
		t.Errorf("long after the new stream began packets are placed %v from their arrival", off)
	}
	if n := b.audio.track.Stats().BadReports; n != 0 {
		t.Errorf("%d reports of the old stream were tried on the new one", n)
	}
}

// TestWrongReports: a report that contradicts the packets, even one that comes
// before the first of them, moves nothing and is counted.
func TestWrongReports(t *testing.T) {
	ntp := media.NTPTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	for _, before := range []int{0, 1, 10} {
		b := newBroadcast(t, Config{}, Packets)
		w := b.audio.writer
		for i := range 20 {
			if i == before {
				w.SyncClock(ntp, 48000*3600, sound(0, 0, i).Arrival)
			}
			w.WritePacket(sound(0, 0, i))
		}
		for i, p := range written(b.audio.track) {
			if off := p.PTS - p.Arrival; off.Abs() > ms {
				t.Errorf("report before packet %d: packet %d is placed %v from its arrival", before, i, off)
			}
		}
		if n := b.audio.track.Stats().BadReports; n != 1 {
			t.Errorf("report before packet %d: %d bad reports are counted, want 1", before, n)
		}
	}
}
