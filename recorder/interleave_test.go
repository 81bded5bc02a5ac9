package recorder

import (
	"testing"
	"time"

	"weir/sfu/media"
)

func TestInterleave(t *testing.T) {
	begin := time.Now()
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
		{"no longer than holdTime for one of which nothing comes", []step{
			put(0, 0, 0), out(0, 0, activeTime),
			put(0, 10*ms, activeTime), none(activeTime + holdTime - ms), out(0, 10*ms, activeTime+holdTime),
		}},
		{"longer for one of which something came", []step{
			put(1, 0, 0), put(0, 10*ms, 0), out(1, 0, 0), none(activeHold - ms), out(0, 10*ms, activeHold),
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
			l := newInterleaver(2)
			for i, s := range tt.steps {
				if s.put {
					l.put(s.track, heldFrame{Frame: &media.Frame{PTS: s.pts}, since: begin.Add(s.after)})
					continue
				}
				track, f, ok := l.next(begin.Add(s.after))
				if ok != (s.track >= 0) || ok && (track != s.track || f.PTS != s.pts) {
					t.Fatalf("step %d: track %d, %v; want track %d at %v", i, track, ok, s.track, s.pts)
				}
			}
		})
	}
}

func TestInterleaveEndedTrackIsNotWaitedFor(t *testing.T) {
	l := newInterleaver(2)
	now := time.Now()
	l.put(0, heldFrame{Frame: &media.Frame{PTS: 1}, since: now})
	l.end(1)
	if _, _, ok := l.next(now); !ok {
		t.Error("a frame waits for a track that has ended")
	}
}
