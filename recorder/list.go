package recorder

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// List reads the sidecars below a folder and returns the recordings, newest first.
// It changes nothing and needs no lock: a server may record there meanwhile. One
// that such a server has open, or left open when it was killed, is in the state
// Active. A sidecar that cannot be read is left out.
func List(dir string) ([]Recording, error) {
	var list []*Recording
	files := os.DirFS(dir)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil && name != "." {
			return fs.SkipDir // it may not be read
		}
		if err != nil {
			return err
		}
		if d.IsDir() || path.Ext(name) != sidecarSuffix || strings.HasPrefix(path.Base(name), ".") {
			return nil
		}
		rec := &Recording{base: strings.TrimSuffix(name, sidecarSuffix)}
		if raw, err := fs.ReadFile(files, name); err == nil && json.Unmarshal(raw, rec) == nil && rec.ID != "" {
			list = append(list, rec)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	slices.SortFunc(list, newestFirst)
	all := make([]Recording, len(list))
	for i, rec := range list {
		all[i] = *rec
	}
	return all, nil
}

// File is where the recording's file lies, relative to Config.Dir, once it has
// ended.
func (r *Recording) File() string { return r.name() }
