package recorder

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"weir/sfu"
)

var (
	// ErrNotFound means that there is no recording with that id.
	ErrNotFound = errors.New("recorder: no such recording")
	// ErrActive means that a recording still goes on.
	ErrActive = errors.New("recorder: the recording goes on")
)

// State is where a recording stands.
type State string

// The states of a recording.
const (
	Active      State = "recording"
	Paused      State = "paused"
	Finished    State = "finished"
	Interrupted State = "interrupted" // the program ended without finishing it
	Failed      State = "failed"      // writing failed; Reason says why
)

// open reports whether the recording goes on.
func (s State) open() bool { return s == Active || s == Paused }

// Recording describes one recording: one file. It is what a sidecar holds.
type Recording struct {
	ID         string     `json:"id"`
	Stream     string     `json:"stream"`
	State      State      `json:"state"`
	StartedAt  time.Time  `json:"started_at"` // of the file's time zero
	EndedAt    *time.Time `json:"ended_at,omitempty"`
	DurationMS int64      `json:"duration_ms"`
	Bytes      int64      `json:"bytes"`
	Frames     int64      `json:"frames,omitzero"` // without filler; absent while it is not known
	Keyframes  int64      `json:"keyframes,omitzero"`
	Tracks     []Track    `json:"tracks"`
	// Gaps are the places where frames are missing, MoreGaps how many there are
	// beyond those that are listed. They are nil, and absent, if the sidecar was lost:
	// it is not known whether there are any.
	Gaps     []Gap  `json:"gaps,omitzero"`
	MoreGaps int    `json:"more_gaps,omitempty"`
	Reason   string `json:"reason,omitempty"`
	// Quality is how good the recording is. It is there once it has ended.
	Quality *Quality `json:"quality,omitempty"`
	// Source is where the media came from, of the newest publisher: webrtc or websocket.
	// Old sidecars do not tell.
	Source string `json:"source,omitempty"`
	// Title and Description are what its publisher says of it to people: plain text. Old
	// sidecars have none.
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// Metadata is what users attached.
	Metadata map[string]string `json:"metadata,omitempty"`

	// StreamID is the broadcast that is recorded. A broadcast has several
	// recordings when they are rotated, or one failed: Part counts them from 1, and
	// Previous and Next are their ids. Previous may also be of a broadcast that the
	// same publisher went on from, with other tracks or after a restart of the server.
	StreamID string `json:"stream_id"`
	Part     int    `json:"part,omitempty"`
	Previous string `json:"previous,omitempty"`
	Next     string `json:"next,omitempty"`

	// Stopped reports that the server was stopped while the broadcast went on.
	Stopped bool `json:"stopped,omitempty"`

	// Container is the file's type, which is its suffix too: webm or mkv. Old
	// sidecars do not tell: webm.
	Container string `json:"container,omitempty"`
	// PosterBytes is the size of the picture beside the file, a JPEG; 0: there is none.
	// PosterAtMS is when it is to be seen in the recording.
	PosterBytes int64 `json:"poster_bytes,omitempty"`
	PosterAtMS  int64 `json:"poster_at_ms,omitempty"`

	// base is the path without suffix, relative to Config.Dir.
	base string
}

// Suffix is how the names of the recording's file and of its URL end: .webm or .mkv.
func (r *Recording) Suffix() string {
	if r.Container == "mkv" {
		return ".mkv"
	}
	return ".webm"
}

// MIME is the media type of the recording's file.
func (r *Recording) MIME() string {
	if r.Container == "mkv" {
		return "video/x-matroska"
	}
	return "video/webm"
}

// name is the recording's file, when it is finished.
func (r *Recording) name() string { return r.base + r.Suffix() }

// partName is the recording's file before that.
func (r *Recording) partName() string { return r.name() + partSuffix }

// posterName is the recording's picture.
func (r *Recording) posterName() string { return r.base + posterSuffix }

// PosterPath is where the recording's picture is served, below the root of the server:
// another address for another picture. Empty: there is none.
func (r *Recording) PosterPath() string {
	if r.PosterBytes == 0 {
		return ""
	}
	return "/recordings/" + r.ID + posterSuffix + "?v=" + r.PosterVersion()
}

// PosterVersion is another one for another picture of the recording.
func (r *Recording) PosterVersion() string { return fmt.Sprintf("%x-%x", r.PosterAtMS, r.PosterBytes) }

// size is how many bytes all that belongs to the recording takes, but its sidecar.
func (r *Recording) size() int64 { return r.Bytes + r.PosterBytes }

// sidecarName is the recording's sidecar.
func (r *Recording) sidecarName() string { return r.base + sidecarSuffix }

// The names of a recording's files.
const (
	partSuffix    = ".part"
	sidecarSuffix = ".json"
	posterSuffix  = ".jpg"
	freshSuffix   = ".new"   // of a sidecar or a picture that is being written
	fixedSuffix   = ".fixed" // of a file that is being rewritten
)

// Track describes one track of a recording.
type Track struct {
	ID        string `json:"id"`
	Kind      string `json:"kind"`
	Codec     string `json:"codec"`
	Width     int    `json:"width,omitempty"` // of the first picture
	Height    int    `json:"height,omitempty"`
	Channels  int    `json:"channels,omitempty"` // the most that a frame of sound has; 0: not known
	Frames    int64  `json:"frames,omitzero"`    // absent while it is not known
	Keyframes int64  `json:"keyframes,omitempty"`
	Bytes     int64  `json:"bytes,omitzero"`
	Sizes     []Size `json:"sizes,omitempty"` // where the picture size changes
	// Filler is what stands in the file where sound is missing. It is part of no other
	// count.
	Filler *Filler `json:"filler,omitempty"`
}

// Filler is frames of silence that weir made.
type Filler struct {
	Frames     int64 `json:"frames"`
	DurationMS int64 `json:"duration_ms"`
}

// size returns the size of the newest picture.
func (t *Track) size() Size {
	if n := len(t.Sizes); n > 0 {
		return t.Sizes[n-1]
	}
	return Size{Width: t.Width, Height: t.Height}
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
	// Reason is why, if it is not that frames did not come: "paused".
	Reason string `json:"reason,omitempty"`
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
	c.Gaps = slices.Clone(r.Gaps) // nil stays nil
	c.Metadata = maps.Clone(r.Metadata)
	return c
}

// texts returns what is said of the recording, setTexts changes it.
func (r *Recording) texts() sfu.Texts     { return sfu.Texts{Title: r.Title, Description: r.Description} }
func (r *Recording) setTexts(t sfu.Texts) { r.Title, r.Description = t.Title, t.Description }

func milliseconds(d time.Duration) int64 { return d.Milliseconds() }
