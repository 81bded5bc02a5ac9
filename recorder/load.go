package recorder

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

// leftover is a file that only a program which was killed leaves.
var leftover = regexp.MustCompile(`\.(json|jpg)\.new$|\.(webm|mkv)(\.part)?\.fixed$`)

// load brings the index into line with the sidecars: those that it does not have,
// or has in another state, are read. One that cannot be read is reported and left
// alone. It returns the recordings that a program left open which is gone.
func (r *Recorder) load() (open []*Recording, err error) {
	known, err := r.catalogue.index.stamps()
	if err != nil {
		return nil, err
	}
	w := walk{recorder: r, known: known, parts: map[string]string{}}
	if err := fs.WalkDir(r.folder.root().FS(), ".", w.readEntry); err != nil {
		return nil, fmt.Errorf("recorder: read the catalogue: %w", err)
	}
	w.orphans()
	if err := r.catalogue.index.put(w.fresh...); err != nil {
		return nil, err
	}
	return w.open, r.catalogue.index.removePaths(slices.Collect(maps.Keys(known))...)
}

// walk is one pass through the folder of recordings.
type walk struct {
	recorder *Recorder
	known    map[string]string // what the index has and was not seen yet: see stamps
	fresh    []indexed         // to be put into it
	open     []*Recording
	parts    map[string]string // open files without a sidecar so far: container by base
}

func (w *walk) readEntry(name string, d fs.DirEntry, err error) error {
	r := w.recorder
	if err != nil && name == "." {
		return err
	}
	if err != nil { // "lost+found", say
		r.log.Warn("folder left out of the catalogue", "folder", name, "reason", err)
		return fs.SkipDir
	}
	if d.IsDir() || strings.HasPrefix(path.Base(name), ".") {
		return nil
	}
	if leftover.MatchString(name) {
		return ignoreMissing(r.disk.Remove(name))
	}
	base, suffix := strings.TrimSuffix(name, path.Ext(name)), path.Ext(name)
	if suffix == partSuffix {
		w.parts[strings.TrimSuffix(base, path.Ext(base))] = strings.TrimPrefix(path.Ext(base), ".")
		return nil
	}
	if suffix != sidecarSuffix {
		return nil
	}
	stamp, err := stampOf(d)
	if err != nil {
		return nil // gone meanwhile
	}
	was, ok := w.known[base]
	delete(w.known, base)
	if ok && was == stamp {
		return nil
	}
	rec, open, err := r.readSidecar(name)
	if err != nil {
		r.log.Warn("sidecar left out of the catalogue", "file", name, "reason", err)
		if ok {
			w.known[base] = was // out of the index, too
		}
		return nil
	}
	if open {
		w.open = append(w.open, rec)
		stamp = "" // it will be another one
	}
	w.fresh = append(w.fresh, indexed{rec, stamp})
	if len(w.fresh) < 1000 {
		return nil
	}
	err = r.catalogue.index.put(w.fresh...)
	w.fresh = nil
	return err
}

// orphans adopts open files that were made right before the program was killed, or
// whose sidecar was lost.
func (w *walk) orphans() {
	for _, rec := range w.open {
		delete(w.parts, rec.base)
	}
	for base, container := range w.parts {
		id := path.Base(base)
		id = id[strings.LastIndex(id, "-")+1:]
		rec := &Recording{ID: id, Stream: path.Dir(base), Container: container, base: base}
		info, err := w.recorder.folder.root().Stat(rec.partName())
		if _, sidecar := w.recorder.folder.root().Stat(rec.sidecarName()); err != nil || sidecar == nil {
			continue // a sidecar that cannot be read stays what it is
		}
		rec.StartedAt = info.ModTime().UTC()
		rec.interrupt(info)
		w.recorder.findPoster(rec)
		w.open = append(w.open, rec)
	}
}

// stampOf is what tells one state of a sidecar from another.
func stampOf(d fs.DirEntry) (string, error) {
	info, err := d.Info()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d-%d", info.ModTime().UnixNano(), info.Size()), nil
}
