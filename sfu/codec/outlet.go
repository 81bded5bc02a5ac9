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
	step    time.Duration // from the one before to that
	gap     bool          // frames are missing since then
	anew    bool          // another RTP stream has begun since then
	losses  Losses        // all but Packets, which the reorder counts
}

// missing notes that at least one frame is missing before the next one. Before the
// first frame there is nothing that could be broken.
func (o *outlet) missing() {
	if o.started && !o.gap {
		o.gap = true
		o.losses.Gaps++
	}
}

// follows notes that the next frame is of another RTP stream than the last one, and
// nothing that was sent is known to be missing between them. The last frames of the one
// before may never have come: whether they did, the time tells.
func (o *outlet) follows() { o.anew = o.started }

// seam ends what follows began, at a frame that is shown at pts: at about the usual
// distance nothing is missing.
func (o *outlet) seam(pts time.Duration) {
	if o.anew && (o.step <= 0 || pts-o.last > o.step*3/2) {
		o.missing()
	}
	o.anew = false
}

// putFrame emits a frame.
func (o *outlet) putFrame(pts time.Duration, sync bool, data []byte, emit func(media.Frame)) {
	// Two frames may carry the same RTP timestamp, and a sender report may have
	// moved the clock back: readers rely on the order all the same.
	if o.started && pts <= o.last {
		pts = o.last + time.Microsecond
	}
	o.seam(pts)
	f := media.Frame{PTS: pts, Sync: sync, Gap: o.gap, Data: data}
	if o.started {
		o.step = pts - o.last
	}
	o.started, o.last, o.gap = true, pts, false
	emit(f)
}
