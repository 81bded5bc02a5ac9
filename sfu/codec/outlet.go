package codec

import (
	"time"

	"weir/sfu/media"
)

// outlet is the last step of every depacketizer: it marks gaps, counts them, and
// keeps the PTS strictly increasing.
type outlet struct {
	started bool
	last    time.Duration // PTS of the last frame
	gap     bool          // frames are missing since then
	losses  Losses        // all but Packets, which the reorder counts
}

// missing says that at least one frame is missing before the next one. Before
// the first frame there is nothing that could be broken.
func (o *outlet) missing() {
	if o.started && !o.gap {
		o.gap = true
		o.losses.Gaps++
	}
}

// put emits a frame.
func (o *outlet) put(pts time.Duration, sync bool, data []byte, emit func(media.Frame)) {
	// Two frames may carry the same RTP timestamp, and a sender report may have
	// moved the clock back: readers rely on the order all the same.
	if o.started && pts <= o.last {
		pts = o.last + time.Microsecond
	}
	f := media.Frame{PTS: pts, Sync: sync, Gap: o.gap, Data: data}
	o.started, o.last, o.gap = true, pts, false
	emit(f)
}
