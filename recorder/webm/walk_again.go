package webm

// follows says whether what is at at makes it believable that a part ends there:
// an element that is known and fits, or the end of the file, unless that may be one
// that a Repair made.
func (w *walker) follows(at int64) (bool, error) {
	if at == w.src.size {
		return !w.open, nil
	}
	e, ok, err := w.far.head(at)
	if !ok || err != nil {
		return false, err
	}
	if e.id == clusterID {
		return true, nil
	}
	if e.unknown || at+int64(e.bytes)+e.size > w.src.size {
		return false, nil
	}
	switch e.id {
	case simpleBlockID, blockGroupID, timestampID, positionID, prevSizeID:
		return w.open, nil
	}
	return e.id.outside() || e.id == voidID, nil
}

// startsAgain says whether a walk can go on at at, where the ID of a child of the
// Segment is. Of a Cluster that takes a Timestamp and a first block; of others,
// a first child that is known, and that they end where the file does or another
// begins. So the IDs that a SeekHead holds are not taken for what they name.
func (w *walker) startsAgain(at int64) (bool, error) {
	e, ok, err := w.far.head(at)
	if !ok || err != nil {
		return false, err
	}
	data := at + int64(e.bytes)
	if e.id == clusterID {
		return w.clusterStarts(data)
	}
	end := data + e.size
	if e.unknown || end > w.src.size || e.size == 0 {
		return false, nil
	}
	first, ok, err := w.far.head(data)
	if !ok || err != nil || first.unknown || data+int64(first.bytes)+first.size > end || !first.id.begins(e.id) {
		return false, err
	}
	if end == w.src.size {
		return true, nil
	}
	next, ok, err := w.far.head(end)
	return ok && (next.id.outside() || next.id == voidID), err
}

// clusterStarts says whether what is at data, behind the head of a Cluster, makes
// it believable.
func (w *walker) clusterStarts(data int64) (bool, error) {
	if w.head.tracks == nil {
		return false, nil
	}
	timed := false
	for range 8 { // there are not that many before the first block
		c, ok, err := w.far.head(data)
		if !ok || err != nil || c.unknown || data+int64(c.bytes)+c.size > w.src.size {
			return false, err
		}
		switch c.id {
		case timestampID:
			if timed = c.size <= 8; !timed {
				return false, nil
			}
		case simpleBlockID, blockGroupID:
			return timed, nil
		case crc32ID, positionID, prevSizeID, silentTracksID, voidID:
		default:
			return false, nil
		}
		data += int64(c.bytes) + c.size
	}
	return false, nil
}
