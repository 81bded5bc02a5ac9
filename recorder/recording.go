package recorder

import (
	"errors"
	"time"
)

// ErrNotFound says that there is no recording with that id.
var ErrNotFound = errors.New("recorder: no such recording")

// State is where a recording stands.
type State string

// The states of a recording.
const (
	Active      State = "recording"
	Finished    State = "finished"
	Interrupted State = "interrupted" // the program ended without finishing it
	Failed      State = "failed"      // writing failed; Reason says why
)

// Recording describes one recording. It is what a sidecar holds.
type Recording struct {
	ID         string     `json:"id"`
	Stream     string     `json:"stream"`
	State      State      `json:"state"`
	StartedAt  time.Time  `json:"started_at"` // of the file's time zero
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	DurationMS int64      `json:"duration_ms"`
	Bytes      int64      `json:"bytes"`
	Frames     int64      `json:"frames"`
	Keyframes  int64      `json:"keyframes"`
	Tracks     []Track    `json:"tracks"`
	// Gaps are the places where frames are missing, MoreGaps how many there are
	// beyond those that are listed.
	Gaps     []Gap  `json:"gaps"`
	MoreGaps int    `json:"more_gaps,omitempty"`
	Reason   string `json:"reason,omitempty"`

	// StreamID is the broadcast that is recorded.
	StreamID string `json:"stream_id"`
	// base is the path without suffix, relative to Config.Dir.
	base string
}

// Track describes one track of a recording.
type Track struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Codec     string `json:"codec"`
	Width     int    `json:"width,omitempty"` // of the first picture
	Height    int    `json:"height,omitempty"`
	Frames    int64  `json:"frames"`
	Keyframes int64  `json:"keyframes,omitempty"`
	Bytes     int64  `json:"bytes"`
	Sizes     []Size `json:"sizes,omitempty"` // where the picture size changes
}

// Size is a change of the picture size.
type Size struct {
	AtMS   int64 `json:"at_ms"`
	Width  int   `json:"width"`
	Height int   `json:"height"`
}

// Gap is a place where frames are missing.
type Gap struct {
	Track      string `json:"track"`
	AtMS       int64  `json:"at_ms"`       // time of the last frame before it
	DurationMS int64  `json:"duration_ms"` // to the first frame after it
}

const (
	maxGaps  = 1000 // listed in a sidecar
	maxSizes = 1000
)

// addGap lists a gap, up to a bound.
func (r *Recording) addGap(g Gap) {
	if len(r.Gaps) >= maxGaps {
		r.MoreGaps++
		return
	}
	r.Gaps = append(r.Gaps, g)
}

// clone returns a copy that shares nothing with r that changes.
func (r *Recording) clone() Recording {
	c := *r
	c.Tracks = append([]Track(nil), r.Tracks...)
	c.Gaps = append([]Gap{}, r.Gaps...)
	return c
}

func milliseconds(d time.Duration) int64 { return d.Milliseconds() }
