package ws

import (
	"testing"
	"time"

	"weir/recorder/webm"
)

// unitsOf returns units of 50 ms and n bytes, from the i-th to before the j-th,
// with a keyframe each second.
func unitsOf(i, j, n int) []unit {
	var units []unit
	for ; i < j; i++ {
		at := time.Duration(i) * 50 * time.Millisecond
		units = append(units, unit{Unit: webm.Unit{
			Time: at, End: at + 50*time.Millisecond, Key: i%20 == 0, Begins: i%20 == 0, Blocks: make([]byte, n),
		}})
	}
	return units
}

func begunRing(units []unit) *ring {
	r := &ring{changed: make(chan struct{})}
	r.setHeader(mainLine, header{init: []byte{1}, mime: "video/webm"})
	r.append(mainLine, units)
	return r
}

// drain takes all there is and returns the units' numbers by their times, and
// how often one joined.
func drain(r *ring, p *position) (numbers []int, joins int) {
	for {
		t := r.next(p)
		if !t.some {
			return numbers, joins
		}
		if t.joins {
			joins++
		}
		numbers = append(numbers, int(t.unit.Time/(50*time.Millisecond)))
	}
}

func TestRingStartsAtTheNewestKeyframe(t *testing.T) {
	r := begunRing(unitsOf(0, 55, 100))
	var p position
	numbers, joins := drain(r, &p)
	consecutive(t, numbers, 40)
	if len(numbers) != 15 || joins != 1 {
		t.Errorf("%d units, %d joins", len(numbers), joins)
	}
	r.append(mainLine, unitsOf(55, 65, 100))
	numbers, joins = drain(r, &p)
	consecutive(t, numbers, 55)
	if len(numbers) != 10 || joins != 0 || p.cuts != 0 {
		t.Errorf("%d units, %d joins, %d cuts", len(numbers), joins, p.cuts)
	}
}

// TestRingCutsTheSlow: beyond 2 s or 1 MiB a reader goes on at a keyframe, the
// newest or the next. What there was when it joined is no lag.
func TestRingCutsTheSlow(t *testing.T) {
	for _, tt := range []struct {
		name          string
		first, last   int // units that come while nothing is taken
		size          int
		next          int // the one with which it goes on, -1: the next keyframe
		cuts, request int
	}{
		{"on time", 15, 50, 100, 11, 0, 0},
		{"2 s, a keyframe came", 15, 70, 100, 60, 1, 0},
		{"1 MiB, a keyframe came", 15, 25, 200 << 10, 20, 1, 0},
		{"1 MiB, no keyframe came", 15, 19, 400 << 10, -1, 1, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := begunRing(unitsOf(0, 15, 200<<10)) // 3 MB are there when it joins
			var p position
			for range 11 {
				if !r.next(&p).some {
					t.Fatal("nothing to take")
				}
			}
			r.append(mainLine, unitsOf(tt.first, tt.last, tt.size))
			got := r.next(&p)
			if tt.next < 0 {
				if got.some {
					t.Fatalf("unit at %v", got.unit.Time)
				}
				r.append(mainLine, unitsOf(tt.last, 23, 100))
				numbers, joins := drain(r, &p)
				consecutive(t, numbers, 20)
				if joins != 1 {
					t.Errorf("%d joins", joins)
				}
			} else if n := int(got.unit.Time / (50 * time.Millisecond)); !got.some || n != tt.next || got.joins != (tt.cuts > 0) {
				t.Errorf("goes on with %d, joins %v, want %d", n, got.joins, tt.next)
			}
			if p.cuts != tt.cuts || got.request != (tt.request > 0) {
				t.Errorf("%d cuts, request %v", p.cuts, got.request)
			}
		})
	}
}

// TestRingAsksForANewKeyframe: who comes long after the newest keyframe of a
// publisher that can be asked waits for a new one, but not for ever.
func TestRingAsksForANewKeyframe(t *testing.T) {
	long := func(i, j int) []unit { // no keyframe but the first
		units := unitsOf(i, j, 100)
		for k := range units {
			units[k].Key = i+k == 0
		}
		return units
	}
	for _, tt := range []struct {
		name    string
		asks    bool
		there   int  // units when it comes
		waits   bool // for a keyframe
		next    int  // units that come then
		key     bool // the last one of them is a keyframe
		away    bool // the publisher sends nothing
		first   int  // the unit with which it starts; -1: it goes on waiting
		request bool
	}{
		{"cannot be asked", false, 100, false, 0, false, false, 0, false},
		{"is new enough", true, 20, false, 0, false, false, 0, false},
		{"comes", true, 100, true, 3, true, false, 102, true},
		{"is on its way", true, 100, true, 7, false, false, -1, true},
		{"does not come", true, 100, true, 8, false, false, 0, true},
		{"cannot come", true, 100, true, 0, false, true, 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := begunRing(long(0, tt.there))
			p := position{asks: tt.asks}
			got := r.next(&p)
			if got.some == tt.waits || got.request != tt.request {
				t.Fatalf("gets a unit: %v, requests: %v", got.some, got.request)
			}
			if !tt.waits {
				return
			}
			if got = r.next(&p); got.some || got.request {
				t.Fatalf("gets a unit: %v, requests again: %v", got.some, got.request)
			}
			if units := long(tt.there, tt.there+tt.next); len(units) > 0 {
				units[len(units)-1].Key = tt.key
				r.append(mainLine, units)
			}
			r.setAway(tt.away)
			got = r.next(&p)
			if first := int(got.unit.Time / (50 * time.Millisecond)); got.some != (tt.first >= 0) || got.some && first != tt.first {
				t.Errorf("gets a unit: %v, number %d, want %d", got.some, first, tt.first)
			}
		})
	}
}

// TestRingIsBounded: neither a long group nor large units make it grow.
func TestRingIsBounded(t *testing.T) {
	r := begunRing(unitsOf(0, 1, 10))
	for i := 1; i < 2000; i++ {
		u := unitsOf(i, i+1, 100)
		u[0].Key = false
		r.append(mainLine, u)
	}
	if span := r.lines[mainLine].units[len(r.lines[mainLine].units)-1].End - r.lines[mainLine].units[0].Time; span > ringSpan || r.lines[mainLine].hasKey {
		t.Errorf("it holds %v, keyframe %v", span, r.lines[mainLine].hasKey)
	}
	if r.append(mainLine, unitsOf(2001, 2002, 10)) {
		t.Error("says that a player could start")
	}
	if !r.append(mainLine, unitsOf(2020, 2120, 300<<10)) {
		t.Error("says that no player could start")
	}
	if size := r.lines[mainLine].total - r.lines[mainLine].units[0].before; size > ringBytes {
		t.Errorf("it holds %d bytes", size)
	}
	if r.append(mainLine, nil); len(r.lines[mainLine].units) > 100 {
		t.Errorf("it holds %d units", len(r.lines[mainLine].units))
	}
}

// TestViewerTimelineHasNoHole: a viewer that is cut gets the keyframe where its
// timeline had ended.
func TestViewerTimelineHasNoHole(t *testing.T) {
	v := &viewer{}
	place := func(u unit, joins bool) time.Duration {
		v.placeUnit(&u, joins)
		return u.Time - v.zero
	}
	units := unitsOf(20, 90, 1)
	if at := place(units[0], true); at != 0 {
		t.Errorf("the first unit is at %v", at)
	}
	if at := place(units[1], false); at != 50*time.Millisecond {
		t.Errorf("the second unit is at %v", at)
	}
	if at := place(units[60], true); at != 100*time.Millisecond {
		t.Errorf("after a cut the timeline goes on at %v", at)
	}
	if at := place(units[61], false); at != 150*time.Millisecond {
		t.Errorf("and then at %v", at)
	}
}
