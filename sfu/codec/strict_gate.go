package codec

// strictGate is the gate of a codec that tells nothing of what frames refer to:
// after whatever is missing only a keyframe passes. The zero value is closed.
type strictGate[D any] struct {
	open bool
	hole bool // something is missing since the last whole frame
}

func (g *strictGate[D]) closed() bool { return !g.open }

func (g *strictGate[D]) incomplete(*D, uint64) { g.open, g.hole = false, true }

func (g *strictGate[D]) admit(_ *D, keyframe bool, lost uint64) (pass, missing bool) {
	missing = g.hole || lost > 0
	g.open = keyframe || g.open && !missing
	g.hole = false
	return g.open, missing
}
