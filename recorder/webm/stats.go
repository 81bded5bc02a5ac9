package webm

import (
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/sfu/media"
)

// Progress tells what a file holds so far.
type Progress struct {
	Bytes     int64 // the length of the file, with what is not flushed yet
	Buffered  int64 // how much of Bytes is not flushed yet
	Blocks    int64 // frames of all tracks
	Keyframes int64 // video frames with Sync
	Filler    int64 // frames that are none of the media, and in no other count but Bytes
	Clusters  int
	Duration  time.Duration // the end of the last frame
	Tracks    []TrackStats  // in the order given to NewWriter
}

// TrackStats tells what a track of a file holds so far.
type TrackStats struct {
	Number      int // in the file
	Frames      int64
	Keyframes   int64         // video frames with Sync
	Bytes       int64         // coded bytes
	Filler      int64         // frames that are none of the medium: see Block
	Filled      time.Duration // how long they last
	Omitted     bool          // see Writer.Omit
	Clamped     int64         // frames whose time stepped back and was held
	First, Last time.Duration // times of its first and last frame, as written
	Width       int           // the size in the header, 0 if not known
	Height      int
}

// Stats returns what the file holds so far.
func (w *Writer) Stats() Progress {
	s := Progress{
		Bytes:    w.end(),
		Buffered: int64(len(w.buf)),
		Clusters: len(w.clusters),
		Duration: w.duration(),
		Tracks:   make([]TrackStats, len(w.tracks)),
	}
	if w.open {
		s.Clusters++
	}
	for i := range w.tracks {
		t := w.tracks[i].stats
		t.Width, t.Height = w.declared[i].Width, w.declared[i].Height
		s.Tracks[i] = t
		s.Blocks += t.Frames
		s.Keyframes += t.Keyframes
		s.Filler += t.Filler
	}
	return s
}

// duration returns the end of the frame that ends last.
func (w *Writer) duration() time.Duration {
	var d time.Duration
	for i := range w.tracks {
		if t := &w.tracks[i]; !t.stats.Omitted {
			d = max(d, t.end())
		}
	}
	return d
}

// trackState is what the Writer keeps of a track.
type trackState struct {
	number uint64
	video  bool
	at     time.Duration // time of the last frame, not rounded
	step   time.Duration // how long a frame lasts: guessed
	tail   time.Duration // how long the last frame lasts
	stats  TrackStats
}

func newTrackState(t ebml.TrackEntry, number int) trackState {
	s := trackState{number: uint64(number), stats: TrackStats{Number: number}}
	s.step = layout.AudioStep
	if t.Codec.Kind() == media.Video {
		s.video = true
		s.step = layout.VideoStep
	}
	return s
}

// advance counts b and returns its time in the file in ms. Each is rounded from
// the absolute time, so errors do not add up.
func (t *trackState) advance(b Block) int64 {
	at := b.Time
	if at < t.at {
		at = t.at
		t.stats.Clamped++
	}
	if step := at - t.at; step > 0 && t.begun() {
		t.step = min(step, layout.MaxStep)
	}
	t.at = at
	t.tail = t.step
	if b.Duration > 0 {
		t.tail = b.Duration
	}
	ms := int64((at + time.Millisecond/2) / time.Millisecond)
	t.stats.Last = time.Duration(ms) * time.Millisecond
	if !t.begun() {
		t.stats.First = t.stats.Last
	}
	t.count(b)
	return ms
}

// count counts b.
func (t *trackState) count(b Block) {
	if b.Filler {
		t.stats.Filler++
		t.stats.Filled += b.Duration
		return
	}
	t.stats.Frames++
	t.stats.Bytes += int64(len(b.Data))
	if t.video && b.Sync {
		t.stats.Keyframes++
	}
}

// begun reports whether the track has a block.
func (t *trackState) begun() bool { return t.stats.Frames+t.stats.Filler > 0 }

// end returns when the last frame ends; 0 if there is none.
func (t *trackState) end() time.Duration {
	if !t.begun() {
		return 0
	}
	return t.at + t.tail
}
