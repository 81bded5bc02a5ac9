package codec

// vp8TopLayer is the highest temporal layer that a TID can name.
const vp8TopLayer = 3

// vp8Gate decides which of the whole frames can be decoded, from what is missing
// between them. The zero value is closed and waits for the first keyframe.
//
// A VP8 frame does not say which frames it refers to, so that after a loss only
// a keyframe is safe, but for two proofs:
//
//   - Picture ids count frames. When they go on over a hole, the hole was
//     padding, and nothing is missing.
//   - TL0PICIDX counts the frames of temporal layer 0, and those refer to layer
//     0 only. When it goes on, what is missing was of a higher layer, which
//     stays dropped up to a frame with the layer sync bit Y (RFC 7741 section
//     4.2).
//
// Both count modulo their size. They prove something only while fewer frames can
// be missing than make a full turn; a missing frame is at least one packet.
type vp8Gate struct {
	open bool  // frames of layer 0 can be decoded
	top  uint8 // the highest layer that is whole; vp8TopLayer: nothing is missing

	last   VP8Descriptor // of the last whole frame
	missed uint64        // packets lost and frames broken since then
	broken bool          // a frame was broken since then

	base    uint8 // TL0PICIDX of the last frame of layer 0 that was let through
	hasBase bool
	suspect bool   // frames are missing since then, maybe of layer 0
	unseen  uint64 // packets lost and frames broken since then
}

// lost counts n packets that are missing behind the last one.
func (g *vp8Gate) lost(n uint64) {
	g.missed = addCapped(g.missed, n)
	g.unseen = addCapped(g.unseen, n)
}

// incomplete implements gate. It does not wait for the next whole frame to close
// the gate: the sooner that a keyframe is asked for, the shorter the freeze.
func (g *vp8Gate) incomplete(d *VP8Descriptor, lost uint64) {
	g.lost(addCapped(lost, 1))
	g.broken = true
	g.suspect = true
	g.top = 0
	if d == nil || !d.layered() || d.TID == 0 || !g.hasBase || d.TL0PicIdx != g.base {
		g.open = false
	}
}

// padded reports whether nothing but padding is missing between the last whole frame
// and the whole frame d.
func (g *vp8Gate) padded(d *VP8Descriptor) bool {
	if g.missed == 0 {
		return true
	}
	ahead, ok := d.idsAhead(&g.last)
	return ok && !g.broken && ahead == 1 && g.missed < uint64(d.idTurn())
}

// closed implements gate.
func (g *vp8Gate) closed() bool { return !g.open }

// admit implements gate.
func (g *vp8Gate) admit(d *VP8Descriptor, keyframe bool, lost uint64) (pass, missing bool) {
	g.lost(lost)
	missing = !g.padded(d)
	switch {
	case keyframe:
		g.open, g.top = true, vp8TopLayer
		g.suspect, g.hasBase = false, false
		pass = true
	case !g.open:
	case missing:
		g.suspect, g.top = true, 0
		if g.plausible(d) {
			pass = g.admitInter(d)
		} else {
			g.open = false
		}
	default:
		pass = g.admitInter(d)
	}
	g.follow(d)
	if pass {
		g.advance(d)
	}
	return pass, missing
}

// plausible reports whether the picture ids agree with the number of packets that are
// missing: then it is the same encoder that still counts, and not a new one by chance.
func (g *vp8Gate) plausible(d *VP8Descriptor) bool {
	ahead, ok := d.idsAhead(&g.last)
	return ok && ahead != 0 && !(ahead == 1 && g.broken) && uint64(ahead) <= g.missed+1
}

// follow remembers that d was whole.
func (g *vp8Gate) follow(d *VP8Descriptor) { g.last, g.missed, g.broken = *d, 0, false }

// admitInter decides on a frame that refers to others.
func (g *vp8Gate) admitInter(d *VP8Descriptor) bool {
	if !g.suspect && g.top == vp8TopLayer {
		return true
	}
	if !d.layered() || !g.hasBase {
		g.open = false
		return false
	}
	if g.suspect && !g.baseIntact(d) {
		g.open = false
		return false
	}
	if d.TID <= g.top {
		return true
	}
	if !d.LayerSync || d.TL0PicIdx != g.base {
		return false
	}
	// The layer is whole again from here on, if those below it are: its later
	// frames may refer to them.
	if d.TID == g.top+1 {
		g.top = d.TID
	}
	return true
}

// baseIntact reports whether no frame of layer 0 is missing before d.
func (g *vp8Gate) baseIntact(d *VP8Descriptor) bool {
	if g.unseen > 255 {
		return false
	}
	if d.TID == 0 {
		return d.TL0PicIdx == g.base+1
	}
	return d.TL0PicIdx == g.base
}

// advance remembers a frame that was let through.
func (g *vp8Gate) advance(d *VP8Descriptor) {
	switch {
	case !d.layered():
		g.hasBase = false
	case d.TID == 0:
		g.base, g.hasBase = d.TL0PicIdx, true
		// A frame of a higher layer does not clear the suspicion: it may refer to
		// another frame of layer 0 than the newest.
		g.suspect, g.unseen = false, 0
	}
}

// addCapped adds without wrapping around; beyond 2^32 the number is the same to
// every proof.
func addCapped(a, b uint64) uint64 {
	const limit = 1 << 32
	return min(a+min(b, limit), limit)
}
