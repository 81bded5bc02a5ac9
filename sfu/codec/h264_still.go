package codec

// h264Still is the [Still] of H.264: a slice to which no picture refers and all of
// whose macroblocks are skipped, which makes them those of the newest reference
// picture. It is made for pictures of frames in one slice group whose entropy coding
// is CAVLC, as that of Baseline is.
type h264Still struct {
	sps, pps []byte // NAL units, as they were told last
	made     []byte // nil: there is none
}

// h264PPS is what matters of a picture parameter set (ISO/IEC 14496-10 section
// 7.3.2.2).
type h264PPS struct {
	id         uint32
	arithmetic bool // entropy_coding_mode_flag
	fieldOrder bool // bottom_field_pic_order_in_frame_present_flag
	groups     uint32
	weighted   bool // weighted_pred_flag
	deblocking bool // deblocking_filter_control_present_flag
	redundant  bool // redundant_pic_cnt_present_flag
}

func parseH264PPS(nal []byte) (p h264PPS, ok bool) {
	var buf [64]byte
	b := bits{data: unescape(buf[:], nal)}
	b.skip(8)
	p.id = b.golomb()
	b.golomb() // seq_parameter_set_id
	p.arithmetic, p.fieldOrder = b.flag(), b.flag()
	p.groups = b.golomb() + 1
	b.golomb() // num_ref_idx_l0_default_active_minus1
	b.golomb() // num_ref_idx_l1_default_active_minus1
	p.weighted = b.flag()
	b.skip(2)        // weighted_bipred_idc
	b.signedGolomb() // pic_init_qp_minus26
	b.signedGolomb() // pic_init_qs_minus26
	b.signedGolomb() // chroma_qp_index_offset
	p.deblocking = b.flag()
	b.skip(1) // constrained_intra_pred_flag
	p.redundant = b.flag()
	return p, !b.over
}

// Saw implements [Still].
func (s *h264Still) Saw(frame []byte) {
	s.made = nil
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		switch t := nal[0] & nalTypeMask; t {
		case nalSPS:
			s.sps = append(s.sps[:0], nal...)
		case nalPPS:
			s.pps = append(s.pps[:0], nal...)
		case nalSlice, nalIDR:
			if firstSlice(nal[0], nal[1:]) {
				s.make(nal)
			}
		}
	}
}

// Repeat implements [Still].
func (s *h264Still) Repeat() []byte { return s.made }

// make makes what shows the picture of a slice again (ISO/IEC 14496-10 sections 7.3.3
// and 7.3.4).
func (s *h264Still) make(slice []byte) {
	q, ok := parseH264SPS(s.sps)
	p, whole := parseH264PPS(s.pps)
	if !ok || !whole || !q.framesOnly || q.separatePlanes || q.pictureOrder == 1 || p.arithmetic || p.groups != 1 {
		return
	}
	number, order, ok := placeOf(slice, &q, p.id)
	if !ok {
		return
	}
	if slice[0]&nalRefMask != 0 {
		number++ // that of the picture behind a reference picture (section 7.4.3)
	}
	var w bitWriter
	w.bits(nalSlice, 8) // nal_ref_idc 0
	w.golomb(0)         // first_mb_in_slice
	w.golomb(5)         // slice_type: P, as all of the picture
	w.golomb(p.id)
	w.bits(number, q.frameNumBits)
	if q.pictureOrder == 0 {
		w.bits(order+1, q.orderBits)
		if p.fieldOrder {
			w.golomb(0)
		}
	}
	if p.redundant {
		w.golomb(0)
	}
	w.bits(1, 1) // num_ref_idx_active_override_flag
	w.golomb(0)  // one reference
	w.bits(0, 1) // ref_pic_list_modification_flag_l0
	if p.weighted {
		w.golomb(0) // luma_log2_weight_denom
		if q.chroma != 0 {
			w.golomb(0)
		}
		w.bits(0, 1) // no weights
		if q.chroma != 0 {
			w.bits(0, 1)
		}
	}
	w.golomb(0) // slice_qp_delta
	if p.deblocking {
		w.golomb(1) // disable_deblocking_filter_idc
	}
	w.golomb(uint32(q.columns * q.rows)) // mb_skip_run
	w.bits(1, 1)                         // rbsp_stop_one_bit
	s.made = appendNAL(nil, w.escaped())
}

// placeOf reads frame_num and pic_order_cnt_lsb of a slice that goes by the parameter
// sets q and id.
func placeOf(slice []byte, q *h264SPS, id uint32) (number, order uint32, ok bool) {
	var buf [64]byte
	r := bits{data: unescape(buf[:], slice)}
	r.skip(8)
	r.golomb() // first_mb_in_slice
	r.golomb() // slice_type
	if r.golomb() != id {
		return 0, 0, false
	}
	number = r.read(q.frameNumBits)
	if slice[0]&nalTypeMask == nalIDR {
		r.golomb() // idr_pic_id
	}
	order = r.read(q.orderBits)
	return number, order, !r.over
}
