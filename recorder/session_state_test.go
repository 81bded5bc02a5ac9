package recorder

import (
	"errors"
	"testing"
)

// TestSessionStates: every state with every event.
func TestSessionStates(t *testing.T) {
	const (
		off, recording, paused, suspended, finishing = stateOff, stateRecording, statePaused, stateSuspended, stateFinishing
		refused                                      = sessionState(99)
	)
	events := []sessionEvent{eventStart, eventStop, eventPause, eventResume, eventFail, eventRecover, eventEnd}
	for from, want := range map[sessionState][]sessionState{
		off:       {recording, off, refused, refused, off, off, finishing},
		recording: {recording, off, paused, recording, suspended, recording, finishing},
		paused:    {paused, off, paused, recording, paused, paused, finishing},
		suspended: {suspended, off, paused, suspended, suspended, recording, finishing},
		finishing: {finishing, off, refused, refused, finishing, finishing, finishing},
	} {
		for i, e := range events {
			to, err := from.after(e)
			switch {
			case want[i] == refused:
				if !errors.Is(err, ErrNotRecording) || to != from {
					t.Errorf("%v, event %d: %v, %v; want it refused", from, e, to, err)
				}
			case err != nil || to != want[i]:
				t.Errorf("%v, event %d: %v, %v; want %v", from, e, to, err, want[i])
			}
		}
	}
	for s, want := range map[sessionState]string{off: "off", recording: "recording", paused: "paused", suspended: "suspended", finishing: "recording"} {
		if s.String() != want {
			t.Errorf("state %d is told as %q, want %q", s, s, want)
		}
	}
}
