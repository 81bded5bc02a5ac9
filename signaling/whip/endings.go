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
	id    string
	cause error
}

// note remembers why the session with that id ended, unless cause is nil.
func (e *endings) note(id string, cause error) {
	if cause == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.of[e.count%maxEndings] = ending{id, cause}
	e.count++
}

// cause returns why the session with that id ended, or peer.ErrLost.
func (e *endings) cause(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, known := range e.of {
		if known.cause != nil && known.id == id {
			return known.cause
		}
	}
	return peer.ErrLost
}
