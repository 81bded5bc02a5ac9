package webm

import "fmt"

// ElementID is an element's ID with its length marker (RFC 8794 section 5); zero
// if it is not known.
type ElementID uint32

// The elements that weir knows by name (RFC 8794 section 11, RFC 9559 section 5).
// Some are read or written; of others it only matters where they belong.
const (
	ebmlID               ElementID = 0x1A45DFA3
	ebmlVersionID        ElementID = 0x4286
	ebmlReadVersionID    ElementID = 0x42F7
	ebmlMaxIDLengthID    ElementID = 0x42F2
	ebmlMaxSizeLengthID  ElementID = 0x42F3
	docTypeID            ElementID = 0x4282
	docTypeVersionID     ElementID = 0x4287
	docTypeReadVersionID ElementID = 0x4285

	segmentID     ElementID = 0x18538067
	seekHeadID    ElementID = 0x114D9B74
	infoID        ElementID = 0x1549A966
	tracksID      ElementID = 0x1654AE6B
	clusterID     ElementID = 0x1F43B675
	cuesID        ElementID = 0x1C53BB6B
	attachmentsID ElementID = 0x1941A469
	chaptersID    ElementID = 0x1043A770
	tagsID        ElementID = 0x1254C367

	seekID         ElementID = 0x4DBB // in SeekHead (RFC 9559 section 5.1.1)
	seekIDID       ElementID = 0x53AB
	seekPositionID ElementID = 0x53AC

	timestampScaleID ElementID = 0x2AD7B1
	durationID       ElementID = 0x4489
	muxingAppID      ElementID = 0x4D80

	trackEntryID       ElementID = 0xAE
	trackNumberID      ElementID = 0xD7
	trackTypeID        ElementID = 0x83
	codecIDID          ElementID = 0x86
	codecPrivateID     ElementID = 0x63A2
	codecDelayID       ElementID = 0x56AA
	defaultDurationID  ElementID = 0x23E383
	contentEncodingsID ElementID = 0x6D80
	videoID            ElementID = 0xE0
	pixelWidthID       ElementID = 0xB0
	pixelHeightID      ElementID = 0xBA
	audioID            ElementID = 0xE1
	channelsID         ElementID = 0x9F

	timestampID      ElementID = 0xE7
	positionID       ElementID = 0xA7
	prevSizeID       ElementID = 0xAB
	silentTracksID   ElementID = 0x5854
	encryptedBlockID ElementID = 0xAF
	simpleBlockID    ElementID = 0xA3
	blockGroupID     ElementID = 0xA0
	blockID          ElementID = 0xA1
	blockAdditionsID ElementID = 0x75A1
	blockDurationID  ElementID = 0x9B
	referenceBlockID ElementID = 0xFB

	cuePointID           ElementID = 0xBB // in Cues (RFC 9559 section 5.1.5)
	cueTimeID            ElementID = 0xB3
	cueTrackPositionsID  ElementID = 0xB7
	cueTrackID           ElementID = 0xF7
	cueClusterPositionID ElementID = 0xF1

	tagID          ElementID = 0x7373 // in Tags
	attachedFileID ElementID = 0x61A7 // in Attachments
	editionEntryID ElementID = 0x45B9 // in Chapters

	voidID  ElementID = 0xEC
	crc32ID ElementID = 0xBF
)

var elementNames = map[ElementID]string{
	0:      "element", // one whose ID is not known yet, or is none
	ebmlID: "EBML header", ebmlReadVersionID: "EBMLReadVersion", ebmlMaxIDLengthID: "EBMLMaxIDLength",
	ebmlMaxSizeLengthID: "EBMLMaxSizeLength", docTypeID: "DocType", docTypeReadVersionID: "DocTypeReadVersion",
	segmentID: "Segment", seekHeadID: "SeekHead", infoID: "Info", tracksID: "Tracks", clusterID: "Cluster",
	cuesID: "Cues", attachmentsID: "Attachments", chaptersID: "Chapters", tagsID: "Tags",
	timestampScaleID: "TimestampScale", trackEntryID: "TrackEntry", trackNumberID: "TrackNumber",
	codecIDID: "CodecID", codecPrivateID: "CodecPrivate", codecDelayID: "CodecDelay",
	defaultDurationID: "DefaultDuration", contentEncodingsID: "ContentEncodings", videoID: "Video",
	pixelWidthID: "PixelWidth", pixelHeightID: "PixelHeight", audioID: "Audio", channelsID: "Channels",
	timestampID: "Timestamp", positionID: "Position", prevSizeID: "PrevSize", simpleBlockID: "SimpleBlock",
	blockGroupID: "BlockGroup", blockID: "Block", blockAdditionsID: "BlockAdditions",
	blockDurationID: "BlockDuration", referenceBlockID: "ReferenceBlock", voidID: "Void", crc32ID: "CRC-32",
}

// String returns the name of the element, or its ID if it has none here.
func (id ElementID) String() string {
	if name, ok := elementNames[id]; ok {
		return name
	}
	return fmt.Sprintf("element 0x%X", uint32(id))
}

// outside reports whether the element lies outside of Clusters, so that it ends one of
// unknown size (RFC 8794 section 6.2).
func (id ElementID) outside() bool {
	switch id {
	case ebmlID, segmentID, seekHeadID, infoID, tracksID, clusterID, cuesID, attachmentsID, chaptersID, tagsID:
		return true
	}
	return false
}

// unsized reports whether the element may have an unknown size (RFC 9559 section
// 5.1 and 5.1.3).
func (id ElementID) unsized() bool { return id == segmentID || id == clusterID }

// inCluster reports whether the element lies in Clusters only.
func (id ElementID) inCluster() bool {
	switch id {
	case timestampID, positionID, prevSizeID, silentTracksID, simpleBlockID, blockGroupID, encryptedBlockID:
		return true
	}
	return false
}

// begins reports whether the element can be the first child of a child of the Segment.
func (id ElementID) begins(parent ElementID) bool {
	if id == crc32ID || id == voidID {
		return true
	}
	switch parent {
	case seekHeadID:
		return id == seekID
	case infoID:
		return id > 0x4000 && id != seekIDID && id != seekPositionID
	case tracksID:
		return id == trackEntryID
	case cuesID:
		return id == cuePointID
	case tagsID, attachmentsID, chaptersID:
		return id == tagID || id == attachedFileID || id == editionEntryID
	}
	return false
}

// bytes returns the length of the ID.
func (id ElementID) bytes() int {
	n := 0
	for ; id != 0; id >>= 8 {
		n++
	}
	return n
}
