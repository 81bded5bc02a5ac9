package sfu

import (
	"slices"
	"time"

	"weir/sfu/media"
)

// liveFor is how long after its newest item a track counts as one that is being sent.
const liveFor = 2 * time.Second

// Best returns one track of each group of encodings (media.TrackInfo.Group), in the order
// in which the groups begin in tracks: for a reader that takes one track of each picture
// and sound. It is the best one that is being sent: that whose newest keyframe tells the
// largest picture, and of several of the same size the first one. Where none of a group
// is being sent, all of its tracks are as good.
func Best(tracks []*Track) []*Track {
	return choose(tracks, func(size, other uint64) bool { return size > other })
}

// Smallest is Best for a reader that wants the least: the smallest picture that is known.
func Smallest(tracks []*Track) []*Track {
	return choose(tracks, func(size, other uint64) bool { return size > 0 && (other == 0 || size < other) })
}

// choose returns one track of each group: the best one, in pixels, that is being sent.
func choose(tracks []*Track, better func(size, other uint64) bool) []*Track {
	var groups []string
	best := map[string]*Track{}
	for _, t := range tracks {
		group := t.info.Group()
		other := best[group]
		if other == nil {
			groups = append(groups, group)
		}
		if other == nil || t.isLive() && !other.isLive() || t.isLive() == other.isLive() && better(t.pixels(), other.pixels()) {
			best[group] = t
		}
	}
	chosen := make([]*Track, len(groups))
	for i, group := range groups {
		chosen[i] = best[group]
	}
	return slices.Clip(chosen)
}

// isLive reports whether something of t has come lately.
func (t *Track) isLive() bool {
	last := t.lastItem()
	return last != media.Never && t.stream.now()-last <= liveFor
}

// lastItem returns when the newest item of what the source writes came, or media.Never.
func (t *Track) lastItem() time.Duration {
	packets, frames, native := t.rings()
	if native == Frames {
		if f := newest(frames); f != nil {
			return f.PTS // about when it came
		}
		return media.Never
	}
	if p := newest(packets); p != nil {
		return p.Arrival
	}
	return media.Never
}

// newest returns the newest item of a ring, or nil.
func newest[T any](r *ring[T]) *T {
	head := r.head.Load()
	if head == 0 {
		return nil
	}
	return r.slot(head - 1).Load()
}

// pixels returns the size of the newest keyframe's picture, 0 if it is not known.
func (t *Track) pixels() uint64 {
	size := t.counters.size.Load()
	return size >> 32 * (size & (1<<32 - 1))
}
