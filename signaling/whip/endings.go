package whip

import (
	"sync"

	"weir/sfu/peer"
)

// maxEndings bounds the sessions whose end is remembered: their clients ask at once.
const maxEndings = 64

// endings keeps the reasons of the last sessions that ended without their client's
// knowledge. A client learns the reason only if it asks for its session (RFC 9725
// section 4.2 has no message to clients). The zero value is ready to use.
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

// note keeps why the session with that id ended, unless cause is nil.
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
