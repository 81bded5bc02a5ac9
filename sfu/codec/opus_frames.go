package codec

// maxOpusFrame is the size that no Opus frame exceeds, in bytes (RFC 6716
// section 3.4, requirement R2).
const maxOpusFrame = 1275

// opusFrames returns the frames in a packet, as parts of it, without TOC,
// lengths and padding (RFC 6716 section 3.2). It returns nil when the packet is
// malformed.
func opusFrames(packet []byte) [][]byte {
	if OpusDuration(packet) == 0 {
		return nil
	}
	var frames [][]byte
	count, rest := opusFrameCount(packet), packet[1:]
	switch packet[0] & opusCodeMask {
	case 0, 1:
		frames = equalFrames(rest, count)
	case 2:
		frames = sizedFrames(rest, count)
	case 3:
		flags := rest[0]
		body, ok := trimOpusPadding(rest[1:], flags&0x40 != 0)
		switch {
		case !ok:
			return nil
		case flags&0x80 != 0: // variable bit rate
			frames = sizedFrames(body, count)
		default:
			frames = equalFrames(body, count)
		}
	}
	for _, f := range frames {
		if len(f) > maxOpusFrame {
			return nil
		}
	}
	return frames
}

// trimOpusPadding cuts the padding that a code 3 packet may carry: its size in
// front, the bytes behind (RFC 6716 section 3.2.5).
func trimOpusPadding(b []byte, padded bool) (body []byte, ok bool) {
	size := 0
	for more := padded; more; {
		if len(b) == 0 {
			return nil, false
		}
		more = b[0] == 255 // 254 bytes, and another size follows
		size += int(b[0])
		if more {
			size--
		}
		b = b[1:]
	}
	if size > len(b) {
		return nil, false
	}
	return b[:len(b)-size], true
}

// equalFrames cuts b into count frames of the same size.
func equalFrames(b []byte, count int) [][]byte {
	if len(b)%count != 0 {
		return nil
	}
	frames, size := make([][]byte, count), len(b)/count
	for i := range frames {
		frames[i] = b[i*size : (i+1)*size]
	}
	return frames
}

// sizedFrames cuts b into count frames of different sizes: all but the last size
// are in front.
func sizedFrames(b []byte, count int) [][]byte {
	sizes := make([]int, count-1)
	for i := range sizes {
		n := 0
		if sizes[i], n = opusFrameSize(b); n == 0 {
			return nil
		}
		b = b[n:]
	}
	frames := make([][]byte, count)
	for i, size := range sizes {
		if size > len(b) {
			return nil
		}
		frames[i], b = b[:size], b[size:]
	}
	frames[count-1] = b
	return frames
}

// opusFrameSize reads the size of a frame, n bytes of b (RFC 6716 section
// 3.2.1); n is 0 when b is too short.
func opusFrameSize(b []byte) (size, n int) {
	switch {
	case len(b) == 0:
		return 0, 0
	case b[0] < 252:
		return int(b[0]), 1
	case len(b) < 2:
		return 0, 0
	default:
		return int(b[0]) + 4*int(b[1]), 2
	}
}
