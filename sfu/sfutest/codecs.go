package sfutest

import (
	"bytes"
	"encoding/binary"

	"weir/sfu/media"
)

// Frame returns the n-th frame of a synthetic track of codec c, of about size
// bytes. It is VP8Frame or OpusFrame where there is one.
func Frame(c media.Codec, n int, key bool, size int) []byte {
	var head []byte
	switch c {
	case media.Opus:
		return OpusFrame(n, size)
	case media.VP8:
		return VP8Frame(n, key, size)
	case media.VP9:
		head = vp9Head(key)
	case media.AV1:
		return av1Frame(n, key, size)
	case media.H264:
		return h264Frame(n, key, size)
	}
	return append(head, body(n, size, len(head))...)
}

// Number returns the number of a frame that Frame made, and whether every byte
// of it is as it was made.
func Number(c media.Codec, data []byte) (n int, intact bool) {
	switch c {
	case media.Opus:
		return OpusNumber(data)
	case media.VP8:
		return VP8Number(data)
	}
	for _, key := range []bool{true, false} {
		head := len(Frame(c, 0, key, 0)) - minBody
		if c == media.AV1 { // its size takes more room the larger it is
			head += len(leb128(len(data)-head)) - 1
		}
		if len(data) < head+minBody {
			continue
		}
		n = int(binary.BigEndian.Uint32(data[head:]))
		if bytes.Equal(data, Frame(c, n, key, len(data))) {
			return n, true
		}
	}
	return n, false
}

// minBody is the smallest size of what follows the headers: the number, and a
// byte by which damage shows.
const minBody = number + 1

// body returns what follows head bytes of headers in a frame of size bytes. It has
// no zeros, which mean something to H.264.
func body(n, size, head int) []byte {
	b := fill(n, max(size-head, minBody), 0)
	for i := number; i < len(b); i++ {
		b[i] |= 1
	}
	return b
}

// vp9Head is the beginning of an uncompressed header of profile 0 (VP9 section
// 6.2): a keyframe with its size, or a frame that shows something else.
func vp9Head(key bool) []byte {
	if !key {
		return []byte{0x86, 0x00, 0x40}
	}
	// frame_marker 2, profile 0, show_existing_frame 0, KEY_FRAME 0, show_frame 1,
	// error_resilient_mode 0; sync code; color_space 0, color_range 0; width and
	// height minus one in 16 bits each, shifted by half a byte; render size.
	const w, h = Width - 1, Height - 1
	return []byte{0x82, 0x49, 0x83, 0x42, w >> 12, w >> 4 & 0xff, w&0xf<<4 | h>>12, h >> 4 & 0xff, h & 0xf << 4, 0}
}

// av1Sequence is a sequence header OBU (AV1 section 5.5) of profile 0, level 2.1,
// 640x360: bits of width and height 10 and 9, no coding tool.
var av1Sequence = av1SequenceHeader()

func av1SequenceHeader() []byte {
	var b bitWriter
	b.put(3, 0)         // seq_profile
	b.put(1, 0)         // still_picture
	b.put(1, 0)         // reduced_still_picture_header
	b.put(1, 0)         // timing_info_present_flag
	b.put(1, 0)         // initial_display_delay_present_flag
	b.put(5, 0)         // operating_points_cnt_minus_1
	b.put(12, 0)        // operating_point_idc
	b.put(5, 1)         // seq_level_idx
	b.put(4, 9)         // frame_width_bits_minus_1
	b.put(4, 8)         // frame_height_bits_minus_1
	b.put(10, Width-1)  // max_frame_width_minus_1
	b.put(9, Height-1)  // max_frame_height_minus_1
	b.put(1, 0)         // frame_id_numbers_present_flag
	b.put(3, 0)         // superblocks of 128, filter intra, intra edge filter
	b.put(4, 0)         // interintra, masked, warped, dual filter
	b.put(1, 0)         // enable_order_hint
	b.put(1, 1)         // seq_choose_screen_content_tools
	b.put(1, 1)         // seq_choose_integer_mv
	b.put(3, 0)         // superres, cdef, restoration
	b.put(1+1+1+1+2, 0) // 8 bits, color, unspecified, limited range, 4:2:0
	b.put(1, 0)         // separate_uv_delta_q
	b.put(1, 0)         // film_grain_params_present
	b.put(1, 1)         // trailing bits
	return append([]byte{1<<3 | 2, byte(len(b.data))}, b.data...)
}

// av1Frame is a temporal unit: a sequence header, if key, and a frame OBU.
func av1Frame(n int, key bool, size int) []byte {
	var b []byte
	first := byte(0x30) // show_existing_frame 0, INTER_FRAME 1, show_frame 1
	if key {
		b = append(b, av1Sequence...)
		first = 0x10 // KEY_FRAME 0
	}
	// header, size, and the first byte of the frame header
	payload := body(n, size, len(b)+1+len(leb128(size-len(b)-2))+1)
	b = append(append(b, 6<<3|2), leb128(1+len(payload))...)
	return append(append(b, first), payload...)
}

// leb128 is the size of an OBU (AV1 section 4.10.5).
func leb128(v int) (b []byte) {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(max(v, 0)))
}

// h264Parameters are the parameter sets of constrained baseline, level 3.0,
// 640x360 with frame numbers of 4 bits, each behind its length.
var h264Parameters = h264ParameterSets()

func h264ParameterSets() []byte {
	var s bitWriter
	s.golomb(0)            // seq_parameter_set_id
	s.golomb(0)            // log2_max_frame_num_minus4
	s.golomb(2)            // pic_order_cnt_type: the order of decoding
	s.golomb(1)            // max_num_ref_frames
	s.put(1, 0)            // gaps_in_frame_num_value_allowed_flag
	s.golomb(Width/16 - 1) // pic_width_in_mbs_minus1
	s.golomb((Height+15)/16 - 1)
	s.put(1, 1) // frame_mbs_only_flag
	s.put(1, 1) // direct_8x8_inference_flag
	s.put(1, 1) // frame_cropping_flag
	s.golomb(0)
	s.golomb(0)
	s.golomb(0)
	s.golomb((16 - Height%16) % 16 / 2) // frame_crop_bottom_offset, in pairs of lines
	s.put(1, 0)                         // vui_parameters_present_flag
	s.put(1, 1)
	sps := append([]byte{0x67, 0x42, 0xc0, 30}, s.data...)
	pps := []byte{0x68, 0xce, 0x38, 0x80}
	return append(lengthPrefixed(sps), lengthPrefixed(pps)...)
}

// h264Frame is an access unit: parameter sets, if key, and a slice. Its frame_num is n
// modulo 16, though a keyframe's ought to be 0: no test decodes it, and from the number
// of a frame alone it cannot be told how far the keyframe is.
func h264Frame(n int, key bool, size int) []byte {
	var b []byte
	slice := []byte{0x41}
	var head bitWriter
	head.golomb(0) // first_mb_in_slice
	head.golomb(5) // slice_type: P
	if key {
		b = append(b, h264Parameters...)
		slice = []byte{0x65}
		head = bitWriter{}
		head.golomb(0)
		head.golomb(7) // I
	}
	head.golomb(0) // pic_parameter_set_id
	head.put(4, n)
	head.put(8*3-head.n, 1)
	slice = append(slice, head.data...)
	payload := body(n, size, len(b)+4+len(slice))
	return append(b, lengthPrefixed(append(slice, payload...))...)
}

func lengthPrefixed(nal []byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(nal))), nal...)
}

// bitWriter writes bits, the most significant first.
type bitWriter struct {
	data []byte
	n    int
}

func (w *bitWriter) put(bits, v int) {
	for bits--; bits >= 0; bits-- {
		if w.n%8 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[w.n/8] |= byte(v>>bits&1) << (7 - w.n%8)
		w.n++
	}
}

// golomb writes ue(v) (ISO/IEC 14496-10 section 9.1).
func (w *bitWriter) golomb(v int) {
	bits := 0
	for (v+1)>>bits > 1 {
		bits++
	}
	w.put(bits, 0)
	w.put(bits+1, v+1)
}
