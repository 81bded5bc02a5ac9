package rtp

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"weir/sfu/media"
)

const (
	ms   = time.Millisecond
	tick = 10 * ms // how often it is looked whether something is due
)

// listed lists what pairs ask for.
func listed(pairs []rtcp.NackPair) []uint16 {
	var list []uint16
	for _, p := range pairs {
		list = append(list, p.PacketList()...)
	}
	return list
}

// losing is the losses of a stream, which the numbers of its packets show.
type losing struct {
	*Intake
	*losses
}

func newLosing() losing {
	i := NewIntake(Config{Codec: media.Opus, NACK: true})
	return losing{i, &i.losses}
}

// received takes in a packet.
func (l losing) received(seq uint16, retransmitted bool, now time.Duration) (ask []rtcp.NackPair, again, gaveUp bool) {
	var r Result
	l.Receive(&Packet{Seq: seq, Retransmitted: retransmitted, Arrival: now}, &r)
	return r.Ask, r.Packet.Retransmitted, r.GaveUp
}

func TestLossesAskAtOnce(t *testing.T) {
	l := newLosing()
	for _, step := range []struct {
		seq  uint16
		want []uint16
	}{
		{65533, nil}, {65534, nil}, {1, []uint16{65535, 0}}, {0, nil}, {2, nil}, {2, nil}, {5, []uint16{3, 4}}, {4, nil}, {65535, nil}, {6, nil},
	} {
		if got := listed(asked(l.received(step.seq, false, 0))); !slices.Equal(got, step.want) {
			t.Errorf("packet %d: asks for %v, want %v", step.seq, got, step.want)
		}
	}
	if got := listed(dueAt(l, maxNackRepeat)); !slices.Equal(got, []uint16{3}) {
		t.Errorf("asks again for %v, want what never came: 3", got)
	}
}

// TestLossesRepeat: what does not come is asked for again each round trip, until
// it is of no use.
func TestLossesRepeat(t *testing.T) {
	for _, roundTrip := range []time.Duration{time.Millisecond, 50 * ms, 120 * ms, time.Second} {
		l := newLosing()
		seq := uint16(0)
		l.received(seq, false, 0)
		now := time.Duration(0)
		for range 200 { // every second packet takes a round trip longer
			seq += 2
			now += roundTrip + ms
			l.received(seq, false, now)
			l.received(seq-1, false, now+roundTrip)
		}
		seq += 2
		lost, window := now, l.window()
		l.received(seq, false, lost)
		var asked []time.Duration
		for now = lost; now <= lost+window+2*tick; now += tick {
			if got := listed(dueAt(l, now)); got != nil {
				if !slices.Equal(got, []uint16{seq - 1}) {
					t.Fatalf("round trip %v: asks for %v", roundTrip, got)
				}
				asked = append(asked, now-lost)
			}
		}
		interval := max(minNackRepeat, min(maxNackRepeat, roundTrip+nackSlack))
		if want := int(window / (interval + tick)); len(asked) < want || len(asked) > int(window/interval) {
			t.Errorf("round trip %v: asked again after %v, want about every %v", roundTrip, asked, interval)
		}
		if l.waiting() || l.misses(epoch+uint64(seq-1)) {
			t.Errorf("round trip %v: the packet is still waited for", roundTrip)
		}
	}
}

func TestLossesAreBounded(t *testing.T) {
	l := newLosing()
	l.received(0, false, 0)
	if got, _, gaveUp := l.received(2000, false, ms); got != nil || !gaveUp {
		t.Errorf("a jump by 2000 asks for %d packets, gives up: %v", len(listed(got)), gaveUp)
	}
	for seq := uint16(2002); seq < 6000; seq += 2 { // every second packet is lost
		l.received(seq, false, 2*ms)
		if len(l.missing) > maxMissing {
			t.Fatalf("%d packets are waited for", len(l.missing))
		}
	}
	l.Restart()
	if got := asked(l.received(100, false, 3*ms)); got != nil || len(dueAt(l, time.Second)) != 0 {
		t.Errorf("after a restart %v is asked for", listed(got))
	}
}

// TestLossesInOrder: nothing is asked for, and nothing allocated, while nothing is
// lost.
func TestLossesInOrder(t *testing.T) {
	l := newLosing()
	seq := uint16(65000)
	if n := testing.AllocsPerRun(1000, func() {
		if asked(l.received(seq, false, 0)) != nil || dueAt(l, time.Second) != nil {
			t.Fatal("something is asked for")
		}
		seq++
	}); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// TestLossesGivenUp: what comes in a retransmission stream after it was given up is no
// restart, however much of it comes in sequence.
func TestLossesGivenUp(t *testing.T) {
	l := newLosing()
	l.received(100, false, 0)
	l.received(150, false, 0)
	if _, gaveUp := l.due(2 * maxNackWindow); !gaveUp {
		t.Error("nothing was given up")
	}
	for seq := uint16(101); seq < 150; seq++ {
		l.received(seq, true, 2*maxNackWindow)
	}
	if got := asked(l.received(151, false, 2*maxNackWindow)); got != nil {
		t.Errorf("after late retransmissions %v are asked for", listed(got))
	}
}

// dueAt returns what is asked for at an instant.
func dueAt(l losing, now time.Duration) []rtcp.NackPair {
	ask, _ := l.due(now)
	return ask
}

// TestLossesAfterRestart: a publisher that counts anew under the same SSRC is
// asked for what it loses then.
func TestLossesAfterRestart(t *testing.T) {
	l := newLosing()
	l.received(20000, false, 0)
	for seq := uint16(5); seq < 5+restartRun; seq++ {
		if got := asked(l.received(seq, false, 0)); got != nil {
			t.Fatalf("packet %d: asks for %v", seq, listed(got))
		}
	}
	if got := listed(asked(l.received(5+restartRun+1, false, 0))); !slices.Equal(got, []uint16{5 + restartRun}) {
		t.Errorf("after the restart it asks for %v, want %d", got, 5+restartRun)
	}
}

// TestLossesOldPackets: retransmissions of what was not asked for are no restart.
func TestLossesOldPackets(t *testing.T) {
	l := newLosing()
	for seq := uint16(100); seq < 200; seq++ {
		l.received(seq, false, 0)
		l.received(seq-90, false, 0)
	}
	if got := listed(asked(l.received(201, false, 0))); !slices.Equal(got, []uint16{200}) {
		t.Errorf("asks for %v, want 200", got)
	}
}

// asked drops whether the packet was missing itself.
func asked(pairs []rtcp.NackPair, _, _ bool) []rtcp.NackPair { return pairs }

// TestLossesWindow: a lost packet is waited for longer the further away the client
// is, and no longer than a second.
func TestLossesWindow(t *testing.T) {
	for _, tt := range []struct{ roundTrip, least, most time.Duration }{
		{2 * ms, minNackWindow, minNackWindow}, {100 * ms, 250 * ms, 350 * ms}, {300 * ms, 600 * ms, 800 * ms}, {900 * ms, maxNackWindow, maxNackWindow},
	} {
		l := newLosing()
		if got := l.window(); got != maxNackWindow {
			t.Errorf("at first it is %v", got)
		}
		now := time.Duration(0)
		for seq := uint16(1); seq < 200; seq += 2 {
			now += 20 * ms
			l.received(seq, false, now) // the one before is lost
			if _, again, _ := l.received(seq-1, false, now+tt.roundTrip); !again && seq > 1 {
				t.Fatalf("packet %d was not missing", seq-1)
			}
		}
		if got := l.window(); got < tt.least || got > tt.most {
			t.Errorf("round trip %v: the window is %v", tt.roundTrip, got)
		}
	}
}

// TestLossesLongerWay: when the way becomes longer than lost packets are waited for, what
// comes too late shows that, and those that are lost later are waited for.
func TestLossesLongerWay(t *testing.T) {
	l := newLosing()
	now, seq := time.Duration(0), uint16(1)
	// lose loses a packet, and returns whether it was still waited for when it came again.
	lose := func(roundTrip time.Duration) bool {
		seq += 2
		l.received(seq, false, now)
		for until := now + roundTrip; now < until; now += tick {
			l.due(now)
		}
		_, again, _ := l.received(seq-1, true, now)
		return again
	}
	l.received(seq, false, now)
	for range 20 {
		if !lose(20 * ms) {
			t.Fatal("a near client's packet was given up")
		}
	}
	if lose(400 * ms) {
		t.Error("the window was not short")
	}
	for range 20 {
		if !lose(400 * ms) {
			t.Fatalf("the window is %v", l.window())
		}
	}
	if lose(3*time.Second) || len(l.missing) != 0 || l.window() > maxNackWindow {
		t.Errorf("%d packets are left, the window is %v", len(l.missing), l.window())
	}
}
