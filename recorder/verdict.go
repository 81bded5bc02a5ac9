package recorder

import (
	"maps"
	"math"
	"slices"
	"time"

	"weir/sfu/media"
)

const (
	// poorShare is the share of the time that may be missing until a recording counts
	// as poor.
	poorShare = 0.01
	// apartAfter is how far picture and sound are from one another when they are
	// apart (ITU-R BT.1359 has sound 125 ms late for noticeable), and apartLong how
	// long they may be so: at the start sender reports take some time.
	apartAfter = 100 * time.Millisecond
	apartLong  = 3 * time.Second
	// soundLong is how much sound may be missing in the file: where silence stands, or
	// because there was no room for it.
	soundLong = time.Second
	// earlyBy is how long before the end of a recording a track may end. A picture may
	// stand still for twice as long as it ever did before: one picture in 2 s is what
	// browsers send of a screen on which nothing moves.
	earlyBy = 2 * time.Second
)

// endedEarly returns the track that ended seconds before the recording did, or nil.
func (c *collector) endedEarly(end time.Duration) *EndedEarly {
	if len(c.inputs) < 2 {
		return nil
	}
	for i, in := range c.inputs {
		most := earlyBy
		if in.info.Kind() == media.Video {
			most = max(most, 2*c.longest)
		}
		if c.last[i] >= 0 && end-c.last[i] > most {
			return &EndedEarly{in.info.ID, milliseconds(c.last[i])}
		}
	}
	return nil
}

// verdict sums q up in a word. Media that the publisher did not send are not missing: a
// picture may stand still for as long as it likes, where no packet of it was lost. A
// clock of the wrong rate counts like frames that are missing: as long as it is off by.
// Silence that makes up for a clock's own rate is not missing sound.
func (c *collector) verdict(rec *Recording, q *Quality) string {
	missing := map[string]int64{"": milliseconds(c.losing)} // by track, ms
	gaps := rec.MoreGaps
	for _, g := range rec.Gaps {
		if g.Reason == "" {
			gaps++
			missing[g.Track] += g.DurationMS
		}
	}
	wrong := false
	for _, c := range q.Clocks {
		if c.WrongRate {
			wrong = true
			missing[c.Track] += int64(math.Abs(c.SkewPPM) / 1e6 * float64(rec.DurationMS))
		}
	}
	most := slices.Max(slices.Collect(maps.Values(missing)))
	switch {
	case rec.State == Failed, len(q.Unusable) > 0, float64(most) > poorShare*float64(rec.DurationMS):
		return "poor"
	case gaps > 0, wrong, q.Overruns > 0, q.Dropped > 0, c.losing > 0,
		c.apart > apartLong, q.EndedEarly != nil,
		q.FillerMS+q.TrimmedMS-q.DriftMS > milliseconds(soundLong+c.excused):
		return "gaps"
	case q.Repaired > 0:
		return "repaired"
	}
	return "clean"
}
