package webm

const (
	// maxHeaderPart is the most data that an EBML header, Info or Tracks may have.
	// Fonts of subtitles, which are large, are Attachments.
	maxHeaderPart = 4 << 20
	// maxFileTracks is the most tracks that a file may declare.
	maxFileTracks = 128
)

// fileHeader is what a file says before its first Cluster, and where.
type fileHeader struct {
	sizeAt    int64 // of the Segment's size field
	sizeBytes int
	segment   int64 // the Segment's data
	claimed   int64 // its end by its size; -1 if it has none

	Info
	info part // its end is zero until it has come
	own  bool // weir wrote it

	tracks  []fileTrack // nil until Tracks has come
	at      part        // of Tracks
	numbers map[uint64]int
}

// fileTrack is one track of a file.
type fileTrack struct {
	TrackEntry
	at int64 // of its TrackEntry
}

func (h *fileHeader) byNumber(number uint64) (int, bool) {
	if len(h.tracks) <= maxReadTracks { // as good as always
		for i := range h.tracks {
			if h.tracks[i].Number == number {
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
		if h.tracks[i].Number > 0xFF {
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

// readInfo reads Info. What is behind a TimestampScale may be nonsense: a Duration is
// being written there when power fails.
func (w *walker) readInfo(p part) error {
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	h := &w.head
	h.info = p
	h.Info, err = parseInfo(data, p.data)
	h.own = h.muxingApp == muxingApp
	if h.scaled && h.tick > 0 {
		return nil
	}
	return err
}

// readTracks reads Tracks.
func (w *walker) readTracks(p part) error {
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	numbers := map[uint64]int{}
	var tracks []fileTrack
	err = eachTrack(data, p.at, p.data, maxFileTracks, func(t TrackEntry, at int64) {
		numbers[t.Number] = len(tracks)
		tracks = append(tracks, fileTrack{t, at})
	})
	if err == nil {
		w.head.at, w.head.tracks, w.head.numbers = p, tracks, numbers
	}
	return err
}
