package catchup

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const ms = time.Millisecond

// packet is one of a stream. Times are distances from the stream's begin.
type packet struct {
	number int
	at     time.Duration // when it came to the server
	bytes  int           // on the wire
	key    int           // the keyframe that it is of, counted from 1; 0: none
	first  bool          // of its keyframe
}

// clip is a stream of pictures.
type clip struct {
	rate  int           // bytes a second
	group time.Duration // from keyframe to keyframe
	key   float64       // size of a keyframe in seconds of the stream
	sound bool          // 50 packets of 140 bytes a second go the same way, live
}

func (c clip) String() string {
	return fmt.Sprintf("%.1f Mbit/s, group of %v, keyframe of %v", float64(c.rate)*8e-6, c.group, time.Duration(c.key*float64(time.Second)))
}

// packets are those of the first seconds. A publisher sends a picture at two and a
// half times the stream's rate, as Chromium does.
func (c clip) packets(until time.Duration) (all []packet) {
	const picture, size = time.Second / 30, 1256
	perGroup := int(c.group / picture)
	key := int(c.key * float64(c.rate))
	other := (int(c.group.Seconds()*float64(c.rate)) - key) / max(1, perGroup-1)
	free := time.Duration(0)
	for i := 0; time.Duration(i)*picture < until; i++ {
		bytes, isKey := other, 0
		if i%perGroup == 0 {
			bytes, isKey = key, i/perGroup+1
		}
		free = max(free, time.Duration(i)*picture)
		for first := true; bytes > 0; first = false {
			n := max(100, min(bytes, size))
			all = append(all, packet{number: len(all), at: free, bytes: n, key: isKey, first: first && isKey > 0})
			free += time.Duration(float64(n) / (2.5 * float64(c.rate)) * float64(time.Second))
			bytes -= n
		}
	}
	return all
}

// link carries rate bytes a second, and holds so many bytes in its queue; what does
// not fit is dropped.
type link struct {
	rate, queue float64
	held        float64
	at          time.Duration
}

// take puts a packet into the queue, and returns when it has left it.
func (l *link) take(bytes int, now time.Duration) (out time.Duration, ok bool) {
	l.held = max(0, l.held-l.rate*(now-l.at).Seconds())
	l.at = now
	if l.held+float64(bytes) > l.queue {
		return 0, false
	}
	l.held += float64(bytes)
	return now + time.Duration(l.held/l.rate*float64(time.Second)), true
}

// told is a loss of which the server learns.
type told struct {
	at time.Duration
	p  packet
}

// join is what became of a viewer.
type join struct {
	sent, lost int
	picture    time.Duration // from the join until its first picture was whole; -1: not while it caught up
	live       time.Duration // from the join until it was live; -1: never
}

// simulate has a viewer join at a time, far away by roundTrip.
func simulate(c clip, all []packet, l link, joins, roundTrip time.Duration) (j join) {
	const step = ms
	j.live, j.picture = -1, -1
	pos, head := 0, 0
	for head < len(all) && all[head].at <= joins {
		if all[head].first {
			pos = head
		}
		head++
	}
	key := all[pos].key
	picture, missing := 0, map[int]bool{}
	for _, p := range all[pos:] {
		if p.key != key {
			break
		}
		picture += p.bytes
		missing[p.number] = true
	}
	near := l.rate == 0
	pace := New(near, c.rate, picture, joins)
	var losses []told
	nextSound := joins
	send := func(p packet, now time.Duration) {
		j.sent++
		out, ok := now, true
		if !near {
			out, ok = l.take(p.bytes, now)
		}
		if !ok {
			j.lost++
			// The next packet that gets through shows the hole: it is not far behind.
			losses = append(losses, told{now + time.Duration(l.queue/l.rate*float64(time.Second)) + roundTrip, p})
			return
		}
		if missing[p.number] {
			if delete(missing, p.number); len(missing) == 0 && j.picture < 0 {
				j.picture = out + roundTrip/2 - joins
			}
		}
	}
	next := joins
	for now := joins; now < joins+20*time.Second; now += step {
		for head < len(all) && all[head].at <= now {
			if all[head].first && all[pos].key != all[head].key && len(missing) == 0 { // as a shard does
				pos = head
			}
			head++
		}
		for c.sound && nextSound <= now {
			if l.rate > 0 {
				l.take(140, now)
			}
			nextSound += 20 * ms
		}
		losses = slices.DeleteFunc(losses, func(t told) bool {
			if t.at > now {
				return false
			}
			pace.Lost(now)
			pace.Sent(t.p.bytes)
			send(t.p, now)
			return true
		})
		if now < next {
			continue
		}
		for due := pace.Due(now); due > 0 && pos < head; pos++ {
			send(all[pos], now)
			pace.Sent(all[pos].bytes)
			due -= all[pos].bytes
		}
		if pos == head {
			j.live = now - joins
			break
		}
		next = now + pace.Wait()
	}
	return j
}

// TestNarrowLink: behind a link of one and a half times the stream's rate, whatever
// its queue, a joiner has a picture within a second, loses next to nothing of its
// burst, and gets to the live edge.
func TestNarrowLink(t *testing.T) {
	worst := join{}
	for _, rate := range []float64{0.3, 1, 2.5, 8} {
		for _, group := range []time.Duration{500 * ms, time.Second, 2 * time.Second, 4 * time.Second, 10 * time.Second} {
			for _, key := range []float64{0.05, 0.3} {
				c := clip{rate: int(rate * 1e6 / 8), group: group, key: key, sound: true}
				all := c.packets(3*group + 30*time.Second)
				carries := float64(c.rate+50*140) * 1.5
				for _, queue := range []float64{carries * 0.05, carries * 0.1, carries * 0.3, 32_000, 64_000} {
					for _, into := range []float64{0.02, 0.2, 0.5, 0.95} {
						for _, roundTrip := range []time.Duration{2 * ms, 150 * ms} {
							l := link{rate: carries, queue: max(queue, 4000)}
							j := simulate(c, all, l, 3*group+time.Duration(into*float64(group)), roundTrip)
							checkJoin(t, fmt.Sprintf("%v, queue of %.0f, round trip of %v, joined at %.2f", c, l.queue, roundTrip, into), j)
							worst.picture, worst.live = max(worst.picture, j.picture), max(worst.live, j.live)
						}
					}
				}
			}
		}
	}
	t.Logf("the latest picture came after %v, the last was live after %v", worst.picture, worst.live)
}

func checkJoin(t *testing.T, what string, j join) {
	t.Helper()
	if j.picture > time.Second || j.picture < 0 && j.live > 100*ms {
		t.Errorf("%s: the picture is there after %v", what, j.picture)
	}
	if j.lost*50 > j.sent {
		t.Errorf("%s: %d of %d packets are lost, live after %v", what, j.lost, j.sent, j.live)
	}
	if j.live < 0 {
		t.Errorf("%s: it is never live", what)
	}
}

// TestNoLink: a viewer on the same machine gets a large keyframe at once, and is live
// a moment later.
func TestNoLink(t *testing.T) {
	c := clip{rate: 2_500_000 / 8, group: 10 * time.Second, key: 0.2}
	j := simulate(c, c.packets(40*time.Second), link{}, 35*time.Second, 0)
	if j.picture != 0 || j.live < 0 || j.live > 300*ms {
		t.Errorf("the picture is there after %v, it is live after %v", j.picture, j.live)
	}
}

// TestBetterLink: a link that bears more is used: nobody is much longer behind than
// twice the time that there is to catch up with.
func TestBetterLink(t *testing.T) {
	for _, behind := range []time.Duration{500 * ms, time.Second, 2 * time.Second, 8 * time.Second} {
		c := clip{rate: 2_500_000 / 8, group: time.Minute, key: 0.2}
		j := simulate(c, c.packets(40*time.Second), link{rate: 1e8, queue: 1e6}, behind, 20*ms)
		if j.lost > 0 || j.live < 0 || j.live > 2*behind+600*ms {
			t.Errorf("%v behind: it is live after %v, %d packets are lost", behind, j.live, j.lost)
		}
	}
}

// TestSlideShow: a stream that sends little but has large pictures is seen within a
// second all the same.
func TestSlideShow(t *testing.T) {
	p := New(false, 2000, 100_000, 0)
	sent := 0
	now := time.Duration(0)
	for ; now < time.Minute; now += p.Wait() {
		for due := p.Due(now); due > 0; due -= 1250 {
			p.Sent(1250)
			sent += 1250
		}
		if sent >= 100_000 {
			break
		}
	}
	if now > time.Second {
		t.Errorf("it takes %v", now)
	}
}

// TestLost: losses slow a viewer down once for all that come of one queue, wherever it
// is, and it gets faster again.
func TestLost(t *testing.T) {
	p := New(true, 100_000, 0, 0)
	if due := p.Due(0); due != nearBurst {
		t.Errorf("at once %d bytes are due, want %d", due, nearBurst)
	}
	p.Lost(time.Second)
	p.Lost(time.Second + 100*ms)
	p.Due(time.Second + holdAfterLoss)
	if p.near || p.speed != slowest {
		t.Errorf("after losses: %+v", p)
	}
	p.Due(2*time.Second + holdAfterLoss)
	if want := slowest + toLikely; p.speed < want-0.01 || p.speed > want+0.01 {
		t.Errorf("a second later the speed is %v, want %v", p.speed, want)
	}
}

// TestIdle: what was not due to leave does not gather.
func TestIdle(t *testing.T) {
	p := New(false, 100_000, 0, 0)
	p.Sent(p.Due(0))
	if due := p.Due(time.Hour); due != 6000 {
		t.Errorf("after an hour %d bytes are due, want 60 ms of the stream", due)
	}
	var none Pace
	if none.Due(time.Hour) != 0 {
		t.Error("the zero value lets something pass")
	}
}
