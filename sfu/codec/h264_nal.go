package codec

import "encoding/binary"

// The types of NAL units that matter here (ISO/IEC 14496-10 table 7-1), and of
// RTP payloads that are not a NAL unit alone (RFC 6184 table 1).
const (
	nalSlice       = 1
	nalPartitionA  = 2 // the first of three parts of a slice
	nalPartitionC  = 4
	nalIDR         = 5
	nalSEI         = 6
	nalSPS         = 7
	nalPPS         = 8
	nalDelimiter   = 9
	nalEndSequence = 10
	nalEndStream   = 11
	nalFiller      = 12
	nalPrefix      = 14
	nalLast        = 23
	nalSTAPA       = 24 // several NAL units
	nalFUA         = 28 // a part of one
)

const (
	nalTypeMask = 0x1f
	nalRefMask  = 0x60 // nal_ref_idc; zero: no other picture refers to this one
	nalForbids  = 0x80 // forbidden_zero_bit: the unit is known to be damaged

	fuStart = 0x80
	fuEnd   = 0x40
)

// nalLength is the size of the length in front of each NAL unit of a frame.
const nalLength = 4

// isVCL reports whether a NAL unit of the type holds a part of a picture.
func isVCL(nalType byte) bool { return nalSlice <= nalType && nalType <= nalIDR }

// isKept reports whether frames hold NAL units of the type. The others only mark where
// something begins or ends, or fill up: Matroska wants none of them.
func isKept(nalType byte) bool {
	return 1 <= nalType && nalType <= nalLast && (nalType < nalDelimiter || nalFiller < nalType)
}

// nextNAL returns the first NAL unit of a frame, and the rest of the frame. It
// returns false when there is none, or when its length is wrong. The unit is not
// empty.
func nextNAL(frame []byte) (nal, rest []byte, ok bool) {
	if len(frame) <= nalLength {
		return nil, nil, false
	}
	size := binary.BigEndian.Uint32(frame)
	frame = frame[nalLength:]
	if size == 0 || uint64(size) > uint64(len(frame)) {
		return nil, nil, false
	}
	return frame[:size], frame[size:], true
}

// appendNAL appends a NAL unit to a frame.
func appendNAL(frame, nal []byte) []byte {
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(nal)))
	return append(frame, nal...)
}

// nextAggregated is nextNAL for what follows the header of a STAP-A (RFC 6184
// section 5.7.1), whose lengths have 2 bytes.
func nextAggregated(b []byte) (nal, rest []byte, ok bool) {
	if len(b) <= 2 {
		return nil, nil, false
	}
	size := int(binary.BigEndian.Uint16(b))
	b = b[2:]
	if size == 0 || size > len(b) {
		return nil, nil, false
	}
	return b[:size], b[size:], true
}

// unescape copies a NAL unit into buf without its emulation prevention bytes
// (ISO/IEC 14496-10 section 7.4.1), as far as there is room.
func unescape(buf, nal []byte) []byte {
	n, zeros := 0, 0
	for _, v := range nal {
		if zeros == 2 && v == 3 {
			zeros = 0
			continue
		}
		if n == len(buf) {
			break
		}
		if v == 0 {
			zeros = min(zeros+1, 2)
		} else {
			zeros = 0
		}
		buf[n] = v
		n++
	}
	return buf[:n]
}

// firstSlice reports whether a NAL unit, of which the beginning will do, is the first
// slice of a picture: its first_mb_in_slice is 0, and so its first bit is 1.
func firstSlice(header byte, body []byte) bool {
	t := header & nalTypeMask
	return (t == nalSlice || t == nalPartitionA || t == nalIDR) && len(body) > 0 && body[0]&0x80 != 0
}

// H264Keyframe reports whether a decoder can start at frame: an IDR picture with the
// parameter sets that it needs.
func H264Keyframe(frame []byte) bool {
	var idr, sps, pps bool
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		switch nal[0] & nalTypeMask {
		case nalIDR:
			idr = true
		case nalSPS:
			sps = true
		case nalPPS:
			pps = true
		}
	}
	return idr && sps && pps
}
