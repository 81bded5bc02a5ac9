package codec

import mathbits "math/bits"

// av1Still is the [Still] of AV1, which has a frame for that: show_existing_frame shows
// what a decoder has in one of its slots. A keyframe that was shown may not be shown
// again so (AV1 section 6.8.2, showable_frame): then there is none until the next
// frame.
type av1Still struct {
	sequence av1Sequence
	known    bool   // the sequence is
	keys     uint8  // the slots that hold keyframes
	again    []byte // nil: there is none
}

// The types of frames (AV1 section 6.8.2).
const (
	av1FrameKey = iota
	av1FrameInter
	av1FrameIntraOnly
	av1FrameSwitch
)

// Saw implements [Still].
func (s *av1Still) Saw(frame []byte) {
	for len(frame) > 0 {
		o, rest, ok := parseOBU(frame)
		if !ok {
			s.again = nil
			return
		}
		frame = rest
		switch o.kind() {
		case obuSequence:
			s.sequence, s.known = parseAV1Sequence(o.body)
		case obuFrame, obuFrameHeader:
			s.frame(o.body)
		}
	}
}

// frame takes in the header of a frame, as far as it tells where a decoder puts it (AV1
// section 5.9.2).
func (s *av1Still) frame(body []byte) {
	q := &s.sequence
	if !s.known || q.reduced || q.decoderModel || q.frameIDs {
		s.again = nil // a header with more in it
		return
	}
	b := bits{data: body}
	if b.flag() { // show_existing_frame
		slot := int(b.read(3))
		s.show(slot)
		if s.keys>>slot&1 == 1 {
			s.keys, s.again = 0xff, nil // it is loaded into all slots
		}
		return
	}
	kind, shown := b.read(2), b.flag()
	if !shown {
		b.skip(1) // showable_frame
	}
	fresh := kind == av1FrameKey && shown
	resilient := kind == av1FrameSwitch || fresh || b.flag()
	b.skip(1) // disable_cdf_update
	if q.screen == 1 || q.screen == av1Choose && b.flag() {
		if q.wholeMotion == av1Choose {
			b.skip(1) // force_integer_mv
		}
	}
	if kind != av1FrameSwitch {
		b.skip(1) // frame_size_override_flag
	}
	b.skip(q.orderHintBits)
	if kind != av1FrameKey && kind != av1FrameIntraOnly && !resilient {
		b.skip(3) // primary_ref_frame
	}
	slots := uint8(0xff)
	if kind != av1FrameSwitch && !fresh {
		slots = uint8(b.read(8))
	}
	if b.over {
		s.again = nil
		return
	}
	if s.keys &^= slots; kind == av1FrameKey {
		s.keys |= slots
	}
	switch {
	case !shown:
	case kind == av1FrameKey:
		s.again = nil
	case slots != 0: // else that before it is nearly the same
		s.show(mathbits.TrailingZeros8(slots))
	}
}

// show makes the frame that shows a slot.
func (s *av1Still) show(slot int) {
	const existing, end = 0x80, 0x08 // end: the first trailing bit
	o := obu{header: [2]byte{obuFrameHeader << 3}, body: []byte{existing | byte(slot)<<4 | end}}
	s.again = o.append(nil)
}

// Repeat implements [Still].
func (s *av1Still) Repeat() []byte { return s.again }
