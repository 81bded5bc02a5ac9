package codec

import "slices"

// vp8Depacketizer is the depacketizer of VP8 (RFC 7741).
type vp8Depacketizer = depacketizer[VP8Descriptor]

func newVP8Depacketizer(c Config) Depacketizer {
	return &vp8Depacketizer{format: vp8Format{}, in: newReorder(c), markers: markers{set: c.Marked}, gate: &vp8Gate{}}
}

// vp8Format implements videoFormat. A part is what follows the descriptor.
type vp8Format struct{}

func (vp8Format) read(payload []byte, d *VP8Descriptor) (part []byte, where place) {
	var size int
	var ok bool
	*d, size, ok = ParseVP8Descriptor(payload)
	switch {
	case !ok:
		return nil, malformed
	case size == len(payload):
		return nil, padding // behind a descriptor
	case d.StartOfFrame():
		return payload[size:], first
	default:
		return payload[size:], inner
	}
}

// sameFrame goes by the picture id.
func (vp8Format) sameFrame(f, d *VP8Descriptor) bool {
	ahead, ok := d.idsAhead(f)
	return !ok || ahead == 0
}

// ends implements videoFormat: nothing but the marker tells.
func (vp8Format) ends(*VP8Descriptor) bool { return false }

func (vp8Format) join(_ *VP8Descriptor, parts [][]byte, size int) (data []byte, keyframe, ok bool) {
	keyframe = VP8Keyframe(parts[0])
	if !keyframe && !vp8Inter(parts[0]) {
		return nil, false, false
	}
	return joinParts(parts, size), keyframe, true
}

// joinParts returns parts as one, which are size bytes together. One part alone
// is not copied.
func joinParts(parts [][]byte, size int) []byte {
	if len(parts) == 1 {
		return slices.Clip(parts[0])
	}
	data := make([]byte, 0, size)
	for _, part := range parts {
		data = append(data, part...)
	}
	return data
}
