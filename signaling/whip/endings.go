package whip

import (
	"sync"

	"weir/sfu/peer"
)

// maxEndings bounds the sessions whose end is remembered: their clients ask at once.
const maxEndings = 64

// endings remembers why sessions ended, where their clients have to know it: there is
// no other way to tell them (RFC 9725 section 4.2). The zero value is ready to use.
type endings struct {
	// guarded by mu
	mu    sync.Mutex
	of    [maxEndings]ending
	count int
}

type ending struct {
	id  string
	why error
}

// note remembers why the session with that id ended, unless why is nil.
func (e *endings) note(id string, why error) {
	if why == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.of[e.count%maxEndings] = ending{id, why}
	e.count++
}

// why returns why the session with that id ended, or peer.ErrLost.
func (e *endings) why(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, known := range e.of {
		if known.why != nil && known.id == id {
			return known.why
		}
	}
	return peer.ErrLost
}
