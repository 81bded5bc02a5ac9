package sfu

import "sync/atomic"

// ring is a log of the newest items of a track with one writer and any number of
// readers, none of which ever waits for another. Positions count up from zero
// and never wrap. Items are immutable and shared; an item that has left the ring
// lives on for as long as a reader holds it.
//
// The writer stores tail before it reuses a slot and head after it has filled
// one; a reader loads a slot and then checks tail. So what a reader gets is
// either the item of that position or the news that it is gone.
type ring[T any] struct {
	slots []atomic.Pointer[T] // length is a power of two
	head  atomic.Uint64       // position of the next item
	tail  atomic.Uint64       // position of the oldest item kept
	sync  atomic.Uint64       // 1 + position of the newest item where a decoder can start; 0: none yet
	ended atomic.Bool         // no item will follow
	wakers

	from atomic.Pointer[conversion] // makes the items when they are asked for; nil: a source writes them
}

// pull has the items made that there may be.
func (r *ring[T]) pull() { r.from.Load().pull() }

// newRing returns a ring for size items; size is a power of two.
func newRing[T any](size int) *ring[T] {
	return &ring[T]{slots: make([]atomic.Pointer[T], size)}
}

func (r *ring[T]) slot(pos uint64) *atomic.Pointer[T] {
	return &r.slots[pos&uint64(len(r.slots)-1)]
}

// append adds an item. A reader that waits for it learns of it by wake: once for a
// burst, rather than for each of its items. Writer only.
func (r *ring[T]) append(item *T, sync bool) {
	pos := r.head.Load()
	if oldest := pos - min(pos, uint64(len(r.slots)-1)); oldest > r.tail.Load() {
		r.tail.Store(oldest)
	}
	r.slot(pos).Store(item)
	if sync {
		r.sync.Store(pos + 1)
	}
	r.head.Store(pos + 1)
}

// trim drops the oldest items for as long as old says so, but never the newest
// one. Writer only.
func (r *ring[T]) trim(old func(pos uint64, item *T) bool) {
	head := r.head.Load()
	for tail := r.tail.Load(); tail+1 < head && old(tail, r.slot(tail).Load()); tail++ {
		r.tail.Store(tail + 1)
		r.slot(tail).Store(nil)
	}
}

// end notes that no item will follow, and wakes the readers.
func (r *ring[T]) end() {
	r.ended.Store(true)
	r.wake(false)
}

// syncPoint returns the newest position at which a decoder can start.
func (r *ring[T]) syncPoint() (pos uint64, ok bool) {
	s := r.sync.Load()
	if s == 0 || s-1 < r.tail.Load() {
		return 0, false
	}
	return s - 1, true
}

// read copies items from pos on into dst and returns how many. When the item at
// pos has left the ring it returns lapped.
func (r *ring[T]) read(pos uint64, dst []*T) (n int, lapped bool) {
	head := r.head.Load()
	for n < len(dst) && pos+uint64(n) < head {
		at := pos + uint64(n)
		item := r.slot(at).Load()
		if r.tail.Load() > at {
			return n, n == 0
		}
		dst[n] = item
		n++
	}
	return n, false
}
