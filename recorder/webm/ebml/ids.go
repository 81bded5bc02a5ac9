package ebml

import (
	"fmt"
)

// ElementID is an element's ID with its length marker (RFC 8794 section 5); zero
// if it is not known.
type ElementID uint32

// The elements that weir knows by name (RFC 8794 section 11, RFC 9559 section 5).
// Some are read or written; of others it only matters where they belong.
const (
	HeaderID             ElementID = 0x1A45DFA3
	VersionID            ElementID = 0x4286
	ReadVersionID        ElementID = 0x42F7
	MaxIDLengthID        ElementID = 0x42F2
	MaxSizeLengthID      ElementID = 0x42F3
	DocTypeID            ElementID = 0x4282
	DocTypeVersionID     ElementID = 0x4287
	DocTypeReadVersionID ElementID = 0x4285

	SegmentID     ElementID = 0x18538067
	SeekHeadID    ElementID = 0x114D9B74
	InfoID        ElementID = 0x1549A966
	TracksID      ElementID = 0x1654AE6B
	ClusterID     ElementID = 0x1F43B675
	CuesID        ElementID = 0x1C53BB6B
	AttachmentsID ElementID = 0x1941A469
	ChaptersID    ElementID = 0x1043A770
	TagsID        ElementID = 0x1254C367

	SeekID         ElementID = 0x4DBB // in SeekHead (RFC 9559 section 5.1.1)
	SeekIDID       ElementID = 0x53AB
	SeekPositionID ElementID = 0x53AC

	TimestampScaleID ElementID = 0x2AD7B1
	DurationID       ElementID = 0x4489
	MuxingAppID      ElementID = 0x4D80

	TrackEntryID       ElementID = 0xAE
	TrackNumberID      ElementID = 0xD7
	TrackTypeID        ElementID = 0x83
	CodecIDID          ElementID = 0x86
	CodecPrivateID     ElementID = 0x63A2
	CodecDelayID       ElementID = 0x56AA
	DefaultDurationID  ElementID = 0x23E383
	ContentEncodingsID ElementID = 0x6D80
	VideoID            ElementID = 0xE0
	PixelWidthID       ElementID = 0xB0
	PixelHeightID      ElementID = 0xBA
	AudioID            ElementID = 0xE1
	ChannelsID         ElementID = 0x9F

	TimestampID      ElementID = 0xE7
	PositionID       ElementID = 0xA7
	PrevSizeID       ElementID = 0xAB
	SilentTracksID   ElementID = 0x5854
	EncryptedBlockID ElementID = 0xAF
	SimpleBlockID    ElementID = 0xA3
	BlockGroupID     ElementID = 0xA0
	BlockID          ElementID = 0xA1
	BlockAdditionsID ElementID = 0x75A1
	BlockDurationID  ElementID = 0x9B
	ReferenceBlockID ElementID = 0xFB

	CuePointID           ElementID = 0xBB // in Cues (RFC 9559 section 5.1.5)
	CueTimeID            ElementID = 0xB3
	CueTrackPositionsID  ElementID = 0xB7
	CueTrackID           ElementID = 0xF7
	CueClusterPositionID ElementID = 0xF1

	TagID          ElementID = 0x7373 // in Tags
	AttachedFileID ElementID = 0x61A7 // in Attachments
	EditionEntryID ElementID = 0x45B9 // in Chapters

	VoidID  ElementID = 0xEC
	CRC32ID ElementID = 0xBF
)

var elementNames = map[ElementID]string{
	0:        "element", // one whose ID is not known yet, or is none
	HeaderID: "EBML header", ReadVersionID: "EBMLReadVersion", MaxIDLengthID: "EBMLMaxIDLength",
	MaxSizeLengthID: "EBMLMaxSizeLength", DocTypeID: "DocType", DocTypeReadVersionID: "DocTypeReadVersion",
	SegmentID: "Segment", SeekHeadID: "SeekHead", InfoID: "Info", TracksID: "Tracks", ClusterID: "Cluster",
	CuesID: "Cues", AttachmentsID: "Attachments", ChaptersID: "Chapters", TagsID: "Tags",
	TimestampScaleID: "TimestampScale", TrackEntryID: "TrackEntry", TrackNumberID: "TrackNumber",
	CodecIDID: "CodecID", CodecPrivateID: "CodecPrivate", CodecDelayID: "CodecDelay",
	DefaultDurationID: "DefaultDuration", ContentEncodingsID: "ContentEncodings", VideoID: "Video",
	PixelWidthID: "PixelWidth", PixelHeightID: "PixelHeight", AudioID: "Audio", ChannelsID: "Channels",
	TimestampID: "Timestamp", PositionID: "Position", PrevSizeID: "PrevSize", SimpleBlockID: "SimpleBlock",
	BlockGroupID: "BlockGroup", BlockID: "Block", BlockAdditionsID: "BlockAdditions",
	BlockDurationID: "BlockDuration", ReferenceBlockID: "ReferenceBlock", VoidID: "Void", CRC32ID: "CRC-32",
}

// String returns the name of the element, or its ID if it has none here.
func (id ElementID) String() string {
	if name, ok := elementNames[id]; ok {
		return name
	}
	return fmt.Sprintf("element 0x%X", uint32(id))
}

// Outside reports whether the element lies outside of Clusters, so that it ends one of
// unknown size (RFC 8794 section 6.2).
func (id ElementID) Outside() bool {
	switch id {
	case HeaderID, SegmentID, SeekHeadID, InfoID, TracksID, ClusterID, CuesID, AttachmentsID, ChaptersID, TagsID:
		return true
	}
	return false
}

// Unsized reports whether the element may have an unknown size (RFC 9559 section
// 5.1 and 5.1.3).
func (id ElementID) Unsized() bool { return id == SegmentID || id == ClusterID }

// InCluster reports whether the element lies in Clusters only.
func (id ElementID) InCluster() bool {
	switch id {
	case TimestampID, PositionID, PrevSizeID, SilentTracksID, SimpleBlockID, BlockGroupID, EncryptedBlockID:
		return true
	}
	return false
}

// Begins reports whether the element can be the first child of a child of the Segment.
func (id ElementID) Begins(parent ElementID) bool {
	if id == CRC32ID || id == VoidID {
		return true
	}
	switch parent {
	case SeekHeadID:
		return id == SeekID
	case InfoID:
		return id > 0x4000 && id != SeekIDID && id != SeekPositionID
	case TracksID:
		return id == TrackEntryID
	case CuesID:
		return id == CuePointID
	case TagsID, AttachmentsID, ChaptersID:
		return id == TagID || id == AttachedFileID || id == EditionEntryID
	}
	return false
}

// Width returns the length of the ID, in bytes.
func (id ElementID) Width() int {
	n := 0
	for ; id != 0; id >>= 8 {
		n++
	}
	return n
}
