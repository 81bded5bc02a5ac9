package poster

import "time"

// outcome is what became of a picture that was due, or that a publisher has sent.
type outcome uint8

const (
	taken   outcome = iota // of a keyframe
	sent                   // by its publisher
	failed                 // the keyframe cannot be decoded
	skipped                // the machine is busy
	late                   // put off: the budget was spent
	refused                // a publisher's, that was unfit or came too soon
)

var outcomeNames = [...]string{taken: "taken", sent: "sent", failed: "failed", skipped: "skipped", late: "late", refused: "refused"}

// Outcome counts one kind of what became of pictures.
type Outcome struct {
	Name  string
	Count uint64
}

func (g *Gallery) count(o outcome) { g.outcomes[o].Add(1) }

// Spent is how much of the processor's time all pictures together have taken.
func (g *Gallery) Spent() time.Duration { return time.Duration(g.spent.Load()) }

// Outcomes tells what became of all pictures so far: "taken" of a keyframe, "sent" by
// their publisher, "failed" to be decoded, "skipped" because the machine was busy,
// "late" because the budget was spent, "refused".
func (g *Gallery) Outcomes() []Outcome {
	all := make([]Outcome, len(outcomeNames))
	for o, name := range outcomeNames {
		all[o] = Outcome{name, g.outcomes[o].Load()}
	}
	return all
}
