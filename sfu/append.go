package sfu

import (
	"time"

	"weir/sfu/media"
)

const (
	// ringWindow is what a ring keeps in any case: enough to answer the NACKs of
	// a viewer far away and to bridge a stalled reader.
	ringWindow = 3 * time.Second
	// ringGroup is how far back a ring keeps the newest group of pictures, so
	// that a joiner finds a keyframe. A publisher whose keyframes are further
	// apart is asked for one.
	ringGroup = 12 * time.Second
)

// appendPacket adds p to the ring and lets go of what is too old.
func (t *Track) appendPacket(r *ring[media.Packet], p *media.Packet) {
	t.bySeq[p.Seq%uint64(len(t.bySeq))].Store(p)
	if p.Time > t.edge.Load() {
		t.edge.Store(p.Time)
	}
	// A keyframe that was late does not take the place of a newer one.
	sync := p.Sync && p.Seq > t.newestSync
	if sync {
		t.newestSync = p.Seq
	}
	r.append(p, sync)
	group := ^uint64(0)
	if pos, ok := r.syncPoint(); ok && p.Arrival-r.slot(pos).Load().Arrival <= ringGroup {
		group = pos
	}
	r.trim(func(pos uint64, old *media.Packet) bool {
		if pos >= group || p.Arrival-old.Arrival <= ringWindow {
			return false
		}
		t.bySeq[old.Seq%uint64(len(t.bySeq))].CompareAndSwap(old, nil)
		t.gone = max(t.gone, old.Seq)
		return true
	})
}

// appendFrame is appendPacket for frames.
func appendFrame(r *ring[media.Frame], f *media.Frame) {
	r.append(f, f.Sync)
	group := ^uint64(0)
	if pos, ok := r.syncPoint(); ok && f.PTS-r.slot(pos).Load().PTS <= ringGroup {
		group = pos
	}
	r.trim(func(pos uint64, old *media.Frame) bool {
		return pos < group && f.PTS-old.PTS > ringWindow
	})
}
