package sfu

import (
	"errors"
	"slices"
	"time"

	"weir/sfu/media"
)

// A publisher that was lost, rather than stopped on purpose, may come back: for a
// while its stream is kept, with its viewers and its recording. Whoever publishes
// under the name meanwhile, with the same tracks in the same form, writes on
// where it was; continuity is the TrackWriter's.

// leave takes p's hands off its stream. It either ends the stream, and returns
// what its standing sinks failed with, or keeps it for a while.
func (p *Publication) leave(why error) error {
	h := p.hub
	h.mu.Lock()
	s := p.stream()
	s.owner = nil
	if p.resumes {
		why = ErrLost // it has not come to anything: the stream is as it was
	}
	kept := h.keep(s, why)
	if !kept {
		h.retire(s)
	}
	h.mu.Unlock()
	if kept {
		close(p.done)
		return nil
	}
	s.end()
	close(p.done) // not only when the sinks have drained
	return h.finish(s)
}

// keep begins the grace of a stream, or goes on with it, if it has any. Called
// with mu held.
func (h *Hub) keep(s *stream, why error) bool {
	phase := s.phase.Load()
	if h.closed || h.config.Grace == 0 || s.options.NoGrace || phase == phaseConnecting || !errors.Is(why, ErrLost) {
		return false
	}
	if phase == phaseLive { // else nothing came of a return: it gains no time by that
		s.deadline = time.Now().Add(h.config.Grace)
		s.phase.Store(phaseWaiting)
		s.away()
	}
	s.expiry = time.AfterFunc(time.Until(s.deadline), func() { h.expire(s) })
	return true
}

// away has the tracks ask nobody for a keyframe until somebody publishes again.
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
	gone := s.owner == nil && h.streams[s.name] == s
	if gone {
		h.retire(s)
	}
	h.mu.Unlock()
	if gone {
		h.settle(s)
	}
}

// keep returns the writer of the old publisher's track that is the same as the
// one described, or nil if there is none.
func (p *Publication) keep(info media.TrackInfo, native Form) (*TrackWriter, error) {
	if isClosed(p.done) {
		return nil, ErrEnded
	}
	s := p.stream()
	if s.options != p.options {
		return nil, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.tracks {
		if info.Continues(t.info) && t.native == native && !slices.Contains(p.kept, t.writer) {
			p.kept = append(p.kept, t.writer)
			return t.writer, nil
		}
	}
	return nil, nil
}

// resume goes on with the old publisher's stream, or begins another one if its
// tracks are not all there.
func (p *Publication) resume() {
	s := p.stream()
	s.mu.Lock()
	all := len(p.kept) == len(s.tracks)
	s.mu.Unlock()
	if !all {
		_ = p.begin() // the stream that has ended is what the writers see, then
		return
	}
	s.clockMu.Lock()
	s.clock = media.SenderClock{}
	s.clockMu.Unlock()
	for _, w := range p.kept {
		w.Restart()
	}
	p.resumes = false
}

// begin ends the stream that p was to go on with and begins another one. Writers
// that were handed out already write to that.
func (p *Publication) begin() error {
	h := p.hub
	h.mu.Lock()
	old := p.stream()
	if old.owner != p {
		h.mu.Unlock()
		return ErrEnded
	}
	s := newStream(h, old.name, p.options, old.id)
	h.enlist(s)
	old.owner, s.owner = nil, p
	p.resumes = false
	p.current.Store(s)
	h.mu.Unlock()
	go h.settle(old)
	if p.runs.Load() {
		s.startStanding()
	}
	for _, w := range p.kept {
		t := newTrack(s, w.track.info, w.track.native)
		t.writer = w
		w.write(t)
		s.mu.Lock()
		s.tracks = append(s.tracks, t)
		s.mu.Unlock()
	}
	return nil
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
