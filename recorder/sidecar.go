package recorder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// maxSidecar bounds what is read of a sidecar, in bytes.
const maxSidecar = 4 << 20

// readSidecar reads one sidecar and holds it against the file beside it. open says
// that the program which wrote it left the recording open, or could not make its
// file whole.
func (r *Recorder) readSidecar(name string) (rec *Recording, open bool, err error) {
	info, err := r.folder.root().Stat(name)
	if err != nil {
		return nil, false, err
	}
	if info.Size() > maxSidecar {
		return nil, false, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxSidecar)
	}
	raw, err := r.folder.root().ReadFile(name)
	if err != nil {
		return nil, false, err
	}
	rec = &Recording{}
	if err := json.Unmarshal(raw, rec); err != nil {
		return nil, false, err
	}
	rec.base = strings.TrimSuffix(name, sidecarSuffix)
	if rec.ID == "" || !strings.Contains(path.Base(rec.base), rec.ID) {
		return nil, false, errors.New("its id is not that of its file name")
	}
	media, unnamed, err := r.stat(rec)
	if err != nil {
		return nil, false, err
	}
	if rec.State.open() { // its program is gone
		rec.interrupt(media)
		r.findPoster(rec)
		unnamed = true
	}
	return rec, unnamed, nil
}

// stat looks for the file of a recording, under its last name or the one before, which
// tells that it is not whole.
func (r *Recorder) stat(rec *Recording) (info os.FileInfo, part bool, err error) {
	info, err = r.folder.root().Stat(rec.name())
	if errors.Is(err, fs.ErrNotExist) {
		part = true
		info, err = r.folder.root().Stat(rec.partName())
	}
	return info, part, err
}

// interrupt completes what a program that was killed could not write.
func (r *Recording) interrupt(media os.FileInfo) {
	ended := media.ModTime().UTC()
	r.State, r.EndedAt, r.Bytes = Interrupted, &ended, media.Size()
	r.DurationMS = max(0, milliseconds(ended.Sub(r.StartedAt)))
	r.Reason = "the program ended before the recording did"
	// The sidecar's counts were right some time before. A repair will tell.
	r.Frames, r.Keyframes = 0, 0
	for i := range r.Tracks {
		t := &r.Tracks[i]
		t.Frames, t.Keyframes, t.Bytes, t.Filler = 0, 0, 0, nil
	}
}

// writeSidecar writes what is known of rec, all or nothing.
func (r *Recorder) writeSidecar(rec *Recording) error {
	raw, err := json.MarshalIndent(rec, "", "  ")
	if err == nil {
		err = r.disk.WriteFile(rec.sidecarName(), append(raw, '\n'))
	}
	if err != nil {
		return fmt.Errorf("recorder: sidecar: %w", err)
	}
	return nil
}
