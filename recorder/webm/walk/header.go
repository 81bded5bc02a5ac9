package walk

import (
	"weir/recorder/webm/ebml"
)

const (
	// MaxHeaderPart is the most data that an EBML header, Info or Tracks may have.
	// Fonts of subtitles, which are large, are Attachments.
	MaxHeaderPart = 4 << 20
	// maxFileTracks is the most tracks that a file may declare.
	maxFileTracks = 128
)

// Header is what a file says before its first Cluster, and where.
type Header struct {
	SizeAt    int64 // of the Segment's size field
	SizeBytes int
	Segment   int64 // the Segment's data
	Claimed   int64 // its end by its size; -1 if it has none

	ebml.Info
	InfoPart Piece // its end is zero until it has come
	Own      bool  // weir wrote it

	Tracks     []Entry // nil until Tracks has come
	TracksPart Piece
	numbers    map[uint64]int
}

// Entry is one track of a file.
type Entry struct {
	ebml.TrackEntry
	At int64 // of its TrackEntry
}

func (h *Header) byNumber(number uint64) (int, bool) {
	if len(h.Tracks) <= 8 { // as good as always
		for i := range h.Tracks {
			if h.Tracks[i].Number == number {
				return i, true
			}
		}
		return 0, false
	}
	i, ok := h.numbers[number]
	return i, ok
}

// ReadStart reads the EBML header and the head of the Segment (RFC 9559 section 4
// and 5.1). An error wraps ErrNotWebM, ErrHeader or ErrRead.
func (w *Walker) ReadStart() error {
	e, ok, err := w.Window.Head(0)
	if err != nil {
		return err
	}
	if !ok || e.ID != ebml.HeaderID || e.Unknown || e.Size > MaxHeaderPart {
		return e.ID.Fail(ebml.ErrNotWebM, 0, "a file begins with an EBML header")
	}
	p := Piece{ID: e.ID, Data: int64(e.Bytes), End: int64(e.Bytes) + e.Size}
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	if err := ebml.CheckHeader(data, 0, p.Data); err != nil {
		return err
	}
	at := p.End
	for {
		if e, ok, err = w.Window.Head(at); err != nil {
			return err
		}
		if !ok || e.ID != ebml.SegmentID && (e.ID != ebml.VoidID || e.Unknown) {
			return e.ID.Fail(ebml.ErrHeader, at, "stands where the Segment should begin")
		}
		if e.ID == ebml.SegmentID {
			break
		}
		at += int64(e.Bytes) + e.Size
	}
	w.Head.SizeAt, w.Head.SizeBytes = at+4, e.Bytes-4
	w.Head.Segment, w.Head.Claimed = at+int64(e.Bytes), -1
	w.Head.Tick = ebml.DefaultTick
	if !e.Unknown {
		w.Head.Claimed = w.Head.Segment + e.Size
	}
	return nil
}

// data returns the data of p.
func (w *Walker) data(p *Piece) ([]byte, error) {
	n := p.End - p.Data
	if n > MaxHeaderPart {
		return nil, p.ID.Fail(ebml.ErrHeader, p.At, ebml.ReasonTooLarge)
	}
	if p.End > w.Window.Size {
		return nil, p.ID.Fail(ebml.ErrHeader, p.At, ebml.ReasonEnd)
	}
	b := make([]byte, n)
	return b, ReadFull(w.Window.File, b, p.Data)
}

// readTop reads a child of the Segment that is no Cluster.
func (w *Walker) readTop(p Piece) error {
	h := &w.Head
	switch {
	case p.ID == ebml.InfoID && h.InfoPart.End == 0:
		return w.readInfo(p)
	case p.ID == ebml.TracksID && h.Tracks == nil:
		return w.readTracks(p)
	}
	return nil
}

// readInfo reads Info. The bytes behind a TimestampScale may be nonsense: a Duration is
// being written there when power fails.
func (w *Walker) readInfo(p Piece) error {
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	h := &w.Head
	h.InfoPart = p
	h.Info, err = ebml.ParseInfo(data, p.Data)
	h.Own = h.MuxingApp == ebml.MuxingApp
	if h.Scaled && h.Tick > 0 {
		return nil
	}
	return err
}

// readTracks reads Tracks.
func (w *Walker) readTracks(p Piece) error {
	data, err := w.data(&p)
	if err != nil {
		return err
	}
	numbers := map[uint64]int{}
	var tracks []Entry
	err = ebml.EachTrack(data, p.At, p.Data, maxFileTracks, func(t ebml.TrackEntry, at int64) {
		numbers[t.Number] = len(tracks)
		tracks = append(tracks, Entry{t, at})
	})
	if err == nil {
		w.Head.TracksPart, w.Head.Tracks, w.Head.numbers = p, tracks, numbers
	}
	return err
}
