package recorder

import "time"

// Event is something that happened to a recording.
type Event struct {
	Type      string    `json:"type"`
	At        time.Time `json:"at"`
	Recording Recording `json:"recording"`
}

// The types of events.
const (
	EventStarted  = "recording.started"
	EventPaused   = "recording.paused"
	EventResumed  = "recording.resumed"
	EventFinished = "recording.finished"
	EventFailed   = "recording.failed"
	EventDeleted  = "recording.deleted"
)

// tell makes an event of a recording's state.
func (r *Recorder) tell(kind string, rec *Recording) {
	r.config.OnEvent(Event{Type: kind, At: time.Now().UTC(), Recording: rec.clone()})
}
