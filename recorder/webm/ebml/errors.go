package ebml

import (
	"errors"
	"fmt"
)

var (
	// ErrNotWebM ends a stream that does not begin with an EBML header, or whose
	// EBML header asks for another kind or version of document.
	ErrNotWebM = errors.New("webm: not a WebM stream")
	// ErrHeader ends a stream that is malformed before its tracks are known,
	// since nothing that follows could be used.
	ErrHeader = errors.New("webm: bad header")
	// ErrTooManyTracks ends a stream that declares more than 8 tracks, or a file with
	// more than 128.
	ErrTooManyTracks = errors.New("webm: too many tracks")
)

// Fail wraps err with the element and the place in the stream that it is about.
func (id ElementID) Fail(err error, at int64, cause string) error {
	return fmt.Errorf("%w: %v at byte %d: %s", err, id, at, cause)
}
