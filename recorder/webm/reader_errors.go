package webm

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
	// ErrHeaderSize ends a stream that has more than ReaderConfig.MaxHeader bytes
	// before its first Cluster.
	ErrHeaderSize = errors.New("webm: header too large")
	// ErrTooManyTracks ends a stream that declares more than 8 tracks.
	ErrTooManyTracks = errors.New("webm: too many tracks")
	// ErrClosed is returned by Push and Gap after Close.
	ErrClosed = errors.New("webm: reader is closed")
)

// fail wraps err with the element and the place in the stream that it is about.
func (id ElementID) fail(err error, at int64, why string) error {
	return fmt.Errorf("%w: %v at byte %d: %s", err, id, at, why)
}

// Damage is a piece of the stream that could not be used. When the Reader no
// longer knew where it was, the piece ends at the next Cluster or EBML header.
type Damage struct {
	Offset  int64     // where it begins, in bytes from the start of the stream
	Length  int64     // in bytes
	Element ElementID // the element that it began with
	Reason  string
}

// String returns what happened, in one line.
func (d Damage) String() string {
	lost := "1 byte is"
	if d.Length != 1 {
		lost = fmt.Sprintf("%d bytes are", d.Length)
	}
	return fmt.Sprintf("%v at byte %d: %s; %s lost", d.Element, d.Offset, d.Reason, lost)
}

// Reasons for damage, and for errors that end a stream whose tracks are not
// known yet. The element is named before them.
const (
	reasonNoElement  = "is no element"
	reasonNoSize     = "has no size"
	reasonTooLarge   = "is larger than may be"
	reasonNotHere    = "does not belong here"
	reasonOverrun    = "is longer than what contains it"
	reasonCutShort   = "is cut off by another Cluster or EBML header"
	reasonEnd        = "is cut off by the end of the stream"
	reasonGap        = "is cut off by a gap in the stream"
	reasonSecond     = "has a second Block"
	reasonDuration   = "has a BlockDuration of more than 8 bytes"
	reasonNoBlock    = "has no Block"
	reasonNoTime     = "comes before its Cluster's Timestamp"
	reasonTime       = "is out of range"
	reasonShortBlock = "is too short"
	reasonNoTrack    = "is of a track that is not declared"
	reasonLacing     = "has sizes of laced frames that do not fit"
	reasonNoTracks   = "comes before Tracks"
)
