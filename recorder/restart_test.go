package recorder

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// TestGoesOnAfterRestart: recordings name each other where the end of the server was
// what cut the first one, and the publisher comes back right after the next start.
func TestGoesOnAfterRestart(t *testing.T) {
	sound := func(b *broadcast) {
		for n := range 10 {
			b.audio(n, time.Duration(n)*audioStep)
		}
	}
	run := func(dir, stream string, stopped bool) {
		r, hub := newTest(t, dir)
		publish(t, hub, stream, []media.TrackInfo{audioTrack}, func(b *broadcast) {
			sound(b)
			if stopped {
				r.Stopping()
			}
		})
		r.Close()
	}
	for _, tt := range []struct {
		name    string
		first   func(t *testing.T, dir string)
		stream  string
		later   time.Duration // than its start the server is told that it began
		goes    bool
		stopped bool // the first one says that it was
	}{
		{"killed", func(t *testing.T, dir string) { run(dir, "a", false); rewind(t, dir) }, "a", 0, true, false},
		{"stopped", func(t *testing.T, dir string) { run(dir, "a", true) }, "a", 0, true, true},
		{"ended by itself", func(t *testing.T, dir string) { run(dir, "a", false) }, "a", 0, false, false},
		{"another name", func(t *testing.T, dir string) { run(dir, "a", true) }, "b", 0, false, true},
		{"back too late", func(t *testing.T, dir string) { run(dir, "a", true) }, "a", longestReturn + time.Minute, false, true},
		{"away too long", func(t *testing.T, dir string) { run(dir, "a", true) }, "a", -longestRestart - time.Minute, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			tt.first(t, dir)
			r, hub := newTest(t, dir)
			r.started = r.started.Add(-tt.later)
			publish(t, hub, tt.stream, []media.TrackInfo{audioTrack}, sound)
			publish(t, hub, tt.stream, []media.TrackInfo{audioTrack}, sound) // goes on from nothing
			await(t, "the repair", func() bool {
				list, _, err := r.Recordings(Query{})
				return err == nil && len(list) == 3 && list[2].Frames > 0
			})
			list, _, err := r.Recordings(Query{})
			if err != nil {
				t.Fatal(err)
			}
			last, second, first := list[0], list[1], list[2]
			if goes := second.Previous == first.ID && first.Next == second.ID; goes != tt.goes || !tt.goes && second.Previous+first.Next != "" {
				t.Errorf("the first one's next is %q, the second one's previous %q", first.Next, second.Previous)
			}
			if last.Previous != "" || second.Next != "" {
				t.Errorf("a broadcast goes on from one that ended by itself: %+v", last)
			}
			if first.Stopped != tt.stopped || second.Stopped {
				t.Errorf("stopped: %v, %v", first.Stopped, second.Stopped)
			}
		})
	}
}
