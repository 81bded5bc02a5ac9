package webm

import (
	"cmp"
	"time"
)

// seekHeadBytes is the length of a SeekHead with its three entries, and of the
// Void that holds its place.
const (
	seekHeadBytes = 4 + 1 + 3*seekBytes
	seekBytes     = 2 + 1 + (2 + 1 + 4) + (2 + 1 + 8)
)

// summary is what is known of a file at its end.
type summary struct {
	end      int64    // the length of the file
	clusters []uint32 // the size of each Cluster's data, in the order of the file
	silent   []int    // indices of tracks without a frame
	duration time.Duration
	tick     time.Duration // 0 for 1 ms
	// front is the Cues element for the room in the header, at most
	// layout.indexRoom bytes; nil if there is none.
	front []byte
	// cues is where the Cues are, from the start of the file; 0 if nowhere.
	cues int64
	// others are what else the SeekHead is to name.
	others []seek
}

// patch is one positioned write.
type patch struct {
	at   int64
	data []byte
}

// seal turns an open file, whose last Cluster and appended Cues are written, into
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
func seal(l layout, s summary, write func(patch) error) error {
	at := l.end
	var size [8]byte
	for _, n := range s.clusters {
		if err := write(patch{at + int64(clusterID.bytes()), appendWideSize(size[:0], uint64(n), 8)}); err != nil {
			return err
		}
		at += clusterHead + int64(n)
	}
	for _, i := range s.silent {
		if err := write(patch{l.entries[i], []byte{byte(voidID)}}); err != nil {
			return err
		}
	}
	rest, err := s.header(l)
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

// header returns the writes 3 to 6 of seal.
func (s summary) header(l layout) ([]patch, error) {
	var out []patch
	if len(s.front) > 0 {
		room := fill(cuesID, cuesHead-cuesID.bytes(), s.front[cuesHead:], l.indexRoom)
		out = append(out,
			patch{l.index + cuesHead, room[cuesHead:]},
			patch{l.index, room[:cuesHead]})
	}
	out = append(out, patch{l.segmentSize, appendWideSize(nil, uint64(s.end-l.segment), 8)})
	if s.duration > 0 { // RFC 9559 section 5.1.2.10: more than zero
		ticks := float64(s.duration) / float64(cmp.Or(s.tick, defaultTick))
		out = append(out, patch{l.duration, appendDuration(nil, ticks)})
	}
	head, err := s.seekHead(l)
	if err != nil {
		return nil, err
	}
	return append(out, patch{l.seekHead, head}), nil
}

// seekHead returns the SeekHead, in as many bytes as are reserved for it.
func (s summary) seekHead(l layout) ([]byte, error) {
	entries := []seek{seekTo(infoID, l.info-l.segment), seekTo(tracksID, l.tracks-l.segment)}
	if s.cues > 0 {
		entries = append(entries, seekTo(cuesID, s.cues-l.segment))
	}
	return renderSeekHead(append(entries, s.others...), l.seekRoom)
}

func seekTo(id ElementID, position int64) seek {
	return seek{appendID(nil, id), uint64(position)}
}

// renderSeekHead returns the SeekHead and, up to room bytes, a Void behind it.
func renderSeekHead(entries []seek, room int) ([]byte, error) {
	body, err := marshal(&struct {
		Seek []seek `ebml:"Seek"`
	}{entries})
	if err != nil {
		return nil, err
	}
	return fill(seekHeadID, 1, body, room), nil
}
