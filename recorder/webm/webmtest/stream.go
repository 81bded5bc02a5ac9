package webmtest

import (
	"bytes"

	"weir/recorder/webm/ebml"
)

// The functions below make streams for the tests of the Reader.

// El returns an element with the least head.
func El(id ebml.ElementID, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	b := ebml.AppendSize(IDBytes(id), uint64(len(data)))
	return append(b, data...)
}

// Open returns the head of an element of unknown size.
func Open(id ebml.ElementID) []byte { return append(IDBytes(id), ebml.UnknownSize...) }

func IDBytes(id ebml.ElementID) []byte {
	var b []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if c := byte(id >> shift); c != 0 || len(b) > 0 {
			b = append(b, c)
		}
	}
	return b
}

// Number returns an element that is an unsigned integer.
func Number(id ebml.ElementID, v uint64) []byte {
	var b []byte
	for ; v > 0; v >>= 8 {
		b = append([]byte{byte(v)}, b...)
	}
	return El(id, b)
}

func Text(id ebml.ElementID, s string) []byte { return El(id, []byte(s)) }

func Join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// ebmlStart is a good EBML header, liveStart what a live stream begins with: two
// tracks, 5 of VP8 and 300 of Opus, and ticks of a millisecond.
var (
	EBMLStart = El(ebml.HeaderID, Number(0x4286, 1), Number(ebml.ReadVersionID, 1), Number(ebml.MaxIDLengthID, 4),
		Number(ebml.MaxSizeLengthID, 8), Text(ebml.DocTypeID, "webm"), Number(ebml.DocTypeReadVersionID, 2))
	LiveTracks = El(ebml.TracksID,
		El(ebml.TrackEntryID, Number(ebml.TrackNumberID, 5), Text(ebml.CodecIDID, "V_VP8"),
			El(ebml.VideoID, Number(ebml.PixelWidthID, 640), Number(ebml.PixelHeightID, 360))),
		El(ebml.TrackEntryID, Number(ebml.TrackNumberID, 300), Text(ebml.CodecIDID, "A_OPUS"), El(ebml.AudioID, Number(ebml.ChannelsID, 2))))
	LiveStart = Join(EBMLStart, Open(ebml.SegmentID), El(ebml.InfoID, Number(ebml.TimestampScaleID, 1e6)), LiveTracks)
)

// Tracks of liveStart.
const (
	LiveVideo = 5
	LiveAudio = 300
)

// BlockData returns the data of a block without lacing.
func BlockData(track uint64, offset int16, flags byte, payload ...byte) []byte {
	b := ebml.AppendSize(nil, track)
	b = append(b, byte(uint16(offset)>>8), byte(offset), flags)
	return append(b, payload...)
}

func SimpleBlock(track uint64, offset int16, flags byte, payload ...byte) []byte {
	return El(ebml.SimpleBlockID, BlockData(track, offset, flags, payload...))
}

// LiveCluster returns a Cluster of unknown size.
func LiveCluster(ms uint64, children ...[]byte) []byte {
	return Join(Open(ebml.ClusterID), Number(ebml.TimestampID, ms), Join(children...))
}
