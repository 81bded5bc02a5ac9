package read

import (
	"errors"
)

var (
	// ErrHeaderSize ends a stream that has more than Config.MaxHeader bytes
	// before its first Cluster.
	ErrHeaderSize = errors.New("webm: header too large")
	// ErrClosed is returned by Push and Gap after Close.
	ErrClosed = errors.New("webm: reader is closed")
)
