package webm

import (
	"weir/recorder/webm/layout"
)

// Finish makes the file a complete one: sizes, duration, index, and only tracks
// that have frames. It takes one small positioned write per Cluster. A second
// call does nothing and returns what the first did. A file without any frame
// gets sizes only; it is of no use.
//
// An error wraps ErrWrite. The file then holds every frame that was flushed, as
// after a crash.
func (w *Writer) Finish() error {
	if w.finished || w.err != nil {
		return w.err
	}
	w.closeCluster()
	s := layout.Summary{Clusters: w.clusters, Duration: w.duration()}
	cues := w.index.Cues()
	if len(cues) > 0 {
		if err := w.placeCues(cues, &s); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	s.End = w.written
	if len(w.clusters) > 0 { // Tracks must not be without a TrackEntry
		s.Silent = w.silent()
	}
	if err := layout.Seal(w.layout, s, w.writeAt); err != nil {
		return w.stick(err)
	}
	w.finished = true
	w.buf, w.index = nil, layout.Index{}
	return nil
}

// placeCues puts cues into s if they fit into the header's room, and else
// appends all of them to the file.
func (w *Writer) placeCues(cues []layout.Cue, s *layout.Summary) error {
	room := (w.layout.IndexRoom - layout.CuesHead) / layout.CueBytes
	front := layout.Thin(cues, room)
	fits := len(front) > 0
	if !fits {
		front = cues
	}
	b, err := layout.RenderCues(front)
	if err != nil {
		return w.stick(err)
	}
	if fits {
		s.Front, s.Cues = b, w.layout.Index
		return nil
	}
	s.Cues = w.end()
	w.buf = append(w.buf, b...)
	return nil
}

// Omit leaves a track that has nothing but filler undeclared in the finished file. Its
// blocks, which players would pass over, are made a Void of by Repair. It does nothing
// to a track with frames.
func (w *Writer) Omit(track int) bool {
	t := &w.tracks[track]
	t.stats.Omitted = t.begun() && t.stats.Frames == 0
	return t.stats.Omitted
}

// silent returns the indices of the tracks that got no frame, or are omitted.
func (w *Writer) silent() []int {
	var out []int
	for i := range w.tracks {
		if t := &w.tracks[i]; !t.begun() || t.stats.Omitted {
			out = append(out, i)
		}
	}
	return out
}
