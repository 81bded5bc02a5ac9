package codec

// h264Gate is the gate of H.264. The zero value is closed.
//
// A frame does not say which ones it refers to, but reference frames are counted:
// frame_num is one more than that of the last reference frame, whatever was in between
// that no frame refers to (ISO/IEC 14496-10 section 7.4.3). When it goes on over a
// hole, no reference frame is missing.
//
// The number wraps, and starts anew with an IDR picture. So it proves something
// only while fewer frames can be missing than would make it come round to the
// same value; a missing frame is at least one packet.
type h264Gate struct {
	open   bool
	last   h264Frame // the last reference frame that passed
	missed uint64    // packets lost and frames broken since the last whole frame
	unseen uint64    // the same, since the last reference frame
}

// closed implements gate.
func (g *h264Gate) closed() bool { return !g.open }

// incomplete implements gate. A broken frame that no other refers to harms none.
func (g *h264Gate) incomplete(d *h264Frame, lost uint64) {
	g.count(addCapped(lost, 1))
	if d == nil || !d.vcl || d.reference || !g.last.numbered {
		g.open = false
	}
}

func (g *h264Gate) count(n uint64) {
	g.missed = addCapped(g.missed, n)
	g.unseen = addCapped(g.unseen, n)
}

// admit implements gate.
func (g *h264Gate) admit(d *h264Frame, keyframe bool, lost uint64) (pass, missing bool) {
	g.count(lost)
	missing = g.missed > 0
	switch {
	case keyframe && d.completed && lost > 0:
		g.open = false // what is missing right before it may be other parameter sets
	case keyframe:
		g.open = true
	case g.unseen > 0 && !g.goesOn(d):
		g.open = false
	}
	g.missed = 0
	if !g.open {
		return false, missing
	}
	if d.reference || keyframe {
		g.last, g.unseen = *d, 0
	}
	return true, missing
}

// goesOn reports whether no reference frame is missing between the last one and d.
func (g *h264Gate) goesOn(d *h264Frame) bool {
	if !d.numbered || !g.last.numbered || d.idr || d.turn != g.last.turn {
		return false
	}
	// An IDR picture and all reference frames up to d's number may be missing, or a
	// whole turn of them.
	if g.unseen > uint64(g.last.frameNum) || g.unseen >= d.turn {
		return false
	}
	return uint64(d.frameNum) == (uint64(g.last.frameNum)+1)%d.turn
}
