package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrH264Private means that a CodecPrivate is no AVCDecoderConfigurationRecord.
var ErrH264Private = errors.New("codec: the CodecPrivate is no AVCDecoderConfigurationRecord")

// H264Stored brings the frames of a file or an upload into the form that frames of
// H.264 have here (see the package's documentation). There are two kinds of them:
//
//   - Files have NAL units behind their length, in 1, 2 or 4 bytes, and the
//     parameter sets in the CodecPrivate only (ISO/IEC 14496-15).
//   - Chromium's MediaRecorder has no CodecPrivate, and puts start codes between
//     NAL units (ISO/IEC 14496-10 annex B), with the parameter sets before each
//     IDR picture.
//
// Anything between is taken too. It is not safe for concurrent use.
type H264Stored struct {
	length  int // of the lengths, in bytes
	sets    ParameterSets
	inOrder bool // the newest sequence parameter set says so
}

// NewH264Stored returns an H264Stored for frames with that CodecPrivate, which may
// be empty. The error wraps ErrH264Private.
func NewH264Stored(private []byte) (*H264Stored, error) {
	h := &H264Stored{length: nalLength}
	switch {
	case len(private) == 0:
		return h, nil
	case startCode(private) > 0:
		h.convert(private)
		return h, nil
	}
	const fixed = 6 // version, profile, constraints, level, length of lengths, number of sequence sets
	if len(private) < fixed+1 || private[0] != 1 {
		return nil, fmt.Errorf("%w: it begins with %x", ErrH264Private, private[:min(len(private), fixed)])
	}
	if h.length = int(private[4]&3) + 1; h.length == 3 {
		return nil, fmt.Errorf("%w: lengths of 3 bytes", ErrH264Private)
	}
	rest, count := private[fixed:], int(private[5]&avcMaxSPS)
	for range 2 {
		for ; count > 0; count-- {
			nal, after, ok := nextAggregated(rest)
			if !ok {
				return nil, fmt.Errorf("%w: it is cut off", ErrH264Private)
			}
			h.learn(nal)
			rest = after
		}
		if len(rest) == 0 {
			break // what follows the picture sets does not matter
		}
		count, rest = int(rest[0]), rest[1:]
	}
	return h, nil
}

// Frame returns a frame in the form that it has here, with the parameter sets that
// came last if it is an IDR picture without any, and in memory of its own. It
// returns false if there is no picture in it.
func (h *H264Stored) Frame(data []byte) (frame []byte, ok bool) {
	frame, _ = h.sets.Complete(h.convert(data))
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		if isVCL(nal[0] & nalTypeMask) {
			return frame, true
		}
	}
	return nil, false
}

// InOrder reports whether the stream so far rules out pictures that are shown in
// another order than that in which they come.
func (h *H264Stored) InOrder() bool { return h.inOrder }

// convert puts each NAL unit that is kept behind its length, and learns the sets.
func (h *H264Stored) convert(data []byte) []byte {
	next := h.nextStored
	if !h.wellFormed(data) {
		if startCode(data) == 0 {
			return nil
		}
		next = nextDelimited
	}
	frame := make([]byte, 0, len(data)+2*nalLength)
	for nal, rest, ok := next(data); ok; nal, rest, ok = next(rest) {
		if !isKept(nal[0] & nalTypeMask) {
			continue
		}
		h.learn(nal)
		frame = appendNAL(frame, nal)
	}
	return frame
}

func (h *H264Stored) learn(nal []byte) {
	h.sets.learn(nal)
	if nal[0]&nalTypeMask == nalSPS {
		s, ok := parseH264SPS(nal)
		h.inOrder = ok && s.inOrder()
	}
}

// wellFormed reports whether data is NAL units behind their lengths. A start code
// would be the length 1, and then what follows it no length.
func (h *H264Stored) wellFormed(data []byte) bool {
	for len(data) > 0 {
		_, rest, ok := h.nextStored(data)
		if !ok {
			return false
		}
		data = rest
	}
	return true
}

// nextStored is nextNAL for lengths of h.length bytes.
func (h *H264Stored) nextStored(b []byte) (nal, rest []byte, ok bool) {
	if len(b) <= h.length {
		return nil, nil, false
	}
	var raw [4]byte
	copy(raw[4-h.length:], b)
	size := binary.BigEndian.Uint32(raw[:])
	b = b[h.length:]
	if size == 0 || uint64(size) > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// nextDelimited is nextNAL for NAL units behind start codes (ISO/IEC 14496-10
// annex B). Bytes before the first one are passed over, and so are the zeros that
// may follow a unit: none ends with one (section 7.4.1).
func nextDelimited(b []byte) (nal, rest []byte, ok bool) {
	for {
		at := bytes.Index(b, []byte{0, 0, 1})
		if at < 0 {
			return nil, nil, false
		}
		b = b[at+3:]
		end := bytes.Index(b, []byte{0, 0, 1})
		if end < 0 {
			end = len(b)
		}
		if nal = bytes.TrimRight(b[:end], "\x00"); len(nal) > 0 {
			return nal, b[end:], true
		}
		b = b[end:]
	}
}

// startCode returns how long the start code is with which b begins, 0 if there is
// none.
func startCode(b []byte) int {
	rest := bytes.TrimLeft(b, "\x00")
	if zeros := len(b) - len(rest); zeros >= 2 && len(rest) > 0 && rest[0] == 1 {
		return zeros + 1
	}
	return 0
}

// H264Backward reports whether a frame may be shown before one that came earlier: a
// picture of B slices (ISO/IEC 14496-10 table 7-6). The packets and the files that
// are made here have one time for each picture, and know no such order.
func H264Backward(frame []byte) bool {
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		if t := nal[0] & nalTypeMask; t != nalSlice && t != nalPartitionA {
			continue
		}
		var buf [16]byte
		b := bits{data: unescape(buf[:], nal)}
		b.skip(8)
		b.golomb() // first_mb_in_slice
		const sliceB = 1
		return b.golomb()%5 == sliceB && !b.over
	}
	return false
}
