package walk

import (
	"weir/recorder/webm/ebml"
)

// follows reports whether what is at at makes it believable that a piece ends there:
// an element that is known and fits, or the end of the file, unless that may be one
// that a Repair made.
func (w *Walker) follows(at int64) (bool, error) {
	if at == w.Window.Size {
		return !w.open, nil
	}
	e, ok, err := w.Ahead.Head(at)
	if !ok || err != nil {
		return false, err
	}
	if e.ID == ebml.ClusterID {
		return true, nil
	}
	if e.Unknown || at+int64(e.Bytes)+e.Size > w.Window.Size {
		return false, nil
	}
	switch e.ID {
	case ebml.SimpleBlockID, ebml.BlockGroupID, ebml.TimestampID, ebml.PositionID, ebml.PrevSizeID:
		return w.open, nil
	}
	return e.ID.Outside() || e.ID == ebml.VoidID, nil
}

// startsAgain reports whether a walk can go on at at, where the ID of a child of the
// Segment is. Of a Cluster that takes a Timestamp and a first block; of others,
// a first child that is known, and that they end where the file does or another
// begins. So the IDs that a SeekHead holds are not taken for what they name.
func (w *Walker) startsAgain(at int64) (bool, error) {
	e, ok, err := w.Ahead.Head(at)
	if !ok || err != nil {
		return false, err
	}
	data := at + int64(e.Bytes)
	if e.ID == ebml.ClusterID {
		return w.clusterStarts(data)
	}
	end := data + e.Size
	if e.Unknown || end > w.Window.Size || e.Size == 0 {
		return false, nil
	}
	first, ok, err := w.Ahead.Head(data)
	if !ok || err != nil || first.Unknown || data+int64(first.Bytes)+first.Size > end || !first.ID.Begins(e.ID) {
		return false, err
	}
	if end == w.Window.Size {
		return true, nil
	}
	next, ok, err := w.Ahead.Head(end)
	return ok && (next.ID.Outside() || next.ID == ebml.VoidID), err
}

// clusterStarts reports whether what is at data, behind the head of a Cluster, makes
// it believable.
func (w *Walker) clusterStarts(data int64) (bool, error) {
	if w.Head.Tracks == nil {
		return false, nil
	}
	timed := false
	for range 8 { // there are not that many before the first block
		c, ok, err := w.Ahead.Head(data)
		if !ok || err != nil || c.Unknown || data+int64(c.Bytes)+c.Size > w.Window.Size {
			return false, err
		}
		switch c.ID {
		case ebml.TimestampID:
			if timed = c.Size <= 8; !timed {
				return false, nil
			}
		case ebml.SimpleBlockID, ebml.BlockGroupID:
			return timed, nil
		case ebml.CRC32ID, ebml.PositionID, ebml.PrevSizeID, ebml.SilentTracksID, ebml.VoidID:
		default:
			return false, nil
		}
		data += int64(c.Bytes) + c.Size
	}
	return false, nil
}
