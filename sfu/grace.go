package sfu

import (
	"errors"
	"time"

	"weir/sfu/media"
)

// A publisher that was lost, rather than stopped on purpose, may come back: for a
// while its stream is kept, with its viewers and its recording. A publisher that
// takes the name meanwhile, with the same tracks in the same form, goes on with the
// stream; that sequence and time go on is the TrackWriter's work.

// keeps reports whether a stream outlives its publisher, which left for that reason.
// Called with mu held.
func (h *Hub) keeps(s *stream, why error) bool {
	return !h.closed && h.config.Grace > 0 && !s.options.NoGrace && errors.Is(why, ErrLost)
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
func (s *stream) continued(infos []media.TrackInfo, native Form) []*Track {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(infos) != len(s.tracks) {
		return nil
	}
	taken := map[*Track]bool{}
	var tracks []*Track
	for _, info := range infos {
		for _, t := range s.tracks {
			if !taken[t] && info.Continues(t.info) && t.native == native {
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

// resume has another publisher's tracks go on with those of the stream.
func (s *stream) resume(tracks []*Track) []*TrackWriter {
	writers := make([]*TrackWriter, len(tracks))
	for i, t := range tracks {
		writers[i] = t.writer
		t.writer.Restart()
	}
	return writers
}

// edge returns where the newest frame ends of tracks whose sources write frames.
func (s *stream) edge() (end time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		if t.native != Frames || t.frames.head.Load() == 0 {
			continue
		}
		f := t.frames.slot(t.frames.head.Load() - 1).Load()
		last := f.PTS
		if t.format.FrameDuration != nil {
			last += t.format.FrameDuration(f.Data)
		}
		end = max(end, last)
	}
	return end
}
