package walk

import (
	"weir/recorder/webm/ebml"
)

// children calls f for the head of each child of what lies from at to end, with where
// its data begin, until it returns false. ok reports whether they fill it exactly.
func (s *Window) children(at, end int64, f func(e ebml.Head, data int64) (bool, error)) (ok bool, err error) {
	for at < end {
		e, ok, err := s.Head(at)
		data := at + int64(e.Bytes)
		if !ok || err != nil || e.Unknown || data+e.Size > end {
			return false, err
		}
		if ok, err := f(e, data); !ok || err != nil {
			return false, err
		}
		at = data + e.Size
	}
	return at == end, nil
}

// CueEntry is where one track can be played from (RFC 9559 section 5.1.5).
type CueEntry struct {
	Ticks    uint64 // CueTime
	Track    uint64 // CueTrack; 0 if it is not told
	Position uint64 // CueClusterPosition, from the start of the Segment's data
}

// EachCue calls f for the entries of Cues whose data lie from at to end, until it
// returns false. ok reports whether there is nothing else in them, and all could be
// read: Cues with anything else are taken for ones that were being written.
func (s *Window) EachCue(at, end int64, f func(CueEntry) (bool, error)) (ok bool, err error) {
	return s.children(at, end, func(point ebml.Head, data int64) (bool, error) {
		if point.ID != ebml.CuePointID {
			return point.ID == ebml.CRC32ID, nil
		}
		return s.eachPlace(data, data+point.Size, f)
	})
}

// eachPlace calls f for the entries of a CuePoint.
func (s *Window) eachPlace(at, end int64, f func(CueEntry) (bool, error)) (ok bool, err error) {
	var c CueEntry
	ok, err = s.children(at, end, func(e ebml.Head, data int64) (ok bool, err error) {
		if e.ID == ebml.CueTimeID {
			c.Ticks, ok, err = s.uint(data, e.Size)
			return ok, err
		}
		return true, nil
	})
	if !ok || err != nil {
		return false, err
	}
	return s.children(at, end, func(e ebml.Head, data int64) (bool, error) {
		if e.ID != ebml.CueTrackPositionsID {
			return true, nil
		}
		c.Track, c.Position = 0, 0
		ok, err := s.children(data, data+e.Size, func(e ebml.Head, data int64) (ok bool, err error) {
			switch e.ID {
			case ebml.CueTrackID:
				c.Track, ok, err = s.uint(data, e.Size)
			case ebml.CueClusterPositionID:
				c.Position, ok, err = s.uint(data, e.Size)
			default:
				ok = true
			}
			return ok, err
		})
		if !ok || err != nil {
			return false, err
		}
		return f(c)
	})
}

// EachSeek calls f for the entries of a SeekHead (RFC 9559 section 5.1.1) whose data
// lie from at to end, until it returns false: position is counted from the start of the
// Segment's data. ok is that of eachCue.
func (s *Window) EachSeek(at, end int64, f func(id ebml.ElementID, position uint64) (bool, error)) (ok bool, err error) {
	return s.children(at, end, func(entry ebml.Head, data int64) (bool, error) {
		if entry.ID != ebml.SeekID {
			return entry.ID == ebml.CRC32ID || entry.ID == ebml.VoidID, nil
		}
		var id, position uint64
		ok, err := s.children(data, data+entry.Size, func(e ebml.Head, data int64) (ok bool, err error) {
			switch e.ID {
			case ebml.SeekIDID:
				id, ok, err = s.uint(data, e.Size)
			case ebml.SeekPositionID:
				position, ok, err = s.uint(data, e.Size)
			}
			return ok, err
		})
		if !ok || err != nil {
			return false, err
		}
		return f(ebml.ElementID(id), position)
	})
}
