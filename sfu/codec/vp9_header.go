package codec

// vp9SyncCode begins what a decoder may start with (VP9 section 7.2).
const vp9SyncCode = 0x498342

// vp9Header is the beginning of the uncompressed header of a frame (VP9 section
// 6.2).
type vp9Header struct {
	key           bool // frame_type is KEY_FRAME
	inter         bool // the frame refers to others
	profile       uint8
	bitDepth      uint8 // of keyframes
	subX, subY    bool  // chroma subsampling of keyframes
	width, height int   // 0: those of a frame that it refers to
	shown         bool  // at once, be it one that is there already
	existing      bool  // it is a frame that is there already, in the slot of that number
	slot          uint8
	refreshes     uint8 // the slots that the frame goes to, a bit for each
}

// parseVP9Header reads the header of a frame, which may be cut off behind its
// first 16 bytes. It returns false for what no decoder takes.
func parseVP9Header(frame []byte) (h vp9Header, ok bool) {
	b := bits{data: frame}
	if b.read(2) != 2 { // frame_marker
		return h, false
	}
	low := b.bit()
	h.profile = uint8(b.bit()<<1 | low)
	if h.profile == 3 && b.flag() {
		return h, false // a profile that does not exist
	}
	if b.flag() { // show_existing_frame
		h.inter, h.shown, h.existing = true, true, true
		h.slot = uint8(b.read(3))
		return h, !b.over
	}
	h.key = !b.flag()
	h.shown = b.flag()
	resilient := b.flag()
	switch {
	case h.key:
		h.refreshes = 0xff
		if b.read(24) != vp9SyncCode {
			return h, false
		}
		h.color(&b)
		h.size(&b)
	case !h.shown && b.flag(): // intra_only
		if !resilient {
			b.skip(2) // reset_frame_context
		}
		if b.read(24) != vp9SyncCode {
			return h, false
		}
		if h.profile > 0 {
			h.color(&b)
		}
		h.refreshes = uint8(b.read(8))
		h.size(&b)
	default:
		h.inter = true
		if !resilient {
			b.skip(2)
		}
		h.refreshes = uint8(b.read(8))
		b.skip(3 * 4)  // references with their sign bias
		found := false // found_ref: the size is that of a reference
		for i := 0; i < 3 && !found; i++ {
			found = b.flag()
		}
		if !found {
			h.size(&b)
		}
	}
	return h, !b.over || !h.key && h.width == 0
}

// color reads color_config (VP9 section 6.2.2).
func (h *vp9Header) color(b *bits) {
	const rgb = 7
	h.bitDepth = 8
	if h.profile >= 2 {
		h.bitDepth = 10 + 2*uint8(b.bit())
	}
	odd := h.profile&1 == 1 // other subsampling than 4:2:0 is possible
	h.subX, h.subY = true, true
	if b.read(3) != rgb {
		b.skip(1) // color_range
		if odd {
			h.subX, h.subY = b.flag(), b.flag()
			b.skip(1)
		}
		return
	}
	if odd {
		h.subX, h.subY = false, false
		b.skip(1)
	}
}

// size reads frame_size (VP9 section 6.2.3).
func (h *vp9Header) size(b *bits) {
	width, height := int(b.read(16))+1, int(b.read(16))+1
	if !b.over {
		h.width, h.height = width, height
	}
}

// VP9Keyframe reports whether a decoder can start at frame, which may be cut off behind
// its first 16 bytes.
func VP9Keyframe(frame []byte) bool {
	h, ok := parseVP9Header(frame)
	return ok && h.key
}

// VP9Size returns the size of the picture in pixels that a keyframe tells: that
// of its largest spatial layer, if it has several.
func VP9Size(frame []byte) (width, height int, ok bool) {
	if !VP9Keyframe(frame) {
		return 0, 0, false
	}
	return vp9LargestSize(frame)
}

// vp9LayerSize implements [Format].LayerSize. A layer that begins between keyframes
// refers to the one below, which is smaller: so it tells its size.
func vp9LayerSize(frame []byte) (width, height int, ok bool) {
	if _, _, several := vp9Index(frame); !several {
		return 0, 0, false
	}
	return vp9LargestSize(frame)
}

// vp9LargestSize returns the largest size that the layers of a frame tell.
func vp9LargestSize(frame []byte) (width, height int, ok bool) {
	for layer := range vp9Layers(frame) {
		if h, ok := parseVP9Header(layer); ok && h.width*h.height > width*height {
			width, height = h.width, h.height
		}
	}
	return width, height, width > 0
}

// VP9Private returns the CodecPrivate of a file that begins with keyframe: the features
// of the codec as id, length and value (WebM's "VP9 CodecPrivate"). The level is left
// out: it depends on the frame rate, which is not known.
func VP9Private(keyframe []byte) ([]byte, bool) {
	const (
		featureProfile  = 1
		featureBitDepth = 3
		featureChroma   = 4

		chroma420 = 1 // colocated with luma (0,0)
		chroma422 = 2
		chroma444 = 3
	)
	h, ok := parseVP9Header(keyframe)
	if !ok || !h.key {
		return nil, false
	}
	b := []byte{featureProfile, 1, h.profile, featureBitDepth, 1, h.bitDepth}
	switch {
	case h.subX && h.subY:
		b = append(b, featureChroma, 1, chroma420)
	case h.subX:
		b = append(b, featureChroma, 1, chroma422)
	case !h.subY:
		b = append(b, featureChroma, 1, chroma444)
	default: // 4:4:0 has no number
	}
	return b, true
}

// inspectVP9 implements [Format].Inspect. It does not go by P of the descriptor,
// which some senders never set and the frame tells better.
func inspectVP9(payload []byte) Position {
	d, size, ok := ParseVP9Descriptor(payload)
	if !ok || !d.StartOfPicture() || size == len(payload) {
		return Position{}
	}
	where := Position{Start: true}
	if h, ok := parseVP9Header(payload[size:]); ok && h.key {
		where.Sync = true
		if !d.HasLayers { // else it may be the smallest of several
			where.Width, where.Height = h.width, h.height
		}
	}
	return where
}
