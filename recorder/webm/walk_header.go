package webm

import (
	"encoding/binary"
	"math"
	"time"

	"weir/sfu/media"
)

const (
	// maxHeaderPart is the most data that an EBML header, Info or Tracks may have.
	// Fonts of subtitles, which are large, are Attachments.
	maxHeaderPart = 4 << 20
	// maxFileTracks is the most tracks that a file may declare.
	maxFileTracks = 128

	trackTypeID ElementID = 0x83
	muxingAppID ElementID = 0x4D80
	durationID  ElementID = 0x4489
)

// fileHeader is what a file says before its first Cluster, and where.
type fileHeader struct {
	sizeAt    int64 // of the Segment's size field
	sizeBytes int
	segment   int64 // the Segment's data
	claimed   int64 // its end by its size; -1 if it has none

	tick    time.Duration
	info    part // its end is zero until it has come
	lasting durationPlace
	own     bool // weir wrote it

	tracks  []fileTrack // nil until Tracks has come
	at      part        // of Tracks
	numbers map[uint64]int
}

// fileTrack is one track of a file.
type fileTrack struct {
	entry TrackEntry
	kind  media.Kind // zero if neither
	at    int64      // of its TrackEntry
}

// durationPlace is where the Duration is or could be.
type durationPlace struct {
	at    int64   // of the Duration, or of a Void in Info that can hold one; 0 if none
	void  int     // length of that Void; 0 if it is a Duration
	bytes int     // of the Duration's value, 4 or 8
	value float64 // in ticks
	crc   int64   // of Info's CRC-32; 0 if none
}

func (h *fileHeader) byNumber(number uint64) (int, bool) {
	if len(h.tracks) <= maxReadTracks { // as good as always
		for i := range h.tracks {
			if h.tracks[i].entry.Number == number {
				return i, true
			}
		}
		return 0, false
	}
	i, ok := h.numbers[number]
	return i, ok
}

// cueBytes returns how long an entry of the file's index can be.
func (h *fileHeader) cueBytes() int {
	for i := range h.tracks {
		if h.tracks[i].entry.Number > 0xFF {
			return cueBytes + 7
		}
	}
	return cueBytes
}

// readStart reads the EBML header and the head of the Segment (RFC 9559 section 4
// and 5.1). An error wraps ErrNotWebM, ErrHeader or ErrRead.
func (w *walker) readStart() error {
	e, ok, err := w.src.head(0)
	if err != nil {
		return err
	}
	if !ok || e.id != ebmlID || e.unknown || e.size > maxHeaderPart {
		return e.id.fail(ErrNotWebM, 0, "a file begins with an EBML header")
	}
	p := part{id: e.id, data: int64(e.bytes), end: int64(e.bytes) + e.size}
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	if err := checkEBML(data, 0, p.data); err != nil {
		return err
	}
	at := p.end
	for {
		if e, ok, err = w.src.head(at); err != nil {
			return err
		}
		if !ok || e.id != segmentID && (e.id != voidID || e.unknown) {
			return e.id.fail(ErrHeader, at, "stands where the Segment should begin")
		}
		if e.id == segmentID {
			break
		}
		at += int64(e.bytes) + e.size
	}
	w.head.sizeAt, w.head.sizeBytes = at+4, e.bytes-4
	w.head.segment, w.head.claimed = at+int64(e.bytes), -1
	w.head.tick = defaultTick
	if !e.unknown {
		w.head.claimed = w.head.segment + e.size
	}
	return nil
}

// data returns the data of p.
func (w *walker) data(p *part) ([]byte, error) {
	n := p.end - p.data
	if n > maxHeaderPart {
		return nil, p.id.fail(ErrHeader, p.at, reasonTooLarge)
	}
	if p.end > w.src.size {
		return nil, p.id.fail(ErrHeader, p.at, reasonEnd)
	}
	b := make([]byte, n)
	return b, readFull(w.src.file, b, p.data)
}

// readTop reads a child of the Segment that is no Cluster.
func (w *walker) readTop(p part) error {
	h := &w.head
	switch {
	case p.id == infoID && h.info.end == 0:
		return w.readInfo(p)
	case p.id == tracksID && h.tracks == nil:
		return w.readTracks(p)
	}
	return nil
}

// readInfo reads Info (RFC 9559 section 5.1.2). What is behind a TimestampScale
// may be nonsense: a Duration is being written there when power fails.
func (w *walker) readInfo(p part) error {
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	h, scaled := &w.head, false
	h.info = p
	d := &h.lasting
	err = eachChild(data, p.data, func(c child) (err error) {
		total := int(c.dataAt-c.at) + len(c.data)
		switch {
		case c.id == timestampScaleID:
			h.tick, err = c.tick()
			scaled = true
		case c.id == muxingAppID:
			h.own = string(c.data) == muxingApp
		case c.id == crc32ID:
			d.crc = c.at
		case c.id == durationID && len(c.data) == 8:
			d.at, d.void, d.bytes = c.at, 0, 8
			d.value = math.Float64frombits(binary.BigEndian.Uint64(c.data))
		case c.id == durationID && len(c.data) == 4:
			d.at, d.void, d.bytes = c.at, 0, 4
			d.value = float64(math.Float32frombits(binary.BigEndian.Uint32(c.data)))
		case c.id == voidID && d.bytes == 0 && c.dataAt-c.at == 2 && (total == durationBytes || total >= durationBytes+2):
			d.at, d.void = c.at, total
		}
		return err
	})
	if scaled && h.tick > 0 {
		return nil
	}
	return err
}

// readTracks reads Tracks (RFC 9559 section 5.1.4).
func (w *walker) readTracks(p part) error {
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	numbers := map[uint64]int{}
	var tracks []fileTrack
	err = eachChild(data, p.data, func(c child) error {
		if c.id != trackEntryID {
			return nil
		}
		if len(tracks) == maxFileTracks {
			return c.id.fail(ErrTooManyTracks, c.at, "is one too many")
		}
		t := fileTrack{at: c.at}
		var err error
		if t.entry, err = readEntry(c); err != nil {
			return err
		}
		if _, twice := numbers[t.entry.Number]; twice {
			return c.id.fail(ErrHeader, c.at, "has the number of another track")
		}
		t.kind, err = readKind(c)
		numbers[t.entry.Number] = len(tracks)
		tracks = append(tracks, t)
		return err
	})
	if err == nil && len(tracks) == 0 {
		err = tracksID.fail(ErrHeader, p.at, "has no track")
	}
	if err != nil {
		return err
	}
	w.head.at, w.head.tracks, w.head.numbers = p, tracks, numbers
	return nil
}

// readKind reads the TrackType of a TrackEntry.
func readKind(entry child) (kind media.Kind, err error) {
	err = eachChild(entry.data, entry.dataAt, func(c child) error {
		if c.id != trackTypeID {
			return nil
		}
		switch v, _ := bigEndian(c.data); v {
		case 1:
			kind = media.Video
		case 2:
			kind = media.Audio
		}
		return nil
	})
	return kind, err
}
