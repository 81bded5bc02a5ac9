package webm

import "bytes"

// What follows makes streams for the tests of the Reader.

// el returns an element with the least head.
func el(id ElementID, parts ...[]byte) []byte {
	data := bytes.Join(parts, nil)
	b := appendSize(idBytes(id), uint64(len(data)))
	return append(b, data...)
}

// open returns the head of an element of unknown size.
func open(id ElementID) []byte { return append(idBytes(id), unknownSize...) }

// claim returns an element's head that claims n bytes of data.
func claim(id ElementID, n uint64) []byte { return appendSize(idBytes(id), n) }

func idBytes(id ElementID) []byte {
	var b []byte
	for shift := 24; shift >= 0; shift -= 8 {
		if c := byte(id >> shift); c != 0 || len(b) > 0 {
			b = append(b, c)
		}
	}
	return b
}

// number returns an element that is an unsigned integer.
func number(id ElementID, v uint64) []byte {
	var b []byte
	for ; v > 0; v >>= 8 {
		b = append([]byte{byte(v)}, b...)
	}
	return el(id, b)
}

func text(id ElementID, s string) []byte { return el(id, []byte(s)) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// ebmlStart is a good EBML header, liveStart what a live stream begins with: two
// tracks, 5 of VP8 and 300 of Opus, and ticks of a millisecond.
var (
	ebmlStart = el(ebmlID, number(0x4286, 1), number(ebmlReadVersionID, 1), number(ebmlMaxIDLengthID, 4),
		number(ebmlMaxSizeLengthID, 8), text(docTypeID, "webm"), number(docTypeReadVersionID, 2))
	liveTracks = el(tracksID,
		el(trackEntryID, number(trackNumberID, 5), text(codecIDID, "V_VP8"),
			el(videoID, number(pixelWidthID, 640), number(pixelHeightID, 360))),
		el(trackEntryID, number(trackNumberID, 300), text(codecIDID, "A_OPUS"), el(audioID, number(channelsID, 2))))
	liveStart = join(ebmlStart, open(segmentID), el(infoID, number(timestampScaleID, 1e6)), liveTracks)
)

// Tracks of liveStart.
const (
	liveVideo = 5
	liveAudio = 300
)

// blockData returns the data of a block without lacing.
func blockData(track uint64, offset int16, flags byte, payload ...byte) []byte {
	b := appendSize(nil, track)
	b = append(b, byte(uint16(offset)>>8), byte(offset), flags)
	return append(b, payload...)
}

func simpleBlock(track uint64, offset int16, flags byte, payload ...byte) []byte {
	return el(simpleBlockID, blockData(track, offset, flags, payload...))
}

// liveCluster returns a Cluster of unknown size.
func liveCluster(ms uint64, children ...[]byte) []byte {
	return join(open(clusterID), number(timestampID, ms), join(children...))
}
