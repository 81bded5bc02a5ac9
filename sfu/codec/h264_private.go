package codec

import (
	"encoding/binary"
	"encoding/hex"
)

// The limits of an AVCDecoderConfigurationRecord: 5 bits count the sequence
// parameter sets, 8 the others, 16 the bytes of each.
const (
	avcMaxSPS  = 31
	avcMaxPPS  = 255
	avcMaxUnit = 1<<16 - 1
)

// H264Private returns the CodecPrivate of a file that begins with keyframe: an
// AVCDecoderConfigurationRecord (ISO/IEC 14496-15 section 5.3.3.1) of the
// parameter sets in it.
func H264Private(keyframe []byte) ([]byte, bool) {
	var sequence, picture [][]byte
	for nal, rest, ok := nextNAL(keyframe); ok; nal, rest, ok = nextNAL(rest) {
		if len(nal) > avcMaxUnit {
			continue
		}
		switch nal[0] & nalTypeMask {
		case nalSPS:
			sequence = append(sequence, nal)
		case nalPPS:
			picture = append(picture, nal)
		}
	}
	if len(sequence) == 0 || len(sequence) > avcMaxSPS || len(picture) == 0 || len(picture) > avcMaxPPS {
		return nil, false
	}
	s, ok := parseH264SPS(activeSPS(keyframe))
	if !ok {
		return nil, false
	}
	b := []byte{1, s.profile, s.constraints, s.level, 0xfc | (nalLength - 1), 0xe0 | byte(len(sequence))}
	for _, nal := range sequence {
		b = binary.BigEndian.AppendUint16(b, uint16(len(nal)))
		b = append(b, nal...)
	}
	b = append(b, byte(len(picture)))
	for _, nal := range picture {
		b = binary.BigEndian.AppendUint16(b, uint16(len(nal)))
		b = append(b, nal...)
	}
	switch s.profile {
	case 100, 110, 122, 144:
		b = append(b, 0xfc|byte(s.chroma), 0xf8|byte(s.lumaBits&7), 0xf8|byte(s.chromaBits&7), 0)
	}
	return b, true
}

// H264ProfileLevelID returns what SDP says of a stream that begins with keyframe:
// profile, constraints and level in hexadecimal digits (RFC 6184 section 8.1). It
// is empty if keyframe has no sequence parameter set.
func H264ProfileLevelID(keyframe []byte) string {
	for nal, rest, ok := nextNAL(keyframe); ok; nal, rest, ok = nextNAL(rest) {
		if nal[0]&nalTypeMask == nalSPS && len(nal) > 3 {
			return hex.EncodeToString(nal[1:4])
		}
	}
	return ""
}

// h264Holds implements [Format].Holds. The parameter sets in front of a keyframe tell
// the decoder all, the size and the profile too; but by chroma format and bit depth
// players choose the decoder and what pictures they get of it.
func h264Holds(private, next []byte) bool {
	samples := func(private []byte) (s h264SPS, ok bool) {
		h, err := NewH264Stored(private)
		if err != nil || len(h.sets.units) == 0 {
			return s, false
		}
		full, ok := parseH264SPS(h.sets.units[0].nal)
		return h264SPS{chroma: full.chroma, lumaBits: full.lumaBits, chromaBits: full.chromaBits, separatePlanes: full.separatePlanes}, ok
	}
	a, okA := samples(private)
	b, okB := samples(next)
	return okA && okB && a == b
}
