package codec

// vp8Still is the [Still] of VP8: a frame to which no other refers and which changes
// nothing that a decoder keeps. All its macroblocks are those of the last frame, not
// moved, without a residue.
type vp8Still struct {
	width, height int  // 0: there was no keyframe
	version       byte // of the bitstream, as the newest frame has it
	segmented     bool // the newest frame has segments, whose map a decoder keeps
	made          []byte
}

// vp8StillMost is the most macroblocks of a picture that is shown again, those of 8K
// (7680 by 4320 pixels): the frame names each one, which takes 10 ms then.
const vp8StillMost = 480 * 270

// vp8TagSize is the size of what begins each frame.
const vp8TagSize = 3

// Saw implements [Still].
func (s *vp8Still) Saw(frame []byte) {
	if len(frame) < vp8TagSize {
		return
	}
	before := *s
	if width, height, ok := VP8Size(frame); ok {
		s.width, s.height = width, height
	}
	// Behind the tag, and what only keyframes have, lies what is arithmetically coded.
	r := newVP8Flags(frame[min(len(frame), vp8TagSize):])
	if !vp8Inter(frame) {
		r = newVP8Flags(frame[min(len(frame), vp8KeyframeHeader):])
		r.flag() // color_space
		r.flag() // clamping_type
	}
	s.segmented, s.version = r.flag(), frame[0]>>1&7
	if s.width != before.width || s.height != before.height || s.segmented != before.segmented || s.version != before.version {
		s.made = nil
	}
}

// Repeat implements [Still].
func (s *vp8Still) Repeat() []byte {
	if s.made == nil && s.width > 0 && (s.width+15)/16*((s.height+15)/16) <= vp8StillMost {
		s.made = s.make()
	}
	return s.made
}

// make makes the frame (RFC 6386 sections 9.2 to 9.11 and 19.2).
func (s *vp8Still) make() []byte {
	w := newVP8Coder()
	w.flag(s.segmented)
	if s.segmented {
		w.bits(0, 2) // neither another map nor other data
	}
	w.bits(0, 1+6+3) // filter_type, loop_filter_level, sharpness_level
	w.bits(0, 1)     // loop_filter_adj_enable
	w.bits(0, 2)     // one partition of residues
	w.bits(0, 7+5)   // quantizer
	w.bits(0, 2)     // the golden and the altref frame stay
	w.bits(0, 2+2)   // and are copied from nowhere
	w.bits(0, 2)     // sign biases, which each frame tells anew
	w.bits(0, 1)     // refresh_entropy_probs: what follows is for this frame
	w.bits(0, 1)     // refresh_last
	for i := 0; i < len(vp8CoefficientUpdates); i += 2 {
		for range vp8CoefficientUpdates[i] {
			w.putBit(false, 255)
		}
		w.putBit(false, vp8CoefficientUpdates[i+1])
	}
	for range vp8LastUpdates {
		w.putBit(false, 255)
	}
	const seldom, often = 1, 255 // odds of a false, of 256
	w.bits(1, 1)                 // mb_no_coeff_skip
	w.bits(seldom, 8)            // prob_skip_false
	w.bits(seldom, 8)            // prob_intra
	w.bits(often, 8)             // prob_last
	w.bits(often, 8)             // prob_gf
	w.bits(0, 2)                 // the odds of modes stay
	for _, odds := range []byte(vp8MotionUpdates) {
		w.putBit(false, odds)
	}
	for y := range (s.height + 15) / 16 {
		for x := range (s.width + 15) / 16 {
			w.putBit(true, seldom) // no residue
			w.putBit(true, seldom) // refers to another frame
			w.putBit(false, often) // to the last one
			w.putBit(false, vp8Unmoved(x, y))
		}
	}
	coded := w.end()
	const inter, shown = 1, 1 << 4
	size := len(coded) << 5
	frame := []byte{inter | s.version<<1 | shown | byte(size), byte(size >> 8), byte(size >> 16)}
	frame = append(frame, coded...)
	return append(frame, make([]byte, vp8EmptyPartition)...)
}

// vp8EmptyPartition is the size of the partition of residues, in which nothing is read.
// Without a byte Firefox's decoder takes the frame for one that was cut off.
const vp8EmptyPartition = 8

// vp8Unmoved returns the odds that a macroblock has moved, where none of those before
// it has: by how many of them there are (RFC 6386 section 18.3).
func vp8Unmoved(x, y int) byte {
	switch {
	case x == 0 && y == 0:
		return 7
	case x == 0 || y == 0: // the one above or on the left counts 2
		return 135
	default: // both, and the one between them counts 1
		return 234
	}
}

// vp8CoefficientUpdates is the odds that there is no other probability for a
// coefficient (RFC 6386 section 13.4, coeff_update_probs): how many of 255 come next,
// and the one behind them, in turn. After the last pair there are vp8LastUpdates.
const vp8CoefficientUpdates = "" +
	"\x21\xb0\x00\xf6\x09\xdf\x00\xf1\x00\xfc\x08\xf9\x00\xfd\x00\xfd\x09\xf4\x00\xfc\x08\xea\x00\xfe\x00\xfe\x08\xfd\x0b\xf6\x00\xfe" +
	"\x08\xef\x00\xfd\x00\xfe\x08\xfe\x01\xfe\x09\xf8\x00\xfe\x08\xfb\x01\xfe\x14\xfd\x00\xfe\x08\xfb\x00\xfe\x00\xfe\x08\xfe\x01\xfe" +
	"\x09\xfe\x00\xfd\x01\xfe\x06\xfa\x01\xfe\x01\xfe\x06\xfe\x2b\xd9\x0a\xe1\x00\xfc\x00\xf1\x00\xfd\x02\xfe\x04\xea\x00\xfa\x00\xf1" +
	"\x00\xfa\x00\xfd\x01\xfd\x00\xfe\x04\xfe\x09\xdf\x00\xfe\x00\xfe\x08\xee\x00\xfd\x00\xfe\x00\xfe\x08\xf8\x00\xfe\x08\xf9\x00\xfe" +
	"\x15\xfd\x09\xf7\x00\xfe\x15\xfd\x00\xfe\x08\xfc\x16\xfe\x00\xfe\x08\xfd\x16\xfe\x00\xfd\x08\xfa\x0a\xfe\x2b\xba\x00\xfb\x00\xfa" +
	"\x08\xea\x00\xfb\x00\xf4\x00\xfe\x07\xfb\x00\xfb\x00\xf3\x00\xfd\x00\xfe\x01\xfe\x05\xfd\x00\xfe\x08\xec\x00\xfd\x00\xfe\x08\xfb" +
	"\x00\xfd\x00\xfd\x00\xfe\x00\xfe\x07\xfe\x00\xfe\x08\xfe\x00\xfe\x00\xfe\x14\xfe\x09\xfe\x00\xfe\x09\xfe\x15\xfe\x78\xf8\x0a\xfa" +
	"\x00\xfe\x00\xfc\x00\xfe\x07\xf8\x00\xfe\x00\xf9\x00\xfd\x08\xfd\x00\xfd\x08\xf6\x00\xfd\x00\xfd\x08\xfc\x00\xfe\x00\xfb\x00\xfe" +
	"\x00\xfe\x07\xfe\x00\xfc\x08\xf8\x00\xfe\x00\xfd\x08\xfd\x01\xfe\x00\xfe\x08\xfb\x00\xfe\x08\xf5\x00\xfb\x00\xfe\x08\xfd\x00\xfd" +
	"\x00\xfe\x09\xfb\x00\xfd\x08\xfc\x00\xfd\x00\xfe\x09\xfe\x0a\xfc\x09\xf9\x01\xfe\x0a\xfe\x0a\xfd\x08\xfa\x20\xfe"

const vp8LastUpdates = 21

// vp8MotionUpdates is the same for motion vectors (RFC 6386 section 17.2,
// mv_update_probs).
const vp8MotionUpdates = "\xed\xf6\xfd\xfd\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfa\xfa\xfc\xfe\xfe" +
	"\xe7\xf3\xf5\xfd\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfe\xfb\xfb\xfe\xfe\xfe"
