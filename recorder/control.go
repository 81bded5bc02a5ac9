package recorder

import (
	"context"
	"errors"
	"maps"
	"time"

	"weir/sfu"
	"weir/sfu/media"
)

// ErrNotRecording means that there is no recording that could be paused or resumed.
var ErrNotRecording = errors.New("recorder: the stream is not being recorded")

// Status returns where the recording of a live stream stands.
func (r *Recorder) Status(ctx context.Context, streamID string) (Status, error) {
	return r.command(ctx, streamID, func(*session) error { return nil })
}

// Start has a live stream recorded from now on, beginning with the newest
// keyframe. The metadata is attached to its recordings from then on, unless it is
// nil. The error wraps ErrNoSpace when the disk is too full, or ErrNotFound when
// the stream has ended.
func (r *Recorder) Start(ctx context.Context, streamID string, metadata map[string]string) (Status, error) {
	return r.command(ctx, streamID, func(s *session) error {
		if s.state == stateOff {
			if err := r.space.check(); err != nil {
				return err
			}
			s.backlog, s.trouble = false, trouble{}
		}
		if err := s.step(eventStart); err != nil {
			return err
		}
		if metadata == nil {
			return nil
		}
		s.meta = maps.Clone(metadata)
		if p := s.current; p != nil {
			p.record.Metadata = maps.Clone(metadata)
			r.catalogue.set(&p.record)
		}
		return nil
	})
}

// Stop ends the recording of a live stream: it is finished, and listed as that
// soon after. Nothing is done if there is none.
func (r *Recorder) Stop(ctx context.Context, streamID string) (Status, error) {
	return r.command(ctx, streamID, func(s *session) error { return s.step(eventStop) })
}

// Pause leaves frames out of the recording from now on, until Resume. The error is
// ErrNotRecording when there is none, or ErrNotFound when the stream has ended.
func (r *Recorder) Pause(ctx context.Context, streamID string) (Status, error) {
	return r.command(ctx, streamID, (*session).pause)
}

// Resume ends a pause.
func (r *Recorder) Resume(ctx context.Context, streamID string) (Status, error) {
	return r.command(ctx, streamID, (*session).resume)
}

// pause leaves out what comes from now on.
func (s *session) pause() error {
	before := s.state
	if err := s.step(eventPause); err != nil || s.state == before {
		return err
	}
	s.tellPause(Paused, EventPaused)
	return nil
}

// resume ends a pause.
func (s *session) resume() error {
	before := s.state
	if err := s.step(eventResume); err != nil || s.state == before {
		return err
	}
	s.tellPause(Active, EventResumed)
	if p := s.current; p != nil {
		p.posters.since = s.stream.StartedAt.Add(s.now())
	}
	for _, track := range s.tracks {
		if track.Info().Kind() == media.Video {
			track.RequestKeyframe() // the picture begins with one
		}
	}
	return nil
}

// tellPause notes in the open recording that a pause begins or ends.
func (s *session) tellPause(state State, event string) {
	if p := s.current; p != nil {
		p.record.State = state
		s.recorder.catalogue.set(&p.record)
		s.recorder.tell(event, &p.record)
	}
}

// command has the session of a stream do something.
func (r *Recorder) command(ctx context.Context, streamID string, do func(*session) error) (Status, error) {
	r.mu.Lock()
	s := r.sessions[streamID]
	r.mu.Unlock()
	if s == nil {
		return Status{}, ErrNotFound
	}
	reply := make(chan outcome, 1)
	select {
	case s.commands <- command{do, reply}:
	case <-s.done:
		return Status{}, ErrNotFound
	case <-ctx.Done():
		return Status{}, context.Cause(ctx)
	}
	o := <-reply
	return o.status, o.err
}

// metadata bounds.
const (
	maxMetadata      = 32
	maxMetadataBytes = 4 << 10
)

// ErrMetadata means that metadata is too much.
var ErrMetadata = errors.New("recorder: metadata has 32 entries and 4 KiB at most")

// CheckMetadata returns ErrMetadata if m is too much.
func CheckMetadata(m map[string]string) error {
	size := 0
	for k, v := range m {
		size += len(k) + len(v)
	}
	if len(m) > maxMetadata || size > maxMetadataBytes {
		return ErrMetadata
	}
	return nil
}

// Change is what is to be changed of a recording: what is nil stays.
type Change struct {
	sfu.TextsChange
	Metadata *map[string]string // in the place of what it has
}

// Describe changes what is said of a recording that has ended. The error wraps
// ErrMetadata, or is that of [sfu.Texts.Clean], if it cannot be taken, or ErrActive.
func (r *Recorder) Describe(id string, c Change) (Recording, error) {
	if c.Metadata != nil {
		if err := CheckMetadata(*c.Metadata); err != nil {
			return Recording{}, err
		}
	}
	r.saving.Lock()
	defer r.saving.Unlock()
	rec, err := r.Recording(id)
	if err != nil {
		return Recording{}, err
	}
	if rec.State.open() {
		return Recording{}, ErrActive
	}
	texts, err := c.Of(rec.texts())
	if err != nil {
		return Recording{}, err
	}
	rec.setTexts(texts)
	if c.Metadata != nil {
		rec.Metadata = maps.Clone(*c.Metadata)
	}
	if err := r.writeSidecar(&rec); err != nil {
		return Recording{}, err
	}
	r.catalogue.set(&rec)
	return rec, nil
}

// lastOf returns the id of the newest recording of a broadcast, or "".
func (r *Recorder) lastOf(streamID string) string {
	list, _, err := r.Recordings(Query{StreamID: streamID, Limit: 1})
	if err != nil || len(list) == 0 {
		return ""
	}
	return list[0].ID
}

// After a restart of the server publishers come back by themselves, within seconds. How
// long the server may have been away is a guess: nobody goes on with a broadcast of
// yesterday, and a machine that starts anew takes minutes.
const (
	longestRestart = 10 * time.Minute
	longestReturn  = time.Minute
)

// Stopping notes that the server is about to end the broadcasts that there are.
func (r *Recorder) Stopping() { r.stopping.Store(true) }

// cutBefore returns the id of the recording that a stream goes on from, or "": the
// newest one of its name, if the end of an earlier run of the server has cut it, not its
// publisher, and the stream begins right after the server has.
func (r *Recorder) cutBefore(i sfu.StreamInfo) string {
	if i.StartedAt.Sub(r.started) > longestReturn {
		return ""
	}
	list, _, err := r.Recordings(Query{Stream: i.Name, Limit: 1})
	if err != nil || len(list) == 0 {
		return ""
	}
	last := list[0]
	if last.State != Interrupted && !last.Stopped || last.StartedAt.After(r.started) || last.EndedAt == nil || r.started.Sub(*last.EndedAt) > longestRestart {
		return ""
	}
	return last.ID
}
