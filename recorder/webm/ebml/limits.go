package ebml

import (
	"time"
)

const (
	// MaxFrame is the largest frame that is written, in bytes.
	MaxFrame = 32 << 20
	// MaxOffset is the latest a block can be in its Cluster, in ticks (RFC 9559
	// section 10.1).
	MaxOffset = 1<<15 - 1
	// MaxTime is the latest time that is written, and that is read: 34 years.
	MaxTime = (1<<40 - 1) * time.Millisecond
	// MuxingApp is what the Info of weir's files and streams says.
	MuxingApp = "weir"
)
