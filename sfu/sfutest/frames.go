package sfutest

import (
	"bytes"
	"encoding/binary"
)

const (
	vp8Header  = 10 // of a keyframe: tag, start code, width and height (RFC 6386 section 9.1)
	opusHeader = 1  // TOC (RFC 6716 section 3.1)
	number     = 4  // bytes that tell a frame's number
)

// MinFrame is the smallest size that VP8Frame and OpusFrame make, in bytes.
const MinFrame = vp8Header + number

// Width and Height are the picture size that synthetic keyframes tell.
const (
	Width  = 640
	Height = 360
)

// VP8Frame returns the n-th frame of a synthetic video: size bytes that depend
// on n and size only, so that two different frames differ.
func VP8Frame(n int, key bool, size int) []byte {
	data := fill(n, max(size, MinFrame), vp8Header)
	if key {
		// P = 0 (keyframe), version 0, show_frame 1; then the start code and sizes.
		copy(data, []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, Width & 0xff, Width >> 8, Height & 0xff, Height >> 8})
	} else {
		data[0] |= 1 // P = 1: an inter frame
	}
	return data
}

// OpusFrame returns the n-th packet of a synthetic sound: 20 ms, size bytes.
func OpusFrame(n, size int) []byte {
	data := fill(n, max(size, MinFrame), opusHeader)
	data[0] = 15<<3 | 1<<2 // hybrid fullband 20 ms, stereo, one frame
	return data
}

// VP8Number returns the number of a frame that VP8Frame made, and whether every
// byte of it is as it was made.
func VP8Number(data []byte) (n int, intact bool) {
	if len(data) < MinFrame {
		return 0, false
	}
	n = int(binary.BigEndian.Uint32(data[vp8Header:]))
	return n, bytes.Equal(data, VP8Frame(n, data[0]&1 == 0, len(data)))
}

// OpusNumber is VP8Number for OpusFrame.
func OpusNumber(data []byte) (n int, intact bool) {
	if len(data) < MinFrame {
		return 0, false
	}
	n = int(binary.BigEndian.Uint32(data[opusHeader:]))
	return n, bytes.Equal(data, OpusFrame(n, len(data)))
}

// fill returns size bytes made of n, with the number itself at the given place.
func fill(n, size, at int) []byte {
	data := make([]byte, size)
	state := uint32(n)*2654435761 + uint32(size) // Knuth's multiplicative hash
	for i := range data {
		state = state*1664525 + 1013904223 // Numerical Recipes' generator
		data[i] = byte(state >> 24)
	}
	binary.BigEndian.PutUint32(data[at:], uint32(n))
	return data
}
