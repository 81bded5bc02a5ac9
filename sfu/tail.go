package sfu

import (
	"time"

	"weir/sfu/media"
)

// tailWindow is how far back it is looked for a packet that was not delayed.
const tailWindow = 5 * time.Second

// Tail returns where the track ends: a publisher that takes it over goes on from there.
func (w *TrackWriter) Tail() media.Tail {
	if w.packets == nil || w.newest == nil {
		return media.Tail{}
	}
	tail := media.Tail{Seq: w.newest.Seq, Time: w.newest.Time, PTS: w.newest.PTS, Delay: w.newest.Arrival - w.newest.PTS}
	r := w.packets
	for pos := r.head.Load(); pos > r.tail.Load(); {
		pos--
		p := r.slot(pos).Load()
		if w.newest.Arrival-p.Arrival > tailWindow {
			break
		}
		tail.Delay = min(tail.Delay, p.Arrival-p.PTS)
	}
	return tail
}
