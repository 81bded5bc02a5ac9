package ebml

// Group is what the children of a BlockGroup say (RFC 9559 section 5.1.3.5).
type Group struct {
	HasBlock   bool
	references bool // it has a ReferenceBlock
}

// Child takes the head of the next child. It returns a reason if the group cannot be
// used, and else whether the child's data matter: those of a Block or BlockDuration.
// Alpha planes and all else in BlockAdditions do not.
func (g *Group) Child(e Head) (wanted bool, reason string) {
	switch e.ID {
	case BlockID:
		if g.HasBlock {
			return false, ReasonSecond
		}
		g.HasBlock = true
		return true, ""
	case BlockDurationID:
		if e.Size > 8 {
			return false, ReasonDuration
		}
		return true, ""
	case ReferenceBlockID:
		g.references = true
	}
	return false, ""
}

// Key reports whether a decoder can start with the frame, as far as the group tells.
func (g *Group) Key() bool { return !g.references }
