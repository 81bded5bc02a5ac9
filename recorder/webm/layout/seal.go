package layout

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"time"

	"weir/recorder/webm/ebml"
)

// seekHeadBytes is the length of a SeekHead with its three entries, and of the
// Void that holds its place.
const (
	SeekHeadBytes = 4 + 1 + 3*SeekBytes
	SeekBytes     = 2 + 1 + (2 + 1 + 4) + (2 + 1 + 8)
)

// ErrWrite is returned when a file that is written or repaired failed; the error also
// wraps the file's own. Of a Writer it is sticky: every later call returns it and the
// file is left as it is, which is as if the process had crashed there.
var ErrWrite = errors.New("webm: write failed")

// Summary is what is known of a file at its end.
type Summary struct {
	End      int64    // the length of the file
	Clusters []uint32 // the size of each Cluster's data, in the order of the file
	Silent   []int    // indices of tracks without a frame
	Duration time.Duration
	Tick     time.Duration // 0 for 1 ms
	// Front is the Cues element for the room in the header, at most
	// layout.indexRoom bytes; nil if there is none.
	Front []byte
	// Cues is where the Cues are, from the start of the file; 0 if nowhere.
	Cues int64
	// Others are what else the SeekHead is to name.
	Others []Seek
}

// Patch is one positioned write.
type Patch struct {
	At   int64
	Data []byte
}

// Write writes p. An error wraps ErrWrite.
func (p Patch) Write(f io.WriterAt) error {
	n, err := f.WriteAt(p.Data, p.At)
	if err == nil && n < len(p.Data) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	return nil
}

// Seal turns an open file, whose last Cluster and appended Cues are written, into
// a finished one. After each of its writes the file is valid and plays, because
// each either fills a place that is still covered by a Void, or replaces
// something by its equal in length within a few bytes:
//
//  1. The Clusters' sizes, in a Segment that still has none.
//  2. Silent tracks: a TrackEntry (ID AE) becomes a Void (ID EC).
//  3. The Cues' entries, inside the Void that keeps their room; then the head of
//     the Cues, over that Void's head, which is just as long.
//  4. The Segment's size.
//  5. The Duration, over a Void in Info.
//  6. The SeekHead, over its Void. It comes last: a file with a SeekHead that
//     names Cues is a finished one.
func Seal(l Layout, s Summary, write func(Patch) error) error {
	at := l.end
	var size [8]byte
	for _, n := range s.Clusters {
		if err := write(Patch{at + int64(ebml.ClusterID.Width()), ebml.AppendWideSize(size[:0], uint64(n), 8)}); err != nil {
			return err
		}
		at += ebml.ClusterHead + int64(n)
	}
	for _, i := range s.Silent {
		if err := write(Patch{l.entries[i], []byte{byte(ebml.VoidID)}}); err != nil {
			return err
		}
	}
	rest, err := s.Header(l)
	if err != nil {
		return err
	}
	for _, p := range rest {
		if err := write(p); err != nil {
			return err
		}
	}
	return nil
}

// Header returns the writes 3 to 6 of Seal.
func (s Summary) Header(l Layout) ([]Patch, error) {
	var out []Patch
	if len(s.Front) > 0 {
		room := ebml.Fill(ebml.CuesID, CuesHead-ebml.CuesID.Width(), s.Front[CuesHead:], l.IndexRoom)
		out = append(out,
			Patch{l.Index + CuesHead, room[CuesHead:]},
			Patch{l.Index, room[:CuesHead]})
	}
	out = append(out, Patch{l.SegmentSize, ebml.AppendWideSize(nil, uint64(s.End-l.Segment), 8)})
	if s.Duration > 0 { // RFC 9559 section 5.1.2.10: more than zero
		ticks := float64(s.Duration) / float64(cmp.Or(s.Tick, ebml.DefaultTick))
		out = append(out, Patch{l.Duration, ebml.AppendDuration(nil, ticks)})
	}
	head, err := s.seekHead(l)
	if err != nil {
		return nil, err
	}
	return append(out, Patch{l.SeekHead, head}), nil
}

// seekHead returns the SeekHead, in as many bytes as are reserved for it.
func (s Summary) seekHead(l Layout) ([]byte, error) {
	entries := []Seek{SeekTo(ebml.InfoID, l.Info-l.Segment), SeekTo(ebml.TracksID, l.Tracks-l.Segment)}
	if s.Cues > 0 {
		entries = append(entries, SeekTo(ebml.CuesID, s.Cues-l.Segment))
	}
	return RenderSeekHead(append(entries, s.Others...), l.SeekRoom)
}

// SeekTo returns the entry for an element, at a position in the Segment.
func SeekTo(id ebml.ElementID, position int64) Seek {
	return Seek{ebml.AppendID(nil, id), uint64(position)}
}

// RenderSeekHead returns the SeekHead and, up to room bytes, a Void behind it.
func RenderSeekHead(entries []Seek, room int) ([]byte, error) {
	body, err := marshal(&struct {
		Seek []Seek `ebml:"Seek"`
	}{entries})
	if err != nil {
		return nil, err
	}
	return ebml.Fill(ebml.SeekHeadID, 1, body, room), nil
}
