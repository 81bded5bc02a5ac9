package sfu

import (
	"weir/sfu/codec"
	"weir/sfu/media"
)

// Keyframe returns the newest keyframe if it is there and whole, else nil. It is for a
// reader that wants one picture now and then: it asks the publisher for nothing, and of
// packets only those of the keyframe are made into a frame.
func (t *Track) Keyframe() (frame *media.Frame) {
	packets, frames, native := t.rings()
	if native == Frames {
		return newestSync(frames)
	}
	d := t.format.NewDepacketizer(codec.Config{Marked: t.marked.Load()})
	for p := newestSync(packets); frame == nil && p != nil; p = t.Packet(p.Seq + 1) {
		d.Depacketize(p, func(f media.Frame) { frame = &f }) // without a marker the next frame ends one
	}
	return frame
}

// newestSync returns the newest item at which a decoder can start, or nil.
func newestSync[T any](r *ring[T]) *T {
	if pos, ok := r.syncPoint(); ok {
		if item := r.slot(pos).Load(); r.tail.Load() <= pos {
			return item
		}
	}
	return nil
}
