package simulcast

import "time"

const (
	// arrivalWindow is how far back it is looked for a packet that was not delayed.
	arrivalWindow = 5 * time.Second
	// maxDisagreement is how far a sender report may place an encoding from where its
	// arrival does: encoders take their time, and some clients report for one encoding
	// what is true of another.
	maxDisagreement = time.Second
)

// origin is where the clock of an encoding lies on that of the group, as a distance:
// by arrival, and by sender reports if there are some.
type origin struct {
	windows           int // how many of the following are known
	windowAt          time.Duration
	current, previous time.Duration // the least of this window and of the one before
	reported          bool
	report            time.Duration
}

// arrive notes when a packet came that was captured at that time of the encoding.
func (o *origin) arrive(captured, at time.Duration) {
	distance := at - captured
	switch {
	case o.windows == 0:
		o.windows, o.windowAt, o.current, o.previous = 1, at, distance, distance
	case at-o.windowAt >= arrivalWindow:
		o.windowAt, o.previous, o.current = at, o.current, distance
	default:
		o.current = min(o.current, distance)
	}
}

// byArrival returns the distance as the packets tell it.
func (o *origin) byArrival() time.Duration { return min(o.current, o.previous) }

// byReports returns the distance as sender reports tell it, if that can be true.
func (o *origin) byReports() (time.Duration, bool) {
	return o.report, o.reported && (o.report-o.byArrival()).Abs() <= maxDisagreement
}

// apart returns how much further one origin lies than another one, by reports if both
// have some: they place what comes earlier than arrival does.
func (o *origin) apart(other *origin) time.Duration {
	mine, ok := o.byReports()
	others, both := other.byReports()
	if ok && both {
		return mine - others
	}
	return o.byArrival() - other.byArrival()
}

// tell takes in a sender report: the time captured was the instant at.
func (o *origin) tell(captured, at time.Duration) { o.reported, o.report = true, at-captured }

// captured is the time of an encoding's packet on the encoding's own clock.
func (g *Group) captured(p *EncodingPacket) time.Duration { return g.codec.Duration(int64(p.Time)) }
