package whip

import (
	"errors"
	"net/http"
	"sync"
	"time"

	"weir/sfu/peer"
	"weir/signaling"
	"weir/signaling/session"
)

// maxEndings bounds the sessions whose end is remembered, and keptEnding for how long:
// their clients ask at once.
const (
	maxEndings = 64
	keptEnding = 10 * time.Minute
)

// The answers to clients of sessions that ended for a reason which coming back would not
// change.
var (
	errKicked = &signaling.Problem{Status: http.StatusGone, Title: "Ended",
		Detail: "The server's operator has ended this session."}
	errReplaced = &signaling.Problem{Status: http.StatusGone, Title: "Replaced",
		Detail: "Another session publishes in the place of this one."}
)

// untold returns the reason for a session's end that its client cannot know: that the
// operator ended it, that another one has taken its place, or why it was of no use;
// else nil.
func untold(err, failure error) error {
	switch {
	case errors.Is(err, session.ErrKicked):
		return errKicked
	case errors.Is(err, session.ErrReplaced):
		return errReplaced
	}
	return failure
}

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
	at    time.Time
}

// note keeps why the session with that id ended, unless cause is nil.
func (e *endings) note(id string, cause error) {
	if cause == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.of[e.count%maxEndings] = ending{id, cause, time.Now()}
	e.count++
}

// cause returns why the session with that id ended, or peer.ErrLost.
func (e *endings) cause(id string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, known := range e.of {
		if known.cause != nil && known.id == id && time.Since(known.at) < keptEnding {
			return known.cause
		}
	}
	return peer.ErrLost
}
