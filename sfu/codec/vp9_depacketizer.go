package codec

import "slices"

// vp9Depacketizer is the depacketizer of VP9 (RFC 9628). A frame is a picture
// with all its spatial layers: as it is if there is one, else a superframe.
type vp9Depacketizer = depacketizer[VP9Descriptor]

func newVP9Depacketizer(c Config) Depacketizer {
	return &vp9Depacketizer{format: vp9Format{}, in: newReorder(c), markers: markers{set: c.Marked}, gate: &vp9Gate{}}
}

// vp9Format implements videoFormat. A part is the whole payload: the descriptors
// tell where layers begin.
type vp9Format struct{}

func (vp9Format) read(payload []byte, d *VP9Descriptor) (part []byte, where place) {
	var size int
	var ok bool
	*d, size, ok = ParseVP9Descriptor(payload)
	switch {
	case !ok:
		return nil, malformed
	case size == len(payload):
		return nil, padding
	case d.StartOfPicture():
		return payload, first
	case d.Start && !d.OnBelow:
		return payload, either // an encoder that is short of bits leaves out lower layers, too
	default:
		return payload, inner
	}
}

// ends implements videoFormat: the frame of a layer ends there. The marker is on the last packet of
// the highest layer; a picture lacks it whose highest layers the encoder has left out
// because it is short of bits.
func (vp9Format) ends(d *VP9Descriptor) bool { return d.HasLayers && d.End }

// sameFrame goes by the picture id.
func (vp9Format) sameFrame(f, d *VP9Descriptor) bool {
	return f.HasPictureID != d.HasPictureID || f.PictureID == d.PictureID
}

// join puts the layers together and notes in f what any of them refers to.
func (vp9Format) join(f *VP9Descriptor, parts [][]byte, size int) (data []byte, keyframe, ok bool) {
	if len(parts) == 1 {
		_, n, _ := ParseVP9Descriptor(parts[0])
		data = slices.Clip(parts[0][n:])
		keyframe, ok = f.check(data)
		return data, keyframe, ok
	}
	var refs vp9Refs // of all layers
	var begins [vp9MaxLayers]int
	layers := 0
	data = make([]byte, 0, size)
	for _, part := range parts {
		d, n, _ := ParseVP9Descriptor(part)
		if d.Start {
			if layers == len(begins) {
				return nil, false, false
			}
			begins[layers] = len(data)
			layers++
			refs[0] |= d.refs[0]
			refs[1] |= d.refs[1]
		}
		data = append(data, part[n:]...)
	}
	keyframe, ok = f.check(data)
	f.refs = refs
	if ok && layers > 1 {
		var sizes [vp9MaxLayers]int
		for i := range layers {
			end := len(data)
			if i+1 < layers {
				end = begins[i+1]
			}
			sizes[i] = end - begins[i]
		}
		data = appendVP9Index(data, sizes[:layers])
	}
	return data, keyframe, ok
}

// check reports whether data begins with a frame that a decoder takes, and one at which
// it can start. It notes in d whether the frame's references are told.
func (d *VP9Descriptor) check(data []byte) (keyframe, ok bool) {
	h, ok := parseVP9Header(data)
	d.untold = h.inter && d.refs == vp9Refs{}
	return h.key, ok
}
