package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
)

// waker is how a ring's writer tells one sleeping reader that there is something
// new, without ever waiting for it.
type waker chan struct{}

func newWaker() waker { return make(waker, 1) }

func (w waker) wake() {
	select {
	case w <- struct{}{}:
	default: // it has been told already
	}
}

// wakers is the set of readers that a writer wakes. Reading it takes one atomic
// load: it is copied when it changes, which is rare.
type wakers struct {
	mu  sync.Mutex // serializes add and remove
	set atomic.Pointer[[]waker]
}

func (ws *wakers) wake() {
	if set := ws.set.Load(); set != nil {
		for _, w := range *set {
			w.wake()
		}
	}
}

func (ws *wakers) add(w waker) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var set []waker
	if old := ws.set.Load(); old != nil {
		set = slices.Clone(*old)
	}
	set = append(set, w)
	ws.set.Store(&set)
}

func (ws *wakers) remove(w waker) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	old := ws.set.Load()
	if old == nil {
		return
	}
	set := slices.Clone(*old)
	if i := slices.Index(set, w); i >= 0 {
		set = slices.Delete(set, i, i+1)
	}
	ws.set.Store(&set)
}
