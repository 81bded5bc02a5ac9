package codec

import "iter"

// A superframe is several frames in one: those of the spatial layers of a
// picture, say. Behind them is an index (VP9 annex B), which begins and ends with
// the same byte:
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|1 1 0| S | N   |   N + 1 frames, whose sizes take S + 1 bytes each
//	+-+-+-+-+-+-+-+-+
const (
	vp9IndexMarker = 0xc0
	vp9MaxLayers   = 8
)

// vp9Layers yields the frames of a superframe, or frame itself if it is none.
func vp9Layers(frame []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		count, width, ok := vp9Index(frame)
		if !ok {
			yield(frame)
			return
		}
		sizes, rest := frame[len(frame)-1-count*width:], frame[:len(frame)-2-count*width]
		for ; count > 0; count-- {
			size := 0
			for i := range width {
				size |= int(sizes[i]) << (8 * i)
			}
			sizes = sizes[width:]
			if size > len(rest) {
				return
			}
			if size > 0 && !yield(rest[:size]) {
				return
			}
			rest = rest[size:]
		}
	}
}

// vp9Index reports whether frame ends with an index: for how many frames, and of how
// many bytes each size is.
func vp9Index(frame []byte) (count, width int, ok bool) {
	if len(frame) == 0 {
		return 0, 0, false
	}
	marker := frame[len(frame)-1]
	count, width = int(marker&7)+1, int(marker>>3&3)+1
	size := 2 + count*width
	ok = marker&0xe0 == vp9IndexMarker && len(frame) >= size && frame[len(frame)-size] == marker
	return count, width, ok
}

// appendVP9Index appends the index of frames with these sizes, at most
// vp9MaxLayers.
func appendVP9Index(b []byte, sizes []int) []byte {
	const width = 4
	marker := byte(vp9IndexMarker | (width-1)<<3 | (len(sizes) - 1))
	b = append(b, marker)
	for _, size := range sizes {
		b = append(b, byte(size), byte(size>>8), byte(size>>16), byte(size>>24))
	}
	return append(b, marker)
}
