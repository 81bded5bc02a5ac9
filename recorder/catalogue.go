package recorder

import (
	"maps"
	"sync"
)

// catalogue is what is known of all recordings: those that have ended are in the
// index, the others in memory.
type catalogue struct {
	index *index

	// guarded by mu
	mu      sync.RWMutex
	overlay map[string]*Recording // by id: those that go on, and those that the index or the disk refused
	active  map[string]string     // id of the recording that goes on, by StreamID
	debts   map[string]bool       // ids of recordings whose sidecar is not written yet
}

func newCatalogue(x *index) catalogue {
	return catalogue{index: x, overlay: map[string]*Recording{}, active: map[string]string{}, debts: map[string]bool{}}
}

// set puts in a copy of rec, or replaces the older one.
func (c *catalogue) set(rec *Recording) {
	copied := rec.clone()
	if !rec.State.open() && c.index.put(indexed{rec: &copied}) == nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.overlay, rec.ID)
		if c.active[rec.StreamID] == rec.ID {
			delete(c.active, rec.StreamID)
		}
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.overlay[rec.ID] = &copied
	if !rec.State.open() {
		c.debts[rec.ID] = true // to be tried again
	}
	switch {
	case rec.State.open():
		c.active[rec.StreamID] = rec.ID
	case c.active[rec.StreamID] == rec.ID:
		delete(c.active, rec.StreamID)
	}
}

// drop takes a recording out.
func (c *catalogue) drop(id string) error {
	err := c.index.remove(id)
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.overlay, id)
	delete(c.debts, id)
	maps.DeleteFunc(c.active, func(_, active string) bool { return active == id })
	return err
}

// owe notes that the sidecar of a recording is to be written later, paid that it
// was.
func (c *catalogue) owe(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.debts[id] = true
}

func (c *catalogue) paid(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.debts, id)
}

func (c *catalogue) owed() (ids []string) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for id := range c.debts {
		ids = append(ids, id)
	}
	return ids
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
	rec := c.overlay[id]
	c.mu.RUnlock()
	if rec == nil {
		var err error
		if rec, err = c.index.get(id); err != nil {
			return Recording{}, err
		}
	}
	return *rec, nil
}
