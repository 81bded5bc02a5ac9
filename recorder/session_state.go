package recorder

import "fmt"

// sessionState is where the recording of a live stream stands. The events, and what
// each makes of it:
//
//	           start      stop  pause    resume     fail       recover    end
//	off        recording  off   refused  refused    off        off        finishing
//	recording  recording  off   paused   recording  suspended  recording  finishing
//	paused     paused     off   paused   recording  paused     paused     finishing
//	suspended  suspended  off   paused   suspended  suspended  recording  finishing
//	finishing  finishing  off   refused  refused    finishing  finishing  finishing
//
// While it is paused nothing is written, so that nothing can fail again: whether it can
// go on is found out when it is resumed.
type sessionState uint8

const (
	// stateOff is of a stream that is not to be recorded.
	stateOff sessionState = iota
	// stateRecording has frames read, and written.
	stateRecording
	// statePaused has frames read, and left out.
	statePaused
	// stateSuspended is of a recording that is wanted and could not be written. It is
	// tried again now and then.
	stateSuspended
	// stateFinishing is of a stream that has ended: what the rings still hold is
	// written, and then nothing more.
	stateFinishing
)

// sessionEvent is what happens to the recording of a live stream.
type sessionEvent uint8

const (
	eventStart   sessionEvent = iota // a user wants it
	eventStop                        // a user wants no more of it
	eventPause                       // a user wants nothing of what comes now
	eventResume                      // a user wants what comes from now on
	eventFail                        // it could not be written
	eventRecover                     // it may be possible to write it again
	eventEnd                         // the stream has ended
)

// after returns the state that follows an event. The error is ErrNotRecording where
// there is nothing that could be paused or resumed.
func (s sessionState) after(e sessionEvent) (sessionState, error) {
	switch e {
	case eventStart:
		if s == stateOff {
			return stateRecording, nil
		}
	case eventStop:
		return stateOff, nil
	case eventPause, eventResume:
		return s.afterPause(e)
	case eventFail:
		if s == stateRecording {
			return stateSuspended, nil
		}
	case eventRecover:
		if s == stateSuspended {
			return stateRecording, nil
		}
	case eventEnd:
		return stateFinishing, nil
	}
	return s, nil
}

// afterPause is after for the start and the end of a pause.
func (s sessionState) afterPause(e sessionEvent) (sessionState, error) {
	switch {
	case s == stateOff || s == stateFinishing:
		return s, ErrNotRecording
	case e == eventPause:
		return statePaused, nil
	case s == statePaused:
		return stateRecording, nil
	}
	return s, nil
}

// reads reports whether frames are read in the state.
func (s sessionState) reads() bool {
	return s == stateRecording || s == statePaused || s == stateFinishing
}

// String returns the state as users are told it. Of the last frames of a stream they
// are told that they are recorded.
func (s sessionState) String() string {
	switch s {
	case stateOff:
		return "off"
	case stateRecording, stateFinishing:
		return "recording"
	case statePaused:
		return "paused"
	case stateSuspended:
		return "suspended"
	}
	return fmt.Sprintf("sessionState(%d)", uint8(s))
}
