package sfu

import (
	"errors"
	"time"

	"weir/sfu/media"
)

// A publisher that was lost, rather than stopped on purpose, may come back: for a while
// its stream is kept, with its viewers and its recording. A publisher that takes the
// name meanwhile, with the same tracks, goes on with the stream, even if it comes by
// another transport and writes the other form: then the tracks turn to that.

// keeps reports whether a stream outlives its publisher, which left with that cause.
// Called with mu held.
func (h *Hub) keeps(s *stream, cause error) bool {
	return !h.closed && h.config.Grace > 0 && !s.options.NoGrace && errors.Is(cause, ErrLost)
}

// wait has s, which is Waiting, expire when its grace is over. A return of which
// nothing came gains it no time. Called with mu held.
func (h *Hub) wait(s *stream, from State) {
	if from == Live {
		s.deadline = time.Now().Add(h.config.Grace)
		s.away()
	}
	s.expiry = time.AfterFunc(time.Until(s.deadline), func() { h.expire(s) })
}

// away has the tracks ask for no keyframe until a publisher sends again.
func (s *stream) away() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		t.keyframe.away()
	}
}

// expire ends a stream whose publisher did not come back.
func (h *Hub) expire(s *stream) {
	h.mu.Lock()
	// The timer of an earlier wait may have fired while a publisher came and went.
	if time.Now().Before(s.deadline) {
		h.mu.Unlock()
		return
	}
	from, to := s.move(happensExpire)
	gone := from != to
	if gone {
		h.retire(s)
	}
	h.mu.Unlock()
	if gone {
		h.settle(s)
	}
}

// continued returns the tracks of the stream that tracks with these descriptions go
// on with, in their order; nil if they are not all there or others are left over.
func (s *stream) continued(infos []media.TrackInfo) []*Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(infos) != len(s.tracks) {
		return nil
	}
	taken := map[*Track]bool{}
	var tracks []*Track
	for _, info := range infos {
		for _, t := range s.tracks {
			if !taken[t] && info.Continues(t.info) {
				taken[t] = true
				tracks = append(tracks, t)
				break
			}
		}
	}
	if len(tracks) < len(infos) {
		return nil
	}
	return tracks
}

// resume has the tracks of another publisher, with the options o and in the form native,
// go on with those of the stream. Called with hub.mu held.
func (s *stream) resume(tracks []*Track, native Form, o PublishOptions) []*TrackWriter {
	s.mu.Lock()
	s.source = o.Source
	s.mu.Unlock()
	before := s.texts()
	if next := o.Texts.after(s.told, before); next != before {
		s.setTexts(next)
		s.hub.tell(StreamUpdated, s)
	}
	s.told = o.Texts.after(Texts{}, s.told)
	writers := make([]*TrackWriter, len(tracks))
	for i, t := range tracks {
		t.turn(native)
		writers[i] = t.resume()
	}
	return writers
}

// edge returns where what the tracks have had so far ends.
func (s *stream) edge() (end time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		end = max(end, t.written())
	}
	return end
}
