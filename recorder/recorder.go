package recorder

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"time"

	"weir/sfu"
)

// Config configures a Recorder.
type Config struct {
	// Dir is the folder for recordings. It is made if it does not exist.
	Dir string
	// WritingApp is what files name as their writer. Default "weir".
	WritingApp string
	// Log takes a line for the begin and the end of each recording. Default:
	// discarded.
	Log *slog.Logger
}

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	if c.Dir == "" {
		return errors.New("recorder: Dir is needed")
	}
	return nil
}

// Recorder records streams below one folder and knows what was recorded. It is
// safe for concurrent use. Close it when all its sinks have ended.
type Recorder struct {
	root      *os.Root
	app       string
	log       *slog.Logger
	catalogue catalogue
}

// New opens the folder, checks that it can be written to, and reads the
// catalogue. A recording that an earlier run left open is listed as interrupted.
func New(c Config) (*Recorder, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.WritingApp == "" {
		c.WritingApp = "weir"
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	root, err := os.OpenRoot(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	r := &Recorder{root: root, app: c.WritingApp, log: c.Log, catalogue: newCatalogue()}
	if err := errors.Join(r.probe(), r.load()); err != nil {
		root.Close()
		return nil, err
	}
	return r, nil
}

// probe checks that files can be made.
func (r *Recorder) probe() error {
	const name = ".weir-probe"
	f, err := r.root.Create(name)
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	return errors.Join(f.Close(), r.root.Remove(name))
}

// Close lets go of the folder.
func (r *Recorder) Close() error { return r.root.Close() }

// Sink returns the sink that records the stream, or nil if its publisher does
// not want it recorded.
func (r *Recorder) Sink(i sfu.StreamInfo) sfu.Sink {
	if !i.Record {
		return nil
	}
	return &sink{recorder: r, log: r.log.With("stream", i.Name)}
}

// Open opens the file of a recording. It is to be closed by the caller. While
// the recording goes on the file grows.
func (r *Recorder) Open(id string) (*os.File, Recording, error) {
	rec, err := r.Recording(id)
	if err != nil {
		return nil, Recording{}, err
	}
	f, err := r.root.Open(rec.base + suffix)
	if errors.Is(err, os.ErrNotExist) {
		f, err = r.root.Open(rec.base + suffix + partSuffix)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, Recording{}, ErrNotFound
	}
	if err != nil {
		return nil, Recording{}, fmt.Errorf("recorder: open %s: %w", id, err)
	}
	return f, rec, nil
}

// The names of a recording's files.
const (
	suffix        = ".webm"
	partSuffix    = ".part"
	sidecarSuffix = ".json"
)

// basePath is where a recording's files lie, without suffix. Stream names are
// safe as paths (sfu.ValidName); a colon in the time would not be on all systems.
func basePath(stream string, start time.Time, id string) string {
	return path.Join(stream, start.UTC().Format("20060102T150405Z")+"-"+id)
}
