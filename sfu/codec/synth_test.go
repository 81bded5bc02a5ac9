package codec

import (
	"math/rand"

	"weir/sfu/media"
)

// Headers of synthetic frames, as encoders make them for 640x360.
var (
	vp9KeyHeader   = []byte{0x82, 0x49, 0x83, 0x42, 0x00, 0x27, 0xf0, 0x16, 0x70, 0x00}
	vp9InterHeader = []byte{0x86, 0x00, 0x40, 0x92, 0x90}

	// A sequence header OBU of libaom.
	av1SequenceOBU = []byte{0x0a, 0x0b, 0x00, 0x00, 0x00, 0x0c, 0xc4, 0xff, 0x67, 0x36, 0xbe, 0x40, 0x10}

	// Parameter sets of x264: constrained baseline, frame numbers of 4 bits.
	h264SPSUnit = []byte{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf2, 0x3c, 0x58, 0xba, 0x80}
	h264PPSUnit = []byte{0x68, 0xce, 0x0f, 0xc8}
)

// newCodecs are those whose frames synthFrame makes.
var newCodecs = []media.Codec{media.VP9, media.AV1, media.H264}

// synthFrame returns a frame of random bytes behind valid headers. number is that
// of H.264: how many reference frames lie between the keyframe and this one.
func synthFrame(rng *rand.Rand, c media.Codec, size, number int, key bool) []byte {
	body := make([]byte, size)
	rng.Read(body)
	switch c {
	case media.VP9:
		if key {
			return append(append([]byte(nil), vp9KeyHeader...), body...)
		}
		return append(append([]byte(nil), vp9InterHeader...), body...)
	case media.AV1:
		if key {
			o := obu{header: [2]byte{obuFrame << 3}, body: append([]byte{0x10}, body...)}
			return o.append(append([]byte(nil), av1SequenceOBU...))
		}
		o := obu{header: [2]byte{obuFrame << 3}, body: append([]byte{0x30}, body...)}
		return o.append(nil)
	case media.H264:
		for i := range body {
			body[i] |= 1 // nothing to be escaped
		}
		if key {
			frame := appendNAL(appendNAL(nil, h264SPSUnit), h264PPSUnit)
			return appendNAL(frame, append(h264Slice(0x65, 0), body...))
		}
		return appendNAL(nil, append(h264Slice(0x41, number), body...))
	}
	panic(c)
}

// h264Slice returns the beginning of a slice with that frame_num, of 4 bits:
// first_mb_in_slice 0 (1), slice_type 5 (00110), pic_parameter_set_id 0 (1).
func h264Slice(header byte, number int) []byte {
	bits := uint16(0b1_00110_1<<4|number&15)<<5 | 1
	return []byte{header, byte(bits >> 8), byte(bits)}
}

// synthFrames is randomFrames for any codec.
func synthFrames(rng *rand.Rand, c media.Codec, n int) []media.Frame {
	frames := make([]media.Frame, n)
	number := 0
	for i := range frames {
		key := i == 0 || rng.Intn(15) == 0
		if number++; key {
			number = 0
		}
		size := 1 + rng.Intn(3)*rng.Intn(2000) + rng.Intn(50)
		frames[i] = media.Frame{PTS: media.VP9.Duration(int64(i) * 900), Sync: key, Data: synthFrame(rng, c, size, number, key)}
	}
	return frames
}
