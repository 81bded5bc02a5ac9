package codec

// vp8KeyframeHeader is the size of the uncompressed header of a keyframe: a tag
// of 3 bytes, the start code 9D 01 2A, 2 bytes of width and 2 of height (RFC
// 6386 section 9.1).
const vp8KeyframeHeader = 10

// vp8Inter reports whether a frame refers to others: the inverse key frame bit P of its
// tag (RFC 6386 section 9.1). The frame must not be empty.
func vp8Inter(frame []byte) bool { return frame[0]&1 != 0 }

// VP8Keyframe reports whether a decoder can start at frame, which may be cut off behind
// its first 10 bytes. The bit for that is not enough: without its start code no decoder
// takes the frame.
func VP8Keyframe(frame []byte) bool {
	return len(frame) >= vp8KeyframeHeader && !vp8Inter(frame) &&
		frame[3] == 0x9d && frame[4] == 0x01 && frame[5] == 0x2a
}

// VP8Size returns the size of the picture in pixels, which only keyframes tell.
// The upper two bits of each dimension are a scaling hint and do not count.
func VP8Size(frame []byte) (width, height int, ok bool) {
	if !VP8Keyframe(frame) {
		return 0, 0, false
	}
	width = int(frame[6]) | int(frame[7]&0x3f)<<8
	height = int(frame[8]) | int(frame[9]&0x3f)<<8
	if width == 0 || height == 0 {
		return 0, 0, false
	}
	return width, height, true
}

// inspectVP8 implements [Format].Inspect.
func inspectVP8(payload []byte) Position {
	d, size, ok := ParseVP8Descriptor(payload)
	if !ok || !d.StartOfFrame() || size == len(payload) {
		return Position{}
	}
	frame := payload[size:]
	where := Position{Start: true, Sync: VP8Keyframe(frame)}
	if where.Sync {
		where.Width, where.Height, _ = VP8Size(frame)
	}
	return where
}
