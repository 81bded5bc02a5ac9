package recorder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"weir/sfu"
)

// Recorder records streams below one folder and knows what was recorded. It is
// safe for concurrent use. Run it, and close it when all its sinks have ended.
type Recorder struct {
	// set once
	config    Config
	folder    *folder
	lock      *os.File
	disk      disk
	space     *space
	log       *slog.Logger
	catalogue catalogue
	broken    []*Recording // left open by a program that is gone

	started  time.Time   // when the program was
	stopping atomic.Bool // see Stopping

	// saving is held from when a sidecar is read to when it is written.
	saving sync.Mutex
	next   map[string]string // guarded by saving: by id of a part that is being finished, the id of the part behind it

	// guarded by mu
	mu       sync.Mutex
	sessions map[string]*session // by StreamID
}

// New opens the folder, checks that it can be written to and that no other
// program records there, and reads the catalogue. A recording that an earlier run
// left open is listed as interrupted.
func New(c Config) (_ *Recorder, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	r := &Recorder{config: c, log: c.Log, started: time.Now(), sessions: map[string]*session{}, next: map[string]string{}}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	if r.folder, err = openFolder(c.Dir); err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	r.disk = c.disk(r.folder)
	if c.MinFree == (Space{}) {
		c.MinFree = defaultMinFree
	}
	r.space = &space{disk: r.disk, least: c.MinFree}
	if err := r.probe(); err != nil {
		return nil, err
	}
	if r.lock, err = lockFolder(r.folder.root()); err != nil {
		return nil, err
	}
	x, err := openIndex(c.Dir, c.Log)
	if err != nil {
		return nil, err
	}
	r.catalogue = newCatalogue(x)
	r.broken, err = r.load()
	return r, err
}

// probe checks that files can be made.
func (r *Recorder) probe() error {
	const name = ".weir-probe"
	root := r.folder.root()
	f, err := root.Create(name)
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	return errors.Join(f.Close(), root.Remove(name))
}

// tidyInterval is how often it is looked for what is to be deleted or written
// again.
const tidyInterval = 5 * time.Second

// Run repairs what an earlier run left open, and then deletes what is too old or
// too much, until ctx is done.
func (r *Recorder) Run(ctx context.Context) error {
	for _, rec := range r.broken {
		if ctx.Err() != nil {
			return nil
		}
		r.mend(rec)
	}
	tick := time.NewTicker(tidyInterval)
	defer tick.Stop()
	for {
		r.saveOwed()
		r.tidy(time.Now())
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// Close lets go of the folder.
func (r *Recorder) Close() error {
	var err error
	if r.catalogue.index != nil {
		r.saveOwed()
		err = r.catalogue.index.close()
	}
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	if r.folder != nil {
		err = errors.Join(err, r.folder.close())
	}
	return err
}

// Sink returns the sink that records the stream whenever that is wanted: from the
// start if its publisher asked for it.
func (r *Recorder) Sink(i sfu.StreamInfo) sfu.Sink {
	s := &session{
		recorder: r, log: r.log.With("stream", i.Name), stream: i, backlog: true,
		commands: make(chan command), done: make(chan struct{}),
	}
	if i.Record {
		_ = s.step(eventStart)
	}
	if i.Continues != "" {
		s.last = r.lastOf(i.Continues)
	} else {
		s.last = r.cutBefore(i)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sessions[i.ID] = s
	return s
}

// forget takes out a session that has ended.
func (r *Recorder) forget(s *session) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sessions, s.stream.ID)
}

// Open opens the file of a recording, or returns ErrNotFound. The caller closes it.
// While the recording goes on the file grows.
func (r *Recorder) Open(id string) (*os.File, Recording, error) {
	rec, err := r.Recording(id)
	if err != nil {
		return nil, Recording{}, err
	}
	f, err := r.folder.root().Open(rec.name())
	if errors.Is(err, os.ErrNotExist) {
		f, err = r.folder.root().Open(rec.partName())
	}
	if errors.Is(err, os.ErrNotExist) { // it got its name in between
		f, err = r.folder.root().Open(rec.name())
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, Recording{}, ErrNotFound
	}
	if err != nil {
		return nil, Recording{}, fmt.Errorf("recorder: open %s: %w", id, err)
	}
	return f, rec, nil
}
