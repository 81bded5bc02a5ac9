package layout

import (
	"time"
)

// MaxStep is the longest that a frame is taken to last by the time since the one
// before it. A longer step is a hole, which says nothing about the next frame.
const MaxStep = time.Second

// How long a frame is taken to last until two have come: what Opus in RTP and most
// cameras have.
const (
	AudioStep = 20 * time.Millisecond
	VideoStep = time.Second / 30
)
