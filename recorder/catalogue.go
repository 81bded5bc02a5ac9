package recorder

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
)

// catalogue is what is known of all recordings.
type catalogue struct {
	mu     sync.RWMutex
	byID   map[string]*Recording
	active map[string]string // id of the recording that goes on, by StreamID
}

func newCatalogue() catalogue {
	return catalogue{byID: map[string]*Recording{}, active: map[string]string{}}
}

// set puts in a copy of rec, or replaces the older one.
func (c *catalogue) set(rec *Recording) {
	copied := rec.clone()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.byID[rec.ID] = &copied
	switch {
	case rec.State == Active:
		c.active[rec.StreamID] = rec.ID
	case c.active[rec.StreamID] == rec.ID:
		delete(c.active, rec.StreamID)
	}
}

// Active returns the id of the recording of a broadcast that goes on now.
func (r *Recorder) Active(streamID string) (id string, ok bool) {
	c := &r.catalogue
	c.mu.RLock()
	defer c.mu.RUnlock()
	id, ok = c.active[streamID]
	return id, ok
}

// Recording returns the recording with that id, or ErrNotFound.
func (r *Recorder) Recording(id string) (Recording, error) {
	c := &r.catalogue
	c.mu.RLock()
	defer c.mu.RUnlock()
	rec := c.byID[id]
	if rec == nil {
		return Recording{}, ErrNotFound
	}
	return *rec, nil
}

// Query selects recordings. The zero value selects all.
type Query struct {
	Stream   string // of this stream only
	StreamID string // of this broadcast only
	After    string // those that come after this id in the list
	Limit    int    // at most that many; 0: all
}

// Recordings returns the recordings that q selects, newest first, and the id to
// put into Query.After for those that follow, if there are more.
func (r *Recorder) Recordings(q Query) (list []Recording, next string) {
	c := &r.catalogue
	c.mu.RLock()
	var selected []*Recording
	for _, rec := range c.byID {
		if (q.Stream == "" || rec.Stream == q.Stream) && (q.StreamID == "" || rec.StreamID == q.StreamID) {
			selected = append(selected, rec)
		}
	}
	after := c.byID[q.After]
	c.mu.RUnlock()
	slices.SortFunc(selected, newestFirst)
	if after != nil {
		from, found := slices.BinarySearchFunc(selected, after, newestFirst)
		if found {
			from++
		}
		selected = selected[from:]
	}
	if q.Limit > 0 && len(selected) > q.Limit {
		selected = selected[:q.Limit]
		next = selected[q.Limit-1].ID
	}
	list = make([]Recording, len(selected))
	for i, rec := range selected {
		list[i] = *rec
	}
	return list, next
}

func newestFirst(a, b *Recording) int {
	return cmp.Or(b.StartedAt.Compare(a.StartedAt), strings.Compare(a.ID, b.ID))
}

// load reads all sidecars. One that cannot be read is reported and left alone.
func (r *Recorder) load() error {
	return fs.WalkDir(r.root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("recorder: read the catalogue: %w", err)
		}
		if d.IsDir() || path.Ext(name) != sidecarSuffix {
			return nil
		}
		rec, err := r.readSidecar(name)
		if err != nil {
			r.log.Warn("sidecar left out of the catalogue", "file", name, "reason", err)
			return nil
		}
		r.catalogue.set(rec)
		return nil
	})
}

// maxSidecar bounds what is read of a sidecar, in bytes.
const maxSidecar = 4 << 20

// readSidecar reads one sidecar and holds it against the file beside it.
func (r *Recorder) readSidecar(name string) (*Recording, error) {
	info, err := r.root.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxSidecar {
		return nil, fmt.Errorf("it has %d bytes, more than %d", info.Size(), maxSidecar)
	}
	raw, err := r.root.ReadFile(name)
	if err != nil {
		return nil, err
	}
	rec := &Recording{}
	if err := json.Unmarshal(raw, rec); err != nil {
		return nil, err
	}
	rec.base = strings.TrimSuffix(name, sidecarSuffix)
	if rec.ID == "" || !strings.HasSuffix(rec.base, "-"+rec.ID) {
		return nil, errors.New("its id is not that of its file name")
	}
	media, err := r.root.Stat(rec.base + suffix)
	if errors.Is(err, fs.ErrNotExist) {
		media, err = r.root.Stat(rec.base + suffix + partSuffix)
	}
	if err != nil {
		return nil, err
	}
	if rec.State == Active { // nobody records it: that program is gone
		rec.interrupt(media)
	}
	return rec, nil
}

// interrupt completes what a program that was killed could not write.
func (r *Recording) interrupt(media os.FileInfo) {
	ended := media.ModTime().UTC()
	r.State, r.EndedAt, r.Bytes = Interrupted, &ended, media.Size()
	r.DurationMS = max(0, milliseconds(ended.Sub(r.StartedAt)))
	r.Reason = "the program ended before the recording did"
}

// writeSidecar writes what is known of rec, all or nothing.
func (r *Recorder) writeSidecar(rec *Recording) error {
	raw, err := json.MarshalIndent(rec, "", "  ")
	if err != nil {
		return fmt.Errorf("recorder: sidecar: %w", err)
	}
	name := rec.base + sidecarSuffix
	fresh := name + ".new"
	err = r.root.WriteFile(fresh, append(raw, '\n'), 0o644)
	if err == nil {
		err = r.root.Rename(fresh, name)
	}
	if err != nil {
		// Half a sidecar is of no use to anybody.
		return fmt.Errorf("recorder: sidecar: %w", errors.Join(err, ignoreMissing(r.root.Remove(fresh))))
	}
	return nil
}

// ignoreMissing drops the error of removing what is not there.
func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
