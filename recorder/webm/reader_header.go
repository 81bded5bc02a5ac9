package webm

import (
	"bytes"
	"strconv"
	"time"
)

// headerState is what precedes the Clusters of a Segment. It begins anew with
// each EBML header.
type headerState struct {
	started  bool
	complete bool          // a Cluster has come
	at       int64         // where it begins
	tick     time.Duration // what timestamps count (TimestampScale); 0 until Info has come
	tracks   []TrackEntry  // nil until Tracks has come
}

func newHeader(at int64) headerState { return headerState{started: true, at: at} }

// fresh says that the stream has not begun.
func (h *headerState) fresh() bool { return !h.started }

// wants says whether the data of the element, Info or Tracks, are still needed.
// Once there was a Cluster, they are not.
func (h *headerState) wants(id ElementID) bool {
	if id == infoID {
		return h.tick == 0
	}
	return h.tracks == nil
}

// Limits of what a header may say.
const (
	maxTick            = time.Second
	maxCodecID         = 64 // bytes
	maxDefaultDuration = time.Minute
	maxCodecDelay      = time.Second
	// newestMatroska is the DocTypeReadVersion up to which RFC 9559 tells how to
	// read (section 4).
	newestMatroska = 4
)

// child is an element inside of a collected one.
type child struct {
	id     ElementID
	at     int64 // in the stream
	dataAt int64 // in the stream
	data   []byte
}

// eachChild calls f for the children of an element whose data are b and begin at
// the offset at. Depth is bounded because each level is a call of its own that
// knows what it may hold; what it does not know it does not enter.
func eachChild(b []byte, at int64, f func(child) error) error {
	for len(b) > 0 {
		n := 0
		for {
			more, ok := headNeeds(b[:n])
			if !ok || more > len(b)-n {
				return ElementID(0).fail(ErrHeader, at, reasonNoElement)
			}
			if more == 0 {
				break
			}
			n += more
		}
		e, ok := parseHead(b[:n])
		switch {
		case !ok:
			return ElementID(0).fail(ErrHeader, at, reasonNoElement)
		case e.unknown:
			return e.id.fail(ErrHeader, at, reasonNoSize)
		case e.size > int64(len(b)-n):
			return e.id.fail(ErrHeader, at, reasonOverrun)
		}
		end := n + int(e.size)
		if err := f(child{e.id, at, at + int64(n), b[n:end]}); err != nil {
			return err
		}
		b = b[end:]
		at += int64(end)
	}
	return nil
}

// uint returns the child as an unsigned integer of at most limit.
func (c child) uint(limit uint64) (uint64, error) {
	v, ok := bigEndian(c.data)
	if !ok || v > limit {
		return 0, c.id.fail(ErrHeader, c.at, "is more than "+strconv.FormatUint(limit, 10))
	}
	return v, nil
}

// text returns the child as a string of at most limit bytes of printable ASCII
// (RFC 8794 section 7.4). It ends at the first zero byte (section 7.5).
func (c child) text(limit int) (string, error) {
	s, _, _ := bytes.Cut(c.data, []byte{0})
	if len(s) > limit {
		return "", c.id.fail(ErrHeader, c.at, "is too long")
	}
	for _, b := range s {
		if b < ' ' || b > '~' {
			return "", c.id.fail(ErrHeader, c.at, "has bytes that are not printable ASCII")
		}
	}
	return string(s), nil
}

// readEBML reads an EBML header.
func (r *Reader) readEBML(data []byte) error {
	return checkEBML(data, r.at, r.off-int64(len(data)))
}

// checkEBML checks an EBML header (RFC 8794 section 11.2) that begins at the
// offset at and whose data begin at the offset dataAt.
func checkEBML(data []byte, at, dataAt int64) error {
	seen := false
	err := eachChild(data, dataAt, func(c child) error {
		limit := uint64(1)
		switch c.id {
		case docTypeID:
			seen = true
			kind, err := c.text(maxCodecID)
			if err == nil && kind != "webm" && kind != "matroska" {
				err = c.id.fail(ErrNotWebM, c.at, strconv.Quote(kind)+" is not webm or matroska")
			}
			return err
		case ebmlReadVersionID:
		case ebmlMaxIDLengthID:
			limit = maxIDBytes
		case ebmlMaxSizeLengthID:
			limit = maxSizeBytes
		case docTypeReadVersionID:
			limit = newestMatroska
		default:
			return nil
		}
		if v, ok := bigEndian(c.data); !ok || v > limit {
			return c.id.fail(ErrNotWebM, c.at, "is more than "+strconv.FormatUint(limit, 10))
		}
		return nil
	})
	if err == nil && !seen {
		err = ebmlID.fail(ErrNotWebM, at, "has no DocType")
	}
	return err
}

// readInfo reads Info (RFC 9559 section 5.1.2).
func (r *Reader) readInfo(data []byte) error {
	r.header.tick = defaultTick
	return eachChild(data, r.off-int64(len(data)), func(c child) error {
		if c.id != timestampScaleID {
			return nil
		}
		var err error
		r.header.tick, err = c.tick()
		return err
	})
}

// tick returns the child, a TimestampScale, as the duration of a tick.
func (c child) tick() (time.Duration, error) {
	v, err := c.uint(uint64(maxTick))
	if err == nil && v == 0 {
		err = c.id.fail(ErrHeader, c.at, "is zero")
	}
	return time.Duration(v), err
}

// defaultTick is what a tick is without a TimestampScale.
const defaultTick = time.Millisecond

// readTracks reads Tracks (RFC 9559 section 5.1.4).
func (r *Reader) readTracks(data []byte) error {
	var tracks []TrackEntry
	err := eachChild(data, r.off-int64(len(data)), func(c child) error {
		if c.id != trackEntryID {
			return nil
		}
		if len(tracks) == maxReadTracks {
			return c.id.fail(ErrTooManyTracks, c.at, "is one more than "+strconv.Itoa(maxReadTracks))
		}
		t, err := readEntry(c)
		if err != nil {
			return err
		}
		for _, other := range tracks {
			if other.Number == t.Number {
				return c.id.fail(ErrHeader, c.at, "has the number of another track")
			}
		}
		tracks = append(tracks, t)
		return nil
	})
	if err == nil && len(tracks) == 0 {
		err = tracksID.fail(ErrHeader, r.at, "has no track")
	}
	if err != nil {
		return err
	}
	r.header.tracks = tracks
	given := make([]TrackEntry, len(tracks)) // so that ours cannot be changed
	copy(given, tracks)
	return r.to.Header(Header{Tracks: given})
}
