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
		{"held no longer than holdTime", []step{
			put(0, 10*ms, 0), none(holdTime - ms), out(0, 10*ms, holdTime), put(1, 5*ms, holdTime), none(holdTime),
			put(0, 30*ms, holdTime), out(1, 5*ms, holdTime),
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
