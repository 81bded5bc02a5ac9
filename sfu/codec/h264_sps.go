package codec

// maxSPS is how much of a sequence parameter set is looked at. Scaling lists can make
// it longer, though no encoder sends such.
const maxSPS = 256

// h264SPS is what matters of a sequence parameter set (ISO/IEC 14496-10 section
// 7.3.2.1).
type h264SPS struct {
	profile, constraints, level byte

	chroma              uint32 // chroma_format_idc
	lumaBits            uint32 // bit_depth_luma_minus8
	chromaBits          uint32 // bit_depth_chroma_minus8
	separatePlanes      bool   // separate_colour_plane_flag
	pictureOrder        uint32 // pic_order_cnt_type
	orderBits           int    // log2_max_pic_order_cnt_lsb, if that is 0
	frameNumBits        int    // log2_max_frame_num
	columns, rows       int    // in macroblocks, of a frame or a field
	width, height       int    // after cropping
	framesOnly, cropped bool
}

// parseH264SPS reads a NAL unit of type 7.
func parseH264SPS(nal []byte) (s h264SPS, ok bool) {
	var buf [maxSPS]byte
	raw := unescape(buf[:], nal)
	if len(raw) < 5 || raw[0]&nalTypeMask != nalSPS {
		return s, false
	}
	s.profile, s.constraints, s.level = raw[1], raw[2], raw[3]
	b := bits{data: raw[4:]}
	b.golomb() // seq_parameter_set_id
	s.chroma = 1
	if s.isHigh() {
		s.readHigh(&b)
	}
	s.frameNumBits = int(b.golomb()) + 4
	s.readPictureOrder(&b)
	b.golomb() // max_num_ref_frames
	b.skip(1)  // gaps_in_frame_num_value_allowed_flag
	s.readSize(&b)
	const maxNumberBits = 16
	return s, !b.over && s.chroma <= 3 && s.frameNumBits <= maxNumberBits && s.orderBits <= maxNumberBits && s.width > 0 && s.height > 0
}

// isHigh reports whether the profile is one whose parameter sets tell the chroma
// format.
func (s *h264SPS) isHigh() bool {
	switch s.profile {
	case 44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244:
		return true
	}
	return false
}

// readHigh reads chroma format, bit depths and scaling lists.
func (s *h264SPS) readHigh(b *bits) {
	s.chroma = b.golomb()
	lists := 8
	if s.chroma == 3 {
		s.separatePlanes = b.flag()
		lists = 12
	}
	s.lumaBits, s.chromaBits = b.golomb(), b.golomb()
	b.skip(1) // qpprime_y_zero_transform_bypass_flag
	if !b.flag() {
		return
	}
	for i := range lists {
		if !b.flag() {
			continue
		}
		size := 16
		if i >= 6 {
			size = 64
		}
		skipScalingList(b, size)
	}
}

// skipScalingList passes over a list (ISO/IEC 14496-10 section 7.3.2.1.1.1).
func skipScalingList(b *bits, size int) {
	last, next := int32(8), int32(8)
	for range size {
		if next != 0 {
			next = (last + b.signedGolomb() + 256) % 256
		}
		if next != 0 {
			last = next
		}
	}
}

// readPictureOrder reads pic_order_cnt_type and what depends on it.
func (s *h264SPS) readPictureOrder(b *bits) {
	s.pictureOrder = b.golomb()
	switch s.pictureOrder {
	case 0:
		s.orderBits = int(b.golomb()) + 4
	case 1:
		b.skip(1)        // delta_pic_order_always_zero_flag
		b.signedGolomb() // offset_for_non_ref_pic
		b.signedGolomb() // offset_for_top_to_bottom_field
		for range min(b.golomb(), 255) {
			b.signedGolomb() // offset_for_ref_frame
		}
	}
}

// inOrder reports whether the parameter set rules out that pictures are shown in
// another order than that of decoding: Baseline has no B slices (ISO/IEC 14496-10
// annex A.2.1), and pic_order_cnt_type 2 is that order (section 8.2.1.3).
func (s *h264SPS) inOrder() bool {
	const baseline = 66
	return s.profile == baseline || s.pictureOrder == 2
}

// readSize reads the picture's size in macroblocks and what is cut off it (ISO/IEC
// 14496-10 section 7.4.2.1.1).
func (s *h264SPS) readSize(b *bits) {
	const most = 1 << 12 // macroblocks; no level has more
	columns, rows := b.golomb()+1, b.golomb()+1
	s.framesOnly = b.flag()
	fields := 2
	if s.framesOnly {
		fields = 1
	} else {
		b.skip(1) // mb_adaptive_frame_field_flag
	}
	b.skip(1) // direct_8x8_inference_flag
	if columns == 0 || columns > most || rows == 0 || rows > most {
		return
	}
	s.columns, s.rows = int(columns), int(rows)
	s.width, s.height = s.columns*16, s.rows*16*fields
	if s.cropped = b.flag(); !s.cropped {
		return
	}
	unitX, unitY := 1, fields
	if !s.separatePlanes {
		if s.chroma == 1 || s.chroma == 2 {
			unitX = 2
		}
		if s.chroma == 1 {
			unitY *= 2
		}
	}
	left, right, top, bottom := b.golomb(), b.golomb(), b.golomb(), b.golomb()
	s.width -= unitX * (int(left) + int(right))
	s.height -= unitY * (int(top) + int(bottom))
}

// H264Size returns the size of the picture in pixels, as the sequence parameter
// set in a keyframe tells.
func H264Size(frame []byte) (width, height int, ok bool) {
	nal := activeSPS(frame)
	if nal == nil {
		return 0, 0, false
	}
	s, ok := parseH264SPS(nal)
	return s.width, s.height, ok
}

// activeSPS returns the sequence parameter set of a frame that its first slice goes
// by, or the first one if that is not told; nil if there is none.
func activeSPS(frame []byte) []byte {
	var first, slice []byte
	several := false
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		switch t := nal[0] & nalTypeMask; {
		case t == nalSPS && first == nil:
			first = nal
		case t == nalSPS:
			several = true
		case slice == nil && (t == nalSlice || t == nalPartitionA || t == nalIDR):
			slice = nal
		}
	}
	if !several || slice == nil {
		return first
	}
	var buf [32]byte
	b := bits{data: unescape(buf[:], slice)}
	b.skip(8)
	b.golomb() // first_mb_in_slice
	b.golomb() // slice_type
	wanted := b.golomb()
	sequence := uint32(0)
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		if nal[0]&nalTypeMask != nalPPS {
			continue
		}
		b := bits{data: unescape(buf[:], nal)}
		b.skip(8)
		if b.golomb() == wanted { // pic_parameter_set_id
			sequence = b.golomb()
		}
	}
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		if nal[0]&nalTypeMask != nalSPS {
			continue
		}
		if id, ok := setID(SequenceSets, nal); ok && id == sequence {
			return nal
		}
	}
	return first
}
