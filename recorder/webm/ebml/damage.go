package ebml

import (
	"fmt"
)

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
	ReasonNoElement  = "is no element"
	ReasonNoSize     = "has no size"
	ReasonTooLarge   = "is larger than may be"
	ReasonNotHere    = "does not belong here"
	ReasonOverrun    = "is longer than what contains it"
	ReasonCutShort   = "is cut off by another Cluster or EBML header"
	ReasonEnd        = "is cut off by the end of the stream"
	ReasonGap        = "is cut off by a gap in the stream"
	ReasonSecond     = "has a second Block"
	ReasonDuration   = "has a BlockDuration of more than 8 bytes"
	ReasonNoBlock    = "has no Block"
	ReasonNoTime     = "comes before its Cluster's Timestamp"
	ReasonTime       = "is out of range"
	ReasonShortBlock = "is too short"
	ReasonNoTrack    = "is of a track that is not declared"
	ReasonLacing     = "has sizes of laced frames that do not fit"
	ReasonNoTracks   = "comes before Tracks"
)
