package codec

// The types of OBU, open bitstream units, that matter here (AV1 section 6.2.2).
const (
	obuSequence    = 1
	obuDelimiter   = 2
	obuFrameHeader = 3
	obuFrame       = 6
	obuTileList    = 8
)

// The header of an OBU (AV1 section 5.3.2):
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|0| type  |X|S|-|   X: a byte of extension follows; S: a size follows
//	+-+-+-+-+-+-+-+-+
const (
	obuForbidden = 0x80
	obuExtended  = 0x04
	obuSized     = 0x02
)

func obuType(header byte) byte { return header >> 3 & 0xf }

// obu is one open bitstream unit. header is 1 or 2 bytes and says nothing of a
// size, so that what it holds is the same in a file and in an RTP packet.
type obu struct {
	header [2]byte
	body   []byte
}

func (o *obu) kind() byte { return obuType(o.header[0]) }

func (o *obu) headerSize() int {
	if o.header[0]&obuExtended != 0 {
		return 2
	}
	return 1
}

// isKept reports whether frames hold the OBU. Matroska and RTP leave delimiters out,
// and tile lists are of another use (AV1 section 7.3.1).
func (o *obu) isKept() bool { return o.kind() != obuDelimiter && o.kind() != obuTileList }

// append appends o in the low-overhead format (AV1 section 5.2), with its size.
func (o *obu) append(b []byte) []byte {
	b = append(b, o.header[0]|obuSized)
	if o.headerSize() == 2 {
		b = append(b, o.header[1])
	}
	b = appendLEB128(b, len(o.body))
	return append(b, o.body...)
}

// parseOBU reads the OBU at the start of b. One that does not tell its size is
// the rest of b.
func parseOBU(b []byte) (o obu, rest []byte, ok bool) {
	if len(b) == 0 || b[0]&obuForbidden != 0 {
		return o, nil, false
	}
	sized := b[0]&obuSized != 0
	o.header[0] = b[0] &^ obuSized
	b = b[1:]
	if o.headerSize() == 2 {
		if len(b) == 0 {
			return o, nil, false
		}
		o.header[1], b = b[0], b[1:]
	}
	size := len(b)
	if sized {
		var n int
		if size, n = leb128(b); n == 0 || size > len(b)-n {
			return o, nil, false
		}
		b = b[n:]
	}
	o.body = b[:size]
	return o, b[size:], true
}

// av1Shows is what the beginning of a frame header tells (AV1 section 5.9.2).
type av1Shows uint8

const (
	av1Unknown av1Shows = iota // the header is not there
	av1Key                     // a keyframe that is shown: a decoder can start here
	av1Other
)

// frameShows looks into a frame or frame header OBU, which may be cut off behind its
// first byte. still reports whether each picture of the sequence is one by itself,
// which the header does not tell.
func (o *obu) frameShows(still bool) av1Shows {
	switch {
	case o.kind() != obuFrame && o.kind() != obuFrameHeader || len(o.body) == 0:
		return av1Unknown
	case still:
		return av1Key
	// show_existing_frame 0, frame_type KEY_FRAME (0), show_frame 1
	case o.body[0]&0xf0 == 0x10:
		return av1Key
	default:
		return av1Other
	}
}

// av1Stills reports whether a sequence header has reduced_still_picture_header.
func av1Stills(sequence []byte) bool { return len(sequence) > 0 && sequence[0]&0x08 != 0 }

// AV1Keyframe reports whether a decoder can start at frame, a temporal unit: it has a
// sequence header and its first picture is a keyframe.
func AV1Keyframe(frame []byte) bool {
	sequence, stills := false, false
	for len(frame) > 0 {
		o, rest, ok := parseOBU(frame)
		if !ok {
			return false
		}
		if o.kind() == obuSequence {
			sequence, stills = true, av1Stills(o.body)
		}
		if shows := o.frameShows(stills); shows != av1Unknown {
			return sequence && shows == av1Key
		}
		frame = rest
	}
	return false
}
