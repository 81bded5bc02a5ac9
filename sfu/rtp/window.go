package rtp

import "time"

// windowMin is the minimum of what was observed in the last one to two windows.
type windowMin struct {
	window   time.Duration
	begun    time.Duration // when the current window began
	current  time.Duration
	previous time.Duration
	n        int // windows that hold a value: 0, 1 or 2
}

func (w *windowMin) observe(now, v time.Duration) time.Duration {
	switch {
	case w.n == 0:
		w.begun, w.current, w.previous, w.n = now, v, v, 1
	case now-w.begun >= w.window:
		w.begun, w.previous, w.current, w.n = now, w.current, v, 2
	default:
		w.current = min(w.current, v)
	}
	m, _ := w.min()
	return m
}

// least is min of what is not empty.
func (w *windowMin) least() time.Duration {
	m, _ := w.min()
	return m
}

// shift adds by to all that was observed.
func (w *windowMin) shift(by time.Duration) {
	w.current += by
	w.previous += by
}

func (w *windowMin) min() (time.Duration, bool) {
	switch w.n {
	case 0:
		return 0, false
	case 1:
		return w.current, true
	default:
		return min(w.current, w.previous), true
	}
}
