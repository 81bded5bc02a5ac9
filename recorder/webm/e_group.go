package webm

// Group is what the children of a BlockGroup say (RFC 9559 section 5.1.3.5).
type Group struct {
	hasBlock   bool
	references bool // it has a ReferenceBlock
}

// child takes the head of the next child. It returns a reason if the group cannot be
// used, and else whether the child's data matter: those of a Block or BlockDuration.
// Alpha planes and all else in BlockAdditions do not.
func (g *Group) child(e elementHead) (wanted bool, reason string) {
	switch e.id {
	case blockID:
		if g.hasBlock {
			return false, reasonSecond
		}
		g.hasBlock = true
		return true, ""
	case blockDurationID:
		if e.size > 8 {
			return false, reasonDuration
		}
		return true, ""
	case referenceBlockID:
		g.references = true
	}
	return false, ""
}

// key reports whether a decoder can start with the frame, as far as the group tells.
func (g *Group) key() bool { return !g.references }
