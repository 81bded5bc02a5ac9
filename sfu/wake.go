package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
)

// reader is what a ring's writer tells that there is something new, without ever
// waiting for it. inline reports whether a reader that is done soon may do its work at
// once, on the writer's goroutine: the writer has nothing else to do.
type reader interface{ wake(inline bool) }

// waker is a reader that sleeps: it gets a value.
type waker chan struct{}

func newWaker() waker { return make(waker, 1) }

func (w waker) wake(bool) {
	select {
	case w <- struct{}{}:
	default: // it has been told already
	}
}

// wakers is the set of readers that a writer wakes. Reading it takes one atomic
// load: it is copied when it changes, which is rare.
type wakers struct {
	mu  sync.Mutex // serializes add and remove
	set atomic.Pointer[[]reader]
}

func (ws *wakers) wake(inline bool) {
	if set := ws.set.Load(); set != nil {
		for _, w := range *set {
			w.wake(inline)
		}
	}
}

func (ws *wakers) add(w reader) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var set []reader
	if old := ws.set.Load(); old != nil {
		set = slices.Clone(*old)
	}
	set = append(set, w)
	ws.set.Store(&set)
}

func (ws *wakers) remove(w reader) {
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
