package walk

import (
	"errors"
)

var (
	// ErrRead is returned when a file cannot be read; the error also wraps the file's own.
	ErrRead = errors.New("webm: read failed")
	// ErrSegments is returned for a file that is several files one behind the
	// other. Only the first could be read, so it is left alone.
	ErrSegments = errors.New("webm: several files in one")
)
