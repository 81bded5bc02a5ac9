package webm

import (
	"errors"
)

var (
	// ErrFinished is returned by calls that would change a file after Finish.
	ErrFinished = errors.New("webm: file is finished")
	// ErrConfig is returned by NewWriter for a Config or a list of tracks that
	// cannot make a file.
	ErrConfig = errors.New("webm: bad configuration")
	// ErrTrack is returned for a track index that was not declared, or for a
	// size given to a track that has none. The file is not changed and the
	// Writer can be used further.
	ErrTrack = errors.New("webm: no such track")
	// ErrFrame is returned for a frame that has no data, too much data, or a
	// time beyond what the file can tell, and for an impossible picture size.
	// The file is not changed and the Writer can be used further.
	ErrFrame = errors.New("webm: bad frame")
)
