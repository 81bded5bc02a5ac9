package sfu

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
)

// numbers fills a ring so that the item at a position is that position.
func numbers(r *ring[uint64], n int) {
	for range n {
		pos := r.head.Load()
		r.append(&pos, pos%10 == 0)
	}
}

func TestRingRead(t *testing.T) {
	tests := []struct {
		name    string
		written int
		pos     uint64
		want    []uint64
		lapped  bool
	}{
		{"empty", 0, 0, nil, false},
		{"all", 3, 0, []uint64{0, 1, 2}, false},
		{"in the middle", 3, 2, []uint64{2}, false},
		{"nothing new", 3, 3, nil, false},
		{"beyond the end", 3, 9, nil, false},
		{"just full", 8, 0, []uint64{0, 1, 2, 3}, false},
		{"one is gone", 9, 0, nil, true},
		{"oldest that is left", 9, 1, []uint64{1, 2, 3, 4}, false},
		{"many turns", 805, 797, []uint64{797, 798, 799, 800}, false},
		{"many turns, one is gone", 805, 796, nil, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing[uint64](8)
			numbers(r, tt.written)
			dst := make([]*uint64, 4)
			n, lapped := r.read(tt.pos, dst)
			var got []uint64
			for _, item := range dst[:n] {
				got = append(got, *item)
			}
			if !slices.Equal(got, tt.want) || lapped != tt.lapped {
				t.Errorf("read %v, lapped %v; want %v, %v", got, lapped, tt.want, tt.lapped)
			}
		})
	}
}

func TestRingSyncPoint(t *testing.T) {
	r := newRing[uint64](16)
	if _, ok := r.syncPoint(); ok {
		t.Error("an empty ring has a sync point")
	}
	for written := 1; written < 200; written++ {
		numbers(r, 1)
		want := uint64(written-1) / 10 * 10
		if pos, ok := r.syncPoint(); !ok || pos != want {
			t.Fatalf("after %d items the sync point is %d, %v; want %d", written, pos, ok, want)
		}
	}
	for i := range 100 { // no further one
		item := uint64(200 + i)
		r.append(&item, false)
	}
	if pos, ok := r.syncPoint(); ok {
		t.Errorf("the sync point %d has left the ring, which says it has not", pos)
	}
}

func TestRingTrim(t *testing.T) {
	r := newRing[uint64](16)
	r.trim(func(uint64, *uint64) bool { return true })
	numbers(r, 12)
	r.trim(func(pos uint64, item *uint64) bool {
		if pos != *item {
			t.Errorf("trim shows %d at %d", *item, pos)
		}
		return pos < 5
	})
	if tail := r.tail.Load(); tail != 5 {
		t.Errorf("the oldest item is %d, want 5", tail)
	}
	if _, lapped := r.read(4, make([]*uint64, 1)); !lapped {
		t.Error("a trimmed item can be read")
	}
	if r.slot(4).Load() != nil {
		t.Error("a trimmed item is kept")
	}
	r.trim(func(uint64, *uint64) bool { return true })
	if tail := r.tail.Load(); tail != 11 {
		t.Errorf("after trimming all that may go the oldest item is %d, want 11, the newest", tail)
	}
}

// TestRingStress runs one writer, which also trims, and readers of different
// speed: whatever a reader gets at a position is the item of that position.
func TestRingStress(t *testing.T) {
	const items, readers = 100_000, 8
	r := newRing[uint64](64)
	var running sync.WaitGroup
	var read, lapped atomic.Uint64
	for speed := range readers {
		running.Go(func() {
			n, laps := stressReader(t, r, items, speed)
			read.Add(n)
			lapped.Add(laps)
		})
	}
	for i := range items {
		numbers(r, 1)
		if i%97 == 0 {
			keep := r.head.Load() - min(r.head.Load(), 20)
			r.trim(func(pos uint64, _ *uint64) bool { return pos < keep })
		}
		if i%64 == 0 {
			runtime.Gosched() // or the readers would see little of it on few processors
		}
	}
	r.end()
	running.Wait()
	if read.Load() == 0 {
		t.Error("nobody read anything")
	}
	t.Logf("%d items read, lapped %d times", read.Load(), lapped.Load())
}

// stressReader reads up to the last item; the slower it is, the more often it
// pauses.
func stressReader(t *testing.T, r *ring[uint64], last uint64, slowness int) (read, laps uint64) {
	dst := make([]*uint64, 1+slowness*3)
	pos := uint64(0)
	for pos < last {
		n, lapped := r.read(pos, dst)
		if lapped {
			laps++
			if n != 0 {
				t.Errorf("lapped with %d items", n)
			}
			pos = max(pos+1, r.tail.Load())
			continue
		}
		for i, item := range dst[:n] {
			if item == nil || *item != pos+uint64(i) {
				t.Errorf("torn: at %d there is %v", pos+uint64(i), item)
				return read, laps
			}
		}
		pos += uint64(n)
		read += uint64(n)
		for range 1 + slowness*slowness {
			runtime.Gosched()
		}
	}
	return read, laps
}

func TestWakers(t *testing.T) {
	var ws wakers
	ws.wake(false) // nobody is there
	a, b := newWaker(), newWaker()
	ws.add(a)
	ws.add(b)
	ws.wake(false)
	ws.wake(false) // does not wait for those who know already
	for _, w := range []waker{a, b} {
		if len(w) != 1 {
			t.Errorf("a reader was told %d times, want once", len(w))
		}
		<-w
	}
	ws.remove(a)
	ws.remove(a)
	ws.wake(false)
	if len(a) != 0 || len(b) != 1 {
		t.Errorf("after removing the first reader they were told %d and %d times", len(a), len(b))
	}
	(&wakers{}).remove(a)
}
