package interleave

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestOrder: frames of three tracks that are pushed anyhow come out in the order of
// their times, none is lost, and nothing is kept of those that are out.
func TestOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	o := New[*int](3)
	next := make([]time.Duration, 3)
	pushed, popped, last := 0, 0, time.Duration(-1)
	never := func(int, int) bool { return true }
	for pushed < 10_000 || o.Len() > 0 {
		if pushed < 10_000 {
			track := rng.IntN(3)
			next[track] += time.Duration(rng.IntN(3))
			n := pushed
			o.Push(track, next[track], &n)
			if pushed++; pushed == 10_000 {
				for i := range next {
					o.End(i)
				}
			}
		}
		for {
			first, at, ok := o.First()
			track, pts, frame, out := o.Next(never)
			if !out {
				break
			}
			if !ok || track != first || pts != at || pts < last || frame == nil {
				t.Fatalf("track %d at %v comes after %v; First says track %d at %v, %v", track, pts, last, first, at, ok)
			}
			last = pts
			popped++
		}
	}
	if popped != pushed {
		t.Errorf("%d frames came out of %d", popped, pushed)
	}
	for i := range o.tracks {
		kept := o.tracks[i].frames[:cap(o.tracks[i].frames)]
		if slices.ContainsFunc(kept, func(e entry[*int]) bool { return e.frame != nil }) {
			t.Errorf("track %d still holds frames that are out", i)
		}
	}
}

// TestOrderAsks: only tracks that are empty and have not ended are asked for.
func TestOrderAsks(t *testing.T) {
	o := New[string](4)
	o.Push(1, 10, "b")
	o.Push(2, 5, "c")
	o.End(3)
	var asked [][2]int
	await := func(track, first int) bool { asked = append(asked, [2]int{track, first}); return track == 0 }
	if _, _, _, ok := o.Next(await); ok || !slices.Equal(asked, [][2]int{{0, 2}}) {
		t.Errorf("out: %v, asked for %v", ok, asked)
	}
	o.Push(0, 10, "a")
	if track, at, frame, ok := o.Next(await); !ok || track != 2 || at != 5 || frame != "c" || len(asked) != 1 {
		t.Errorf("track %d at %d, %q, %v; asked for %v", track, at, frame, ok, asked)
	}
}

// TestOrderFront: what is put in front is next, wherever the queue is in its memory.
func TestOrderFront(t *testing.T) {
	o := New[int](1)
	want := 0
	for n := range 50 {
		o.Push(0, time.Duration(2*n+1), 2*n+1)
		if n%3 == 0 {
			o.Push(0, time.Duration(2*n+1), -1)
		}
		o.PushFront(0, time.Duration(2*n), 2*n)
		for o.Waiting(0) > n%2 {
			at, frame, _ := o.Head(0)
			if got := o.Pop(0); got != frame || got >= 0 && (at != time.Duration(got) || got < want) {
				t.Fatalf("%d at %d, after %d", got, at, want)
			}
			want = max(want, frame)
		}
		for o.Waiting(0) > 0 {
			o.Pop(0)
		}
	}
	if _, _, ok := o.Head(0); ok || o.Len() != 0 {
		t.Error("something is left")
	}
}
