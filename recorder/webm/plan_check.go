package webm

// children calls f for the head of each child of what lies from at to end, with
// where its data begin, until it returns false. ok says that they fill it exactly.
func (w *walker) children(at, end int64, f func(e elementHead, data int64) (bool, error)) (ok bool, err error) {
	for at < end {
		e, ok, err := w.src.head(at)
		data := at + int64(e.bytes)
		if !ok || err != nil || e.unknown || data+e.size > end {
			return false, err
		}
		if ok, err := f(e, data); !ok || err != nil {
			return false, err
		}
		at = data + e.size
	}
	return at == end, nil
}

// leads says whether Cues are of use: each leads to a Cluster, and the last is not
// much earlier than the last place that could be led to. Those with anything else
// in them are taken for ones that were being written.
func (w *walker) leads(t top, s *survey) (bool, error) {
	points, latest := 0, int64(0)
	ok, err := w.children(t.data, t.end, func(point elementHead, data int64) (bool, error) {
		if point.id == crc32ID {
			return true, nil
		}
		if points++; point.id != cuePointID {
			return false, nil
		}
		return w.children(data, data+point.size, func(e elementHead, data int64) (bool, error) {
			switch e.id {
			case cueTimeID:
				v, ok, err := w.src.uint(data, e.size)
				latest = max(latest, int64(min(v, maxCueTicks)))
				return ok, err
			case cueTrackPositionsID:
				return w.children(data, data+e.size, func(e elementHead, data int64) (bool, error) {
					if e.id != cueClusterPositionID {
						return true, nil
					}
					v, ok, err := w.src.uint(data, e.size)
					if !ok || err != nil {
						return false, err
					}
					return w.is(clusterID, v, s)
				})
			}
			return true, nil
		})
	})
	if !ok || err != nil || points == 0 {
		return false, err
	}
	cues := s.index.cues()
	if len(cues) == 0 {
		return true, nil
	}
	tick := s.head.tick
	return int64(float64(latest)*float64(tick)/float64(defaultTick)) >= cues[len(cues)-1].ms-2*maxCueStep, nil
}

// is says whether the element that is at a position in the Segment has an ID.
func (w *walker) is(id ElementID, position uint64, s *survey) (bool, error) {
	if position >= uint64(s.end-s.head.segment) {
		return false, nil
	}
	at := s.head.segment + int64(position)
	e, ok, err := w.far.head(at)
	if !ok || err != nil || e.id != id {
		return false, err
	}
	if id == clusterID { // it may have its ID, and be part of a damage
		return w.far.opens(at + int64(e.bytes))
	}
	return true, nil
}

// pointsRight says whether all entries of a SeekHead lead where they say, and one
// to the Cues that are there or will be.
func (w *walker) pointsRight(t top, s *survey) (bool, error) {
	named := s.seek.cues == 0
	ok, err := w.children(t.data, t.end, func(entry elementHead, data int64) (bool, error) {
		if entry.id != seekID {
			return entry.id == crc32ID || entry.id == voidID, nil
		}
		var id, position uint64
		has, err := w.children(data, data+entry.size, func(e elementHead, data int64) (ok bool, err error) {
			switch e.id {
			case seekIDID:
				id, ok, err = w.src.uint(data, e.size)
			case seekPositionID:
				position, ok, err = w.src.uint(data, e.size)
			}
			return ok, err
		})
		if !has || err != nil {
			return false, err
		}
		if ElementID(id) == cuesID {
			right := s.seek.cues > 0 && position == uint64(s.seek.cues-s.head.segment)
			named = named || right
			return right, nil
		}
		return w.is(ElementID(id), position, s)
	})
	return ok && named, err
}
