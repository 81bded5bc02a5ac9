package codec

import mathbits "math/bits"

// vp9Still is the [Still] of VP9, which has a frame for that: show_existing_frame (VP9
// section 6.2) shows what a decoder has in one of its slots.
type vp9Still struct {
	again byte // 0: it is not known where the last picture is
}

// Saw implements [Still].
func (s *vp9Still) Saw(frame []byte) {
	for layer := range vp9Layers(frame) {
		h, ok := parseVP9Header(layer)
		switch {
		case !ok || !h.shown:
			continue
		case !h.existing && h.refreshes == 0:
			continue // it is in no slot: the one before it is nearly the same
		case !h.existing:
			h.slot = uint8(mathbits.TrailingZeros8(h.refreshes))
		}
		s.again = 0
		if h.profile < 3 { // a fourth one has another bit in between
			const marker, existing = 2 << 6, 1 << 3
			s.again = marker | h.profile&1<<5 | h.profile>>1<<4 | existing | h.slot
		}
	}
}

// Repeat implements [Still].
func (s *vp9Still) Repeat() []byte {
	if s.again == 0 {
		return nil
	}
	return []byte{s.again}
}
