package recorder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"
)

// ErrNoPoster means that there is no picture of a recording.
var ErrNoPoster = errors.New("recorder: the recording has no poster")

// Poster is a picture of a live stream.
type Poster struct {
	JPEG  []byte
	Shown time.Time // when it was to be seen
}

// posterKeeper chooses the pictures of a part: the first one that it shows, then one of
// its second half. How long it will be nobody knows: so each that is kept is half as far
// again from the start as the one before.
type posterKeeper struct {
	since time.Time   // older ones show what is not in the file
	kept  *posterFile // nil: none yet
}

// posterFile is a picture that is to lie beside the file. It is made by the goroutine of
// the session, and written by the syncer's, or at the end of the part.
type posterFile struct {
	Poster
	at time.Duration // from the start of the recording

	// atomic
	written atomic.Bool
}

// look takes a new picture of the stream over, if there is one to be kept.
func (p *part) look() {
	get := p.recorder.config.Poster
	if get == nil || p.record.State != Active {
		return // what a pause leaves out is not to be seen either
	}
	k, since := &p.posters, time.Time{}
	if k.kept == nil {
		since = k.since // one is wanted
	}
	poster, ok := get(p.record.StreamID, since)
	if !ok || poster.Shown.Before(k.since) {
		return
	}
	at := poster.Shown.Sub(p.record.StartedAt)
	if k.kept == nil || at > k.kept.at && at >= k.kept.at*3/2 {
		k.kept = &posterFile{Poster: poster, at: at} // the first is not from before the start
	}
}

// keepPoster writes the picture of a part, if that has not been done, and has rec tell of
// it: all or nothing, so that there is the one before until the new one is whole.
func (r *Recorder) keepPoster(rec *Recording, f *posterFile) error {
	if f == nil {
		return nil
	}
	if !f.written.Load() {
		if err := r.disk.WriteFile(rec.posterName(), f.JPEG); err != nil {
			return fmt.Errorf("recorder: poster: %w", err)
		}
		f.written.Store(true)
	}
	f.tell(rec)
	return nil
}

// tell has rec tell of the picture, if that lies beside its file.
func (f *posterFile) tell(rec *Recording) {
	if f != nil && f.written.Load() {
		rec.PosterAtMS, rec.PosterBytes = milliseconds(f.at), int64(len(f.JPEG))
	}
}

// findPoster looks for the picture of a recording whose sidecar may not know of it yet.
func (r *Recorder) findPoster(rec *Recording) {
	info, err := r.folder.root().Stat(rec.posterName())
	if err != nil {
		rec.PosterBytes, rec.PosterAtMS = 0, 0
	} else if rec.PosterBytes != info.Size() {
		rec.PosterBytes, rec.PosterAtMS = info.Size(), max(0, milliseconds(info.ModTime().Sub(rec.StartedAt)))
	}
}

// OpenPoster opens the picture of a recording, a JPEG, or returns ErrNotFound or
// ErrNoPoster. The caller closes it.
func (r *Recorder) OpenPoster(id string) (*os.File, Recording, error) {
	rec, err := r.Recording(id)
	if err != nil {
		return nil, Recording{}, err
	}
	if rec.PosterBytes == 0 {
		return nil, Recording{}, ErrNoPoster
	}
	f, err := r.folder.root().Open(rec.posterName())
	if errors.Is(err, fs.ErrNotExist) { // somebody has removed it
		return nil, Recording{}, ErrNoPoster
	}
	if err != nil {
		return nil, Recording{}, fmt.Errorf("recorder: open the poster of %s: %w", id, err)
	}
	return f, rec, nil
}
