package codec

// vp9Gate is the gate of VP9. The zero value is closed.
//
// In flexible mode each picture tells which ones it refers to (P_DIFF): it can be
// decoded when those came out. Else the proofs are those of VP8, see vp8Gate,
// with another bit that ends the absence of the upper temporal layers: behind a
// picture with the switching up point U, pictures of higher layers refer to none
// before it but those of its own layer and of lower ones (RFC 9628 section 4.2).
type vp9Gate struct {
	layers vp8Gate

	id  uint64                 // of the last picture; unlike PictureID it does not wrap
	out [vp9MaxDiff + 1]uint64 // id + 1 of the pictures that came out, at their id modulo the size
}

const (
	// vp9MaxDiff is how far back a reference reaches.
	vp9MaxDiff = 1<<7 - 1
	// vp9Apart is added to the id where pictures cannot be compared: no reference
	// reaches over it.
	vp9Apart = vp9MaxDiff + 1
)

// closed implements gate.
func (g *vp9Gate) closed() bool { return !g.layers.open }

// incomplete implements gate.
func (g *vp9Gate) incomplete(d *VP9Descriptor, lost uint64) {
	if d == nil {
		g.layers.incomplete(nil, lost)
		return
	}
	open := g.layers.open
	like := d.likeVP8()
	g.layers.incomplete(&like, lost)
	if d.Flexible && d.HasLayers && d.TID > 0 {
		g.layers.open = open // what refers to it tells
	}
}

// admit implements gate.
func (g *vp9Gate) admit(d *VP9Descriptor, keyframe bool, lost uint64) (pass, missing bool) {
	like := d.likeVP8()
	g.count(&like)
	if d.Flexible && !d.untold && !keyframe {
		pass, missing = g.admitFlexible(d, &like, lost)
	} else {
		pass, missing = g.layers.admit(&like, keyframe, lost)
		if pass && d.HasTL0PicIdx && d.SwitchUp {
			g.layers.top = vp8TopLayer
		}
	}
	if pass {
		g.out[g.id%uint64(len(g.out))] = g.id + 1
	}
	return pass, missing
}

// count gives the picture its id.
func (g *vp9Gate) count(d *VP8Descriptor) {
	ahead, ok := d.idsAhead(&g.layers.last)
	if !ok || ahead == 0 {
		g.id += vp9Apart
		return
	}
	g.id += uint64(ahead)
}

// admitFlexible decides on a picture that tells its references.
func (g *vp9Gate) admitFlexible(d *VP9Descriptor, like *VP8Descriptor, lost uint64) (pass, missing bool) {
	l := &g.layers
	l.lost(lost)
	missing = !l.padded(like)
	switch {
	case !l.open:
	case missing && (!l.plausible(like) || l.missed >= uint64(like.idTurn())):
		l.open = false
	case g.hasAll(&d.refs):
		pass = true
	case !d.HasLayers || d.TID == 0:
		l.open = false // what follows refers to it
	}
	l.follow(like)
	return pass, missing
}

// hasAll reports whether all pictures that the newest one refers to came out.
func (g *vp9Gate) hasAll(refs *vp9Refs) bool {
	for diff := range uint8(vp9MaxDiff + 1) {
		if !refs.has(diff) {
			continue
		}
		id := g.id - uint64(diff)
		if diff == 0 || uint64(diff) > g.id || g.out[id%uint64(len(g.out))] != id+1 {
			return false
		}
	}
	return true
}
