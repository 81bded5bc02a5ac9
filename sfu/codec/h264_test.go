package codec

import (
	"bytes"
	"testing"
	"time"

	"weir/sfu/media"
)

// stapA returns a STAP-A of NAL units.
func stapA(nals ...[]byte) []byte {
	b := []byte{nalSTAPA}
	for _, nal := range nals {
		b = append(append(b, byte(len(nal)>>8), byte(len(nal))), nal...)
	}
	return b
}

// fuA returns a part of a NAL unit with that header.
func fuA(header, flags byte, part ...byte) []byte {
	return append([]byte{header&^nalTypeMask | nalFUA, flags | header&nalTypeMask}, part...)
}

func join(nals ...[]byte) (frame []byte) {
	for _, nal := range nals {
		frame = appendNAL(frame, nal)
	}
	return frame
}

var (
	idrUnit   = h264Slice(0x65, 0)
	seiUnit   = []byte{0x06, 5, 1, 7, 0x80}
	audUnit   = []byte{0x09, 0xf0}
	laterPart = []byte{0x41, 0x4c, 0x11} // a slice that is not the first one
)

func slice(number int) []byte      { return h264Slice(0x41, number) } // referred to
func disposable(number int) []byte { return h264Slice(0x01, number) } // nal_ref_idc 0

func TestH264Payload(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		where   place
		start   bool
		sync    bool
	}{
		{"parameter set", h264SPSUnit, opening, true, true},
		{"other parameter set", h264PPSUnit, opening, true, false},
		{"delimiter", audUnit, opening, true, false},
		{"SEI", seiUnit, opening, true, false},
		{"first slice", slice(1), opening, true, false},
		{"later slice", laterPart, either, false, false},
		{"IDR alone", idrUnit, opening, false, false},
		{"parameter sets", stapA(h264SPSUnit, h264PPSUnit), opening, true, true},
		{"whole keyframe", stapA(audUnit, h264SPSUnit, h264PPSUnit, seiUnit, idrUnit), opening, true, true},
		{"parameter sets of another picture", stapA(h264SPSUnit, h264PPSUnit, slice(1)), opening, true, false},
		{"first part", fuA(0x41, fuStart, 0x9a), opening, true, false},
		{"first part of a later slice", fuA(0x41, fuStart, 0x4c), either, false, false},
		{"next part", fuA(0x65, 0, 0x9a), inner, false, false},
		{"last part", fuA(0x65, fuEnd, 0x9a), inner, false, false},
		{"empty", nil, malformed, false, false},
		{"damaged", []byte{0xe5, 0x80}, malformed, false, false},
		{"empty STAP-A", []byte{nalSTAPA}, malformed, false, false},
		{"STAP-A with an empty unit", []byte{nalSTAPA, 0, 0, 0, 1, 0x41}, malformed, false, false},
		{"STAP-A cut off", []byte{nalSTAPA, 0, 5, 0x67, 1}, malformed, false, false},
		{"STAP-A with a rest", []byte{nalSTAPA, 0, 1, 0x67, 1}, malformed, false, false},
		{"STAP-A in a STAP-A", stapA(stapA(slice(1))), malformed, false, false},
		{"FU-A without part", []byte{nalFUA, fuStart | 1}, malformed, false, false},
		{"FU-A of an FU-A", fuA(nalFUA, fuStart, 1, 2), malformed, false, false},
		{"STAP-B", []byte{25, 0, 0, 0, 1, 0x41}, malformed, false, false},
		{"FU-B", []byte{29, 0x81, 0, 0, 1}, malformed, false, false},
		{"type 0", []byte{0, 1, 2}, malformed, false, false},
	}
	for _, tt := range tests {
		var d h264Frame
		if got := d.read(tt.payload); got != tt.where {
			t.Errorf("%s: place %d, want %d", tt.name, got, tt.where)
		}
		got := inspectH264(tt.payload)
		if got.Start != tt.start || got.Sync != tt.sync || tt.sync && (got.Width != 640 || got.Height != 360) {
			t.Errorf("%s: %+v, want start %v, sync %v", tt.name, got, tt.start, tt.sync)
		}
	}
}

// step264 is one packet and the frame that comes out because of it.
type step264 struct {
	lost    uint64 // packets lost right before it
	time    uint64
	marker  bool
	payload []byte
	want    []byte // nil: nothing comes out
	sync    bool
	gap     bool
}

func TestH264Depacketize(t *testing.T) {
	key := join(h264SPSUnit, h264PPSUnit, idrUnit)
	whole := func(at uint64, frame []byte, gap bool) step264 {
		return step264{0, at, true, stapA(h264SPSUnit, h264PPSUnit, idrUnit), frame, true, gap}
	}
	first := whole(0, key, false)
	tests := []struct {
		name   string
		steps  []step264
		closed bool
	}{
		{"one unit in a packet", []step264{{0, 0, false, audUnit, nil, false, false}, {0, 0, false, h264SPSUnit, nil, false, false},
			{0, 0, false, h264PPSUnit, nil, false, false}, {0, 0, false, seiUnit, nil, false, false},
			{0, 0, true, idrUnit, join(h264SPSUnit, h264PPSUnit, seiUnit, idrUnit), true, false}}, false},
		{"parts", []step264{first, {0, 1, false, fuA(0x41, fuStart, slice(1)[1:]...), nil, false, false},
			{0, 1, false, fuA(0x41, 0, 7, 8), nil, false, false},
			{0, 1, true, fuA(0x41, fuEnd, 9), join(append(slice(1), 7, 8, 9)), false, false}}, false},
		{"one part", []step264{first, {0, 1, true, fuA(0x41, fuStart|fuEnd, slice(1)[1:]...), join(slice(1)), false, false}}, false},
		{"several slices, no marker", []step264{{0, 0, false, first.payload, nil, false, false},
			{0, 1, false, slice(1), nil, false, false}, {0, 1, false, laterPart, nil, false, false},
			{0, 2, false, slice(2), key, true, false}, {0, 3, false, slice(3), join(slice(2)), false, false}}, false},
		{"cut off between two slices", []step264{first, {0, 1, false, slice(1), nil, false, false},
			{0, 2, true, slice(2), nil, false, false}}, true},
		{"filler and end marks", []step264{first, {0, 1, false, slice(1), nil, false, false}, {0, 1, false, []byte{10}, nil, false, false},
			{0, 1, true, []byte{12, 0xff, 0xff, 0x80}, join(slice(1)), false, false}}, false},
		{"filler in parts", []step264{first, {0, 1, false, slice(1), nil, false, false}, {0, 1, false, fuA(12, fuStart, 0xff), nil, false, false},
			{0, 1, true, fuA(12, fuEnd, 0xff), join(slice(1)), false, false}}, false},
		{"parameter sets under a time of their own", []step264{{0, 0, true, stapA(h264SPSUnit, h264PPSUnit), nil, false, false},
			{0, 1, true, idrUnit, key, true, false}, {0, 2, true, slice(1), join(slice(1)), false, false}}, false},
		{"the same, without a marker", []step264{first, {0, 1, false, stapA(h264SPSUnit, h264PPSUnit), nil, false, false},
			{0, 2, true, idrUnit, key, true, false}, {0, 3, true, slice(1), join(slice(1)), false, false}}, false},
		{"IDR without parameter sets", []step264{first, {0, 1, true, idrUnit, key, true, false}}, false},
		{"IDR without parameter sets after a hole", []step264{first, {1, 1, true, idrUnit, nil, false, false}, whole(2, key, true)}, false},
		{"parameter sets lost", []step264{{0, 0, false, slice(9), nil, false, false}, {1, 1, true, idrUnit, nil, false, false}}, true},
		{"delimiter lost", []step264{first, {1, 1, true, stapA(h264SPSUnit, h264PPSUnit, idrUnit), key, true, true}}, false},
		{"before the first keyframe", []step264{{0, 0, true, slice(1), nil, false, false}, whole(1, key, false)}, false},

		{"part lost", []step264{first, {0, 1, false, fuA(0x41, fuStart, slice(1)[1:]...), nil, false, false},
			{1, 1, true, fuA(0x41, fuEnd, 9), nil, false, false}, {0, 2, true, slice(2), nil, false, false}}, true},
		{"end of a part missing", []step264{first, {0, 1, false, fuA(0x41, fuStart, slice(1)[1:]...), nil, false, false},
			{0, 1, true, slice(1), nil, false, false}}, true},
		{"two beginnings", []step264{first, {0, 1, false, fuA(0x41, fuStart, slice(1)[1:]...), nil, false, false},
			{0, 1, true, fuA(0x41, fuStart|fuEnd, 9), nil, false, false}}, true},
		{"end of another unit", []step264{first, {0, 1, false, fuA(0x41, fuStart, slice(1)[1:]...), nil, false, false},
			{0, 1, true, fuA(0x46, fuEnd, 9), nil, false, false}}, true},
		{"malformed", []step264{first, {0, 1, true, []byte{25, 1}, nil, false, false}, {0, 2, true, slice(2), nil, false, false}}, true},

		{"frame lost that is referred to", []step264{first, {1, 2, true, slice(2), nil, false, false}}, true},
		{"frame lost that is not", []step264{first, {0, 1, true, slice(1), join(slice(1)), false, false},
			{1, 3, true, slice(2), join(slice(2)), false, true}, {0, 4, true, slice(3), join(slice(3)), false, false}}, false},
		{"broken frame that is not", []step264{first, {0, 1, true, slice(1), join(slice(1)), false, false},
			{0, 2, true, slice(2), join(slice(2)), false, false},
			{0, 3, false, fuA(0x01, fuStart, disposable(3)[1:]...), nil, false, false},
			{1, 4, true, slice(3), join(slice(3)), false, true}}, false},
		{"broken frame that is referred to", []step264{first, {0, 1, true, slice(1), join(slice(1)), false, false},
			{0, 2, true, slice(2), join(slice(2)), false, false},
			{0, 3, false, fuA(0x41, fuStart, slice(3)[1:]...), nil, false, false},
			{1, 4, true, slice(3), nil, false, false}}, true},
		{"after the keyframe an IDR may be lost", []step264{first, {1, 2, true, slice(1), nil, false, false}}, true},
		{"as many lost as make a turn", []step264{first, {0, 1, true, slice(1), join(slice(1)), false, false},
			{16, 3, true, slice(2), nil, false, false}}, true},
		{"disposable after a lost disposable", []step264{first, {0, 1, true, slice(1), join(slice(1)), false, false},
			{1, 3, true, disposable(2), join(disposable(2)), false, true}, {0, 4, true, disposable(2), join(disposable(2)), false, false},
			{0, 5, true, slice(2), join(slice(2)), false, false}}, false},
		{"disposable after a lost reference", []step264{first, {0, 1, true, slice(1), join(slice(1)), false, false},
			{1, 3, true, disposable(3), nil, false, false}}, true},
	}
	for _, tt := range tests {
		d := newH264Depacketizer(Config{})
		seq := uint64(1 << 32)
		for i, s := range tt.steps {
			seq += s.lost
			at := time.Duration(s.time) * 33 * ms
			var got sink
			d.Depacketize(&media.Packet{Seq: seq, Time: s.time, PTS: at, Arrival: at, Marker: s.marker, Payload: s.payload}, got.emit)
			d.(*h264Depacketizer).in.flush(func(p *media.Packet, lost uint64) { d.(*h264Depacketizer).takePacket(p, lost, got.emit) })
			seq++
			var data []byte
			var f media.Frame
			if len(got.frames) > 0 {
				f = got.frames[0]
				data = f.Data
			}
			if !bytes.Equal(data, s.want) || f.Sync != s.sync || f.Gap != s.gap {
				t.Errorf("%s, packet %d: % x, sync %v, gap %v; want % x, %v, %v", tt.name, i, data, f.Sync, f.Gap, s.want, s.sync, s.gap)
			}
		}
		if d.NeedsSync() != tt.closed {
			t.Errorf("%s: NeedsSync %v", tt.name, d.NeedsSync())
		}
	}
}

func TestH264Packetize(t *testing.T) {
	large := append(slice(1), bytes.Repeat([]byte{7}, 3000)...)
	frame := join(audUnit, h264SPSUnit, h264PPSUnit, seiUnit, idrUnit, []byte{12, 0xff}, large)
	var payloads [][]byte
	newH264Packetizer(5).Packetize(&media.Frame{Data: frame}, func(p media.Packet) {
		if p.Marker != (len(payloads) == 3) || p.Start != (len(payloads) == 0) || p.Sync != p.Start || p.Seq != uint64(5+len(payloads)) {
			t.Errorf("packet %d: %+v", len(payloads), p)
		}
		payloads = append(payloads, p.Payload)
	})
	if len(payloads) != 4 || !bytes.Equal(payloads[0], append([]byte{0x78}, stapA(h264SPSUnit, h264PPSUnit, seiUnit, idrUnit)[1:]...)) {
		t.Fatalf("%d packets, the first is % x", len(payloads), payloads[0])
	}
	for i, flags := range []byte{fuStart, 0, fuEnd} {
		if p := payloads[1+i]; p[0] != 0x40|nalFUA || p[1] != flags|nalSlice || len(p) < 1000 {
			t.Errorf("part %d: % x, %d bytes", i, p[:2], len(p))
		}
	}
	for _, data := range [][]byte{nil, {1}, {0, 0, 0, 0, 1}, {0, 0, 0, 9, 1}, join(audUnit), join([]byte{12, 0xff})} {
		newH264Packetizer(0).Packetize(&media.Frame{Data: data}, func(p media.Packet) { t.Errorf("% x makes the packet % x", data, p.Payload) })
	}
}

// TestH264Cropping: what is cut off is told in units of the chroma, and in single
// samples where there is none of its own (ISO/IEC 14496-10 equations 7-19 to 7-22).
func TestH264Cropping(t *testing.T) {
	for _, tt := range []struct {
		name           string
		chroma         uint32
		planes, frames bool
		width, height  int
	}{
		{"4:2:0", 1, false, true, 32 - 6, 48 - 4}, {"4:2:2", 2, false, true, 32 - 6, 48 - 2}, {"4:4:4", 3, false, true, 32 - 3, 48 - 2},
		{"4:4:4 in planes of their own", 3, true, true, 32 - 3, 48 - 2}, {"monochrome", 0, false, true, 32 - 3, 48 - 2},
		{"fields of 4:2:0", 1, false, false, 32 - 6, 96 - 8}, {"fields of monochrome", 0, false, false, 32 - 3, 96 - 4},
	} {
		flag := func(b bool) uint32 { return map[bool]uint32{true: 1}[b] }
		var w bitWriter
		w.bits(nalSPS|0x60, 8)
		w.bits(100, 8) // high
		w.bits(0, 8)
		w.bits(30, 8)
		w.golomb(0) // seq_parameter_set_id
		if w.golomb(tt.chroma); tt.chroma == 3 {
			w.bits(flag(tt.planes), 1)
		}
		w.golomb(0) // bit depths
		w.golomb(0)
		w.bits(0, 2) // no transform bypass, no scaling lists
		w.golomb(0)  // log2_max_frame_num_minus4
		w.golomb(2)  // pic_order_cnt_type
		w.golomb(1)  // max_num_ref_frames
		w.bits(0, 1)
		w.golomb(1) // 2 macroblocks wide
		w.golomb(2) // 3 high, of a frame or a field
		if w.bits(flag(tt.frames), 1); !tt.frames {
			w.bits(0, 1)
		}
		w.bits(1, 1) // direct_8x8_inference_flag
		w.bits(1, 1) // cropped: left, right, top, bottom
		for _, n := range []uint32{1, 2, 0, 2} {
			w.golomb(n)
		}
		w.bits(0, 1) // no VUI
		w.bits(1, 1)
		if s, ok := parseH264SPS(w.escaped()); !ok || s.width != tt.width || s.height != tt.height {
			t.Errorf("%s: %dx%d, %v; want %dx%d", tt.name, s.width, s.height, ok, tt.width, tt.height)
		}
	}
}

// TestH264SPS: sequence parameter sets of encoders, with their sizes.
func TestH264SPS(t *testing.T) {
	tests := []struct {
		name          string
		nal           []byte
		width, height int
		profile       byte
	}{
		{"x264, baseline", h264SPSUnit, 640, 360, 66},
		{"x264, high, 322x182", []byte{0x67, 0x64, 0x00, 0x0d, 0xac, 0xb6, 0x0a, 0x8c, 0xf1, 0x13, 0x60, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02,
			0x00, 0x00, 0x03, 0x00, 0x79, 0x1e, 0x28, 0x55, 0xc0}, 322, 182, 100},
		{"x264, baseline, 322x182", []byte{0x67, 0x42, 0xc0, 0x14, 0xda, 0x05, 0x46, 0x78, 0x89, 0xb0, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01,
			0x00, 0x00, 0x03, 0x00, 0x3c, 0x8f, 0x14, 0x2a, 0xa0}, 322, 182, 66},
	}
	for _, tt := range tests {
		s, ok := parseH264SPS(tt.nal)
		if !ok || s.width != tt.width || s.height != tt.height || s.profile != tt.profile || s.frameNumBits != 4 {
			t.Errorf("%s: %+v, %v", tt.name, s, ok)
		}
		for cut := range 9 {
			if s, ok := parseH264SPS(tt.nal[:cut]); ok {
				t.Errorf("%s, cut off behind %d bytes: %+v", tt.name, cut, s)
			}
		}
	}
}
