package layout

import (
	"bytes"
	"fmt"
	"time"

	ebmlgo "github.com/at-wat/ebml-go"
)

// The elements below are marshalled by ebml-go, which finds their IDs by the
// names in the tags (the older names of RFC 9559's elements: Timecode for
// Timestamp). They are our own structs because ebml-go's webm package has no
// Title, Language, FlagLacing or Void, and no fixed widths.

type ebmlHeader struct {
	EBMLVersion        uint64 `ebml:"EBMLVersion"`
	EBMLReadVersion    uint64 `ebml:"EBMLReadVersion"`
	EBMLMaxIDLength    uint64 `ebml:"EBMLMaxIDLength"`
	EBMLMaxSizeLength  uint64 `ebml:"EBMLMaxSizeLength"`
	DocType            string `ebml:"EBMLDocType"`
	DocTypeVersion     uint64 `ebml:"EBMLDocTypeVersion"`
	DocTypeReadVersion uint64 `ebml:"EBMLDocTypeReadVersion"`
}

// info has no SegmentUID: WebM's list of elements leaves it out.
type info struct {
	TimecodeScale uint64     `ebml:"TimecodeScale"` // ns per tick
	Title         string     `ebml:"Title,omitempty"`
	MuxingApp     string     `ebml:"MuxingApp"`
	WritingApp    string     `ebml:"WritingApp"`
	DateUTC       *time.Time `ebml:"DateUTC,size=8"` // a date has 8 bytes or none (RFC 8794 section 7.6)
	// Void is the last child, so that RenderHeader knows where the Duration goes.
	Void []byte `ebml:"Void"`
}

type trackEntry struct {
	TrackNumber  uint64 `ebml:"TrackNumber"`
	TrackUID     uint64 `ebml:"TrackUID"`
	TrackType    uint64 `ebml:"TrackType"`
	FlagLacing   uint64 `ebml:"FlagLacing"`
	Name         string `ebml:"Name,omitempty"`
	Language     string `ebml:"Language"`
	CodecID      string `ebml:"CodecID"`
	CodecPrivate []byte `ebml:"CodecPrivate,omitempty"`
	SeekPreRoll  uint64 `ebml:"SeekPreRoll,omitempty"` // ns
	// DefaultDuration is for live streams only: see pictureDuration.
	DefaultDuration uint64 `ebml:"DefaultDuration,omitempty"` // ns
	Audio           *audio `ebml:"Audio"`
	Void            []byte `ebml:"Void,omitempty"` // room for CodecPrivate: see privateRoom
	// Video is the last child, so that RenderHeader knows where the size goes.
	Video *video `ebml:"Video"`
}

type audio struct {
	SamplingFrequency float64 `ebml:"SamplingFrequency"` // Hz
	Channels          uint64  `ebml:"Channels"`
}

// video has two fields of fixed width and nothing after them: see sizeBytes.
type video struct {
	PixelWidth  uint64 `ebml:"PixelWidth,size=2"`
	PixelHeight uint64 `ebml:"PixelHeight,size=2"`
}

// Seek is an entry of a SeekHead.
type Seek struct {
	SeekID       []byte `ebml:"SeekID"`
	SeekPosition uint64 `ebml:"SeekPosition,size=8"`
}

// cuePoint always takes cueBytes bytes, so that how many fit is a division.
type cuePoint struct {
	CueTime uint64            `ebml:"CueTime,size=5"` // ms: 34 years
	Where   cueTrackPositions `ebml:"CueTrackPositions"`
}

// cueTrackPositions has no CueRelativePosition: the block is the Cluster's first.
type cueTrackPositions struct {
	CueTrack           uint64 `ebml:"CueTrack"`
	CueClusterPosition uint64 `ebml:"CueClusterPosition,size=6"` // 256 TiB
}

// marshal returns the elements that the fields of *v are. An error means that v
// itself is wrong.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := ebmlgo.Marshal(v, &b); err != nil {
		return nil, fmt.Errorf("webm: %w", err)
	}
	return b.Bytes(), nil
}
