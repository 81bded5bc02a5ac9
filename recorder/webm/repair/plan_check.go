package repair

import (
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/walk"
)

// leads reports whether Cues are of use: each leads to a Cluster, and the last is not
// much earlier than the last place that could be led to.
func leads(w *walk.Walker, t top, s *survey) (bool, error) {
	entries, latest := 0, int64(0)
	ok, err := w.Window.EachCue(t.data, t.end, func(c walk.CueEntry) (bool, error) {
		entries++
		latest = max(latest, int64(min(c.Ticks, layout.MaxCueTicks)))
		return is(w, ebml.ClusterID, c.Position, s)
	})
	if !ok || err != nil || entries == 0 {
		return false, err
	}
	cues := s.index.Cues()
	if len(cues) == 0 {
		return true, nil
	}
	tick := s.head.Tick
	return int64(float64(latest)*float64(tick)/float64(ebml.DefaultTick)) >= cues[len(cues)-1].MS-2*layout.MaxCueStep, nil
}

// is reports whether the element that is at a position in the Segment has an ID.
func is(w *walk.Walker, id ebml.ElementID, position uint64, s *survey) (bool, error) {
	if position >= uint64(s.end-s.head.Segment) {
		return false, nil
	}
	at := s.head.Segment + int64(position)
	e, ok, err := w.Ahead.Head(at)
	if !ok || err != nil || e.ID != id {
		return false, err
	}
	if id == ebml.ClusterID { // it may have its ID, and be part of a damage
		return w.Ahead.Opens(at + int64(e.Bytes))
	}
	return true, nil
}

// pointsRight reports whether all entries of a SeekHead lead where they say, and one
// to the Cues that are there or will be.
func pointsRight(w *walk.Walker, t top, s *survey) (bool, error) {
	named := s.seek.cues == 0
	ok, err := w.Window.EachSeek(t.data, t.end, func(id ebml.ElementID, position uint64) (bool, error) {
		if id != ebml.CuesID {
			return is(w, id, position, s)
		}
		right := s.seek.cues > 0 && position == uint64(s.seek.cues-s.head.Segment)
		named = named || right
		return right, nil
	})
	return ok && named, err
}
