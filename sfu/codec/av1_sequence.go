package codec

// av1Sequence is what matters of a sequence header OBU (AV1 section 5.5).
type av1Sequence struct {
	profile, level, tier byte

	reduced         bool // reduced_still_picture_header
	highBits        bool // high_bitdepth
	twelveBits      bool
	monochrome      bool
	subX, subY      bool // chroma subsampling
	chromaPosition  byte
	width, height   int // the largest
	decoderModel    bool
	initialDelay    bool
	bufferDelayBits int
	frameIDs        bool   // frame_id_numbers_present_flag
	orderHintBits   int    // 0: pictures have no order hint
	screen          uint32 // seq_force_screen_content_tools
	wholeMotion     uint32 // seq_force_integer_mv
}

// av1Choose is SELECT_SCREEN_CONTENT_TOOLS and SELECT_INTEGER_MV: each picture says.
const av1Choose = 2

// parseAV1Sequence reads the body of a sequence header OBU.
func parseAV1Sequence(body []byte) (s av1Sequence, ok bool) {
	b := bits{data: body}
	s.profile = byte(b.read(3))
	b.skip(1) // still_picture
	s.reduced, s.screen, s.wholeMotion = b.flag(), av1Choose, av1Choose
	if s.reduced {
		s.level = byte(b.read(5))
	} else {
		s.readTiming(&b)
		s.readPoints(&b)
	}
	widthBits, heightBits := int(b.read(4))+1, int(b.read(4))+1
	s.width, s.height = int(b.read(widthBits))+1, int(b.read(heightBits))+1
	if !s.reduced {
		if s.frameIDs = b.flag(); s.frameIDs {
			b.skip(4 + 3)
		}
	}
	b.skip(3) // superblocks of 128, filter intra, intra edge filter
	if !s.reduced {
		s.readTools(&b)
	}
	b.skip(3) // superres, cdef, restoration
	s.readColor(&b)
	return s, !b.over && s.profile <= 2
}

// readTiming reads timing_info and decoder_model_info.
func (s *av1Sequence) readTiming(b *bits) {
	if !b.flag() {
		return
	}
	b.skip(32 + 32) // num_units_in_display_tick, time_scale
	if b.flag() {   // equal_picture_interval
		b.skip(b.zeros(31)) // num_ticks_per_picture_minus_1, a uvlc
	}
	if s.decoderModel = b.flag(); s.decoderModel {
		s.bufferDelayBits = int(b.read(5)) + 1
		b.skip(32 + 5 + 5)
	}
}

// readPoints reads the operating points. The first is the one with all layers,
// and the one that counts.
func (s *av1Sequence) readPoints(b *bits) {
	s.initialDelay = b.flag()
	for i := range int(b.read(5)) + 1 {
		b.skip(12) // operating_point_idc
		level, tier := byte(b.read(5)), byte(0)
		if level > 7 {
			tier = byte(b.bit())
		}
		if i == 0 {
			s.level, s.tier = level, tier
		}
		if s.decoderModel && b.flag() {
			b.skip(2*s.bufferDelayBits + 1)
		}
		if s.initialDelay && b.flag() {
			b.skip(4)
		}
	}
}

// readTools reads the flags of coding tools.
func (s *av1Sequence) readTools(b *bits) {
	b.skip(4) // interintra, masked, warped, dual filter
	orderHint := b.flag()
	if orderHint {
		b.skip(2)
	}
	s.screen, s.wholeMotion = av1Choose, av1Choose
	if !b.flag() { // seq_choose_screen_content_tools
		s.screen = b.bit()
	}
	if s.screen > 0 && !b.flag() { // seq_choose_integer_mv
		s.wholeMotion = b.bit()
	}
	if orderHint {
		s.orderHintBits = int(b.read(3)) + 1
	}
}

// readColor reads color_config (AV1 section 5.5.2).
func (s *av1Sequence) readColor(b *bits) {
	s.highBits = b.flag()
	if s.profile == 2 && s.highBits {
		s.twelveBits = b.flag()
	}
	s.monochrome = s.profile != 1 && b.flag()
	primaries, transfer, matrix := uint32(2), uint32(2), uint32(2) // unspecified
	if b.flag() {
		primaries, transfer, matrix = b.read(8), b.read(8), b.read(8)
	}
	const bt709, srgb, identity = 1, 13, 0
	switch {
	case s.monochrome:
		b.skip(1) // color_range
		s.subX, s.subY = true, true
		return
	case primaries == bt709 && transfer == srgb && matrix == identity:
		return // 4:4:4
	}
	b.skip(1)
	switch {
	case s.profile == 0:
		s.subX, s.subY = true, true
	case s.profile == 1:
	case s.twelveBits:
		s.subX = b.flag()
		s.subY = s.subX && b.flag()
	default:
		s.subX = true
	}
	if s.subX && s.subY {
		s.chromaPosition = byte(b.read(2))
	}
}

// av1SequenceOf returns the first sequence header of a temporal unit.
func av1SequenceOf(frame []byte) (o obu, s av1Sequence, ok bool) {
	for len(frame) > 0 {
		o, frame, ok = parseOBU(frame)
		if !ok {
			return o, s, false
		}
		if o.kind() == obuSequence {
			s, ok = parseAV1Sequence(o.body)
			return o, s, ok
		}
	}
	return o, s, false
}

// AV1Size returns the size of the picture in pixels, as the sequence header in a
// keyframe tells: the largest that frames of the sequence have.
func AV1Size(frame []byte) (width, height int, ok bool) {
	_, s, ok := av1SequenceOf(frame)
	if !ok {
		return 0, 0, false
	}
	return s.width, s.height, true
}

// AV1Private returns the CodecPrivate of a file that begins with keyframe: an
// AV1CodecConfigurationRecord ("AV1 Codec ISO Media File Format Binding" section
// 2.3.3) with the sequence header.
func AV1Private(keyframe []byte) ([]byte, bool) {
	o, s, ok := av1SequenceOf(keyframe)
	if !ok {
		return nil, false
	}
	flags := s.tier<<7 | s.chromaPosition
	for shift, set := range map[int]bool{6: s.highBits, 5: s.twelveBits, 4: s.monochrome, 3: s.subX, 2: s.subY} {
		if set {
			flags |= 1 << shift
		}
	}
	const marker, version = 0x80, 1
	return o.append([]byte{marker | version, s.profile<<5 | s.level, flags, 0}), true
}

// av1Holds implements [Format].Holds. The sequence header in front of a keyframe
// tells the decoder all; but by profile, bit depth and chroma format players choose
// the decoder and what pictures they get of it.
func av1Holds(private, next []byte) bool {
	const head = 4                               // bytes of the record ahead of the sequence header
	const profile, samples = 0x7 << 5, 0x1f << 2 // without level; without tier and chroma position
	return len(private) >= head && len(next) >= head &&
		(private[1]^next[1])&profile == 0 && (private[2]^next[2])&samples == 0
}
