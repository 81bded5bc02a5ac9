package pace

import (
	"testing"
	"time"
)

const ms = time.Millisecond

func TestEdge(t *testing.T) {
	var e Edge
	if e.Known() {
		t.Error("an edge of nothing is known")
	}
	for i, tt := range []struct {
		pts, now           time.Duration
		edge, idle, behind time.Duration // afterwards, 5 ms later; how late a frame of PTS 100 ms is
	}{
		{-20 * ms, 40 * ms, -20 * ms, 5 * ms, -115 * ms},
		{100 * ms, 50 * ms, 100 * ms, 5 * ms, 5 * ms},
		{90 * ms, 60 * ms, 100 * ms, 15 * ms, 15 * ms},
		{100 * ms, 70 * ms, 100 * ms, 5 * ms, 5 * ms},
		{300 * ms, 70 * ms, 300 * ms, 5 * ms, 205 * ms},
	} {
		e.Advance(tt.pts, tt.now)
		now := tt.now + 5*ms
		if e.PTS != tt.edge || e.Idle(now) != tt.idle || e.Now(now) != tt.edge+tt.idle || e.Late(100*ms, now) != tt.behind || !e.Known() {
			t.Errorf("step %d: edge %v, idle %v, now %v, late %v", i, e.PTS, e.Idle(now), e.Now(now), e.Late(100*ms, now))
		}
	}
}

// TestRelease: the delay is what the latest frame needs, grows at once and shrinks
// slowly, faster while it is far too long.
func TestRelease(t *testing.T) {
	var r Release
	for n := range 4 { // a chunk of 40 ms
		r.Arrived(time.Duration(n)*10*ms, 40*ms)
	}
	if r.Delay() != 40*ms {
		t.Fatalf("the delay is %v", r.Delay())
	}
	for n := range 4 {
		pts := time.Duration(n) * 10 * ms
		if at, early := r.Due(pts, false); at != pts+40*ms || early {
			t.Errorf("frame %d is due at %v", n, at)
		}
		r.Released(pts, pts+40*ms)
	}
	r.Arrived(40*ms, 1040*ms)
	if at, _ := r.Due(40*ms, false); at != 1040*ms {
		t.Errorf("a frame that is 1 s late is due at %v", at)
	}
	r.Released(40*ms, 1040*ms)
	steps := []time.Duration{}
	for pts := time.Second; pts < 6*LateWindow; pts += 20 * ms {
		before := r.Delay()
		r.Arrived(pts, pts+40*ms)
		r.Released(pts, pts+before)
		steps = append(steps, before-r.Delay())
	}
	if r.Delay() != 40*ms {
		t.Errorf("it comes back to %v", r.Delay())
	}
	fast, slow := 0, 0
	for _, s := range steps {
		switch s {
		case 2 * ms:
			fast++
		case ms:
			slow++
		}
	}
	// From 1000 ms to 540 by 2 ms a frame, to 40 by 1 ms.
	if fast != 230 || slow != 500 {
		t.Errorf("%d steps of 2 ms and %d of 1 ms", fast, slow)
	}
}

// TestReleaseHurry: with no room frames come out faster, but one behind the other.
func TestReleaseHurry(t *testing.T) {
	var r Release
	r.Arrived(0, 0)
	r.Arrived(800*ms, 0)
	r.Released(0, 0)
	if at, early := r.Due(800*ms, true); at != 100*ms || !early {
		t.Errorf("due at %v, early %v", at, early)
	}
	r.Released(800*ms, 100*ms)
	r.Arrived(820*ms, 2*time.Second) // so late that there is nothing to hurry
	if at, early := r.Due(820*ms, true); at != 102500*time.Microsecond || !early {
		t.Errorf("due at %v, early %v", at, early)
	}
	if at, early := r.Due(-time.Hour, true); early || at > 0 {
		t.Errorf("a frame from before is due at %v, early %v", at, early)
	}
}

func TestWindowMax(t *testing.T) {
	var w windowMax
	for i, tt := range []struct{ now, value, max time.Duration }{
		{0, -5, -5},
		{1, 7, 7},
		{LateWindow, 3, 7},
		{2*LateWindow - 1, 4, 7},
		{2 * LateWindow, 2, 4},
		{9 * LateWindow, 1, 1},
	} {
		if w.observe(tt.now, tt.value); w.max() != tt.max {
			t.Errorf("step %d: %v, want %v", i, w.max(), tt.max)
		}
	}
}
