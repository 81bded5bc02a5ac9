package interleave

import (
	"testing"
	"time"
)

func TestPatience(t *testing.T) {
	const ms = time.Millisecond
	type step struct {
		put   bool
		track int
		pts   time.Duration
		after time.Duration // since begin
	}
	put := func(track int, pts, after time.Duration) step { return step{true, track, pts, after} }
	out := func(track int, pts, after time.Duration) step { return step{false, track, pts, after} }
	none := func(after time.Duration) step { return step{false, -1, 0, after} }
	tests := []struct {
		name  string
		steps []step
	}{
		{"in order of time, as soon as it is sure", []step{
			put(0, 10*ms, 0), none(0), put(1, 5*ms, 0), out(1, 5*ms, 0), none(0),
			put(1, 20*ms, 0), out(0, 10*ms, 0), none(0),
		}},
		{"no longer than HoldSilent for one of which nothing comes", []step{
			put(0, 0, 0), out(0, 0, ActiveFor),
			put(0, 10*ms, ActiveFor), none(ActiveFor + HoldSilent - ms), out(0, 10*ms, ActiveFor+HoldSilent),
		}},
		{"longer for one of which something came", []step{
			put(1, 0, 0), put(0, 10*ms, 0), out(1, 0, 0), none(HoldActive - ms), out(0, 10*ms, HoldActive),
		}},
		{"longer still for one that was late, but not for ever", []step{
			put(1, 0, 0), put(0, 10*ms, 0), out(1, 0, 0), out(0, 10*ms, 700*ms),
			put(1, 5*ms, 700*ms), put(0, 800*ms, 800*ms), out(1, 5*ms, 800*ms), // 705 ms and a margin
			none(1600 * ms), out(0, 800*ms, 1700*ms),
		}},
		{"sound that is 300 ms behind is in order", []step{
			put(0, 0, 0), put(0, 100*ms, 100*ms), put(0, 200*ms, 200*ms), none(299 * ms),
			put(1, 0, 300*ms), put(0, 300*ms, 300*ms), out(0, 0, 300*ms), out(1, 0, 300*ms), none(300 * ms),
			put(1, 100*ms, 400*ms), out(0, 100*ms, 400*ms), out(1, 100*ms, 400*ms), none(400 * ms),
		}},
		{"a tie goes to the first track", []step{
			put(1, 10*ms, 0), put(0, 10*ms, 0), out(0, 10*ms, 0), none(0),
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newPatient(2)
			for i, s := range tt.steps {
				if s.put {
					l.push(s.track, s.pts, begin+s.after)
					continue
				}
				track, pts, ok := l.next(begin + s.after)
				if ok != (s.track >= 0) || ok && (track != s.track || pts != s.pts) {
					t.Fatalf("step %d: track %d at %v, %v; want track %d at %v", i, track, pts, ok, s.track, s.pts)
				}
			}
		})
	}
}

// begin is when the first frames come, on the clock of these tests.
const begin = time.Hour

// patient is an Order as the recorder uses it. Its frames are the instants at which
// they came.
type patient struct {
	order    *Order[time.Duration]
	patience *Patience
}

func newPatient(tracks int) *patient {
	return &patient{New[time.Duration](tracks), NewPatience(tracks)}
}

func (p *patient) push(track int, pts, now time.Duration) {
	p.patience.Arrived(track, pts, now)
	p.order.Push(track, pts, now)
}

func (p *patient) next(now time.Duration) (track int, pts time.Duration, ok bool) {
	track, pts, since, ok := p.order.Next(func(track, first int) bool {
		_, since, _ := p.order.Head(first)
		return now-since < p.patience.Hold(track, now)
	})
	if ok {
		p.patience.Passed(pts, since)
	}
	return track, pts, ok
}

func TestEndedTrackIsNotWaitedFor(t *testing.T) {
	l := newPatient(2)
	l.push(0, 1, begin)
	l.order.End(1)
	if _, _, ok := l.next(begin); !ok {
		t.Error("a frame waits for a track that has ended")
	}
}

// TestPatienceLate: a track that always comes later than it is waited for is told, and
// forgotten when it has been silent.
func TestPatienceLate(t *testing.T) {
	l := newPatient(2)
	now := begin
	for n := range 5 {
		pts := time.Duration(n) * time.Second
		now = begin + pts
		l.push(0, pts, now)
		if n > 0 {
			l.push(1, pts-5*time.Second, now+time.Millisecond)
		}
		for _, _, ok := l.next(now + HoldMost); ok; _, _, ok = l.next(now + HoldMost) {
		}
	}
	if !l.patience.Late(1, now) || l.patience.Late(0, now) || l.patience.Hold(1, now) != HoldMost {
		t.Errorf("late: %v and %v, waited for %v", l.patience.Late(0, now), l.patience.Late(1, now), l.patience.Hold(1, now))
	}
	if now += ActiveFor + time.Millisecond; l.patience.Late(1, now) || l.patience.Hold(1, now) != HoldSilent {
		t.Error("it is waited for though nothing comes")
	}
}
