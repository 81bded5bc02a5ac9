package codec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"weir/sfu/media"
)

// packBits returns a NAL unit of bits, with the stop bit behind them.
func packBits(header byte, bits string) []byte {
	nal := []byte{header}
	for bits += "1"; bits != ""; {
		octet := bits + "00000000"
		var v byte
		fmt.Sscanf(octet[:8], "%b", &v)
		nal = append(nal, v)
		bits = bits[min(8, len(bits)):]
	}
	return nal
}

// ue is an Exp-Golomb code.
func ue(v int) string {
	code := fmt.Sprintf("%b", v+1)
	return strings.Repeat("0", len(code)-1) + code
}

// spsOf returns a sequence parameter set: constrained baseline, or of 10 bits.
func spsOf(id, columns, rows int, deep bool) []byte {
	bits := "01000010" + "11000000" + "00011110" + ue(id)
	if deep {
		bits = "01101110" + "00000000" + "00011110" + ue(id) + ue(1) + ue(2) + ue(2) + "00"
	}
	bits += ue(0) + ue(2) + ue(1) + "0" + ue(columns-1) + ue(rows-1) + "1" + "1" + "0" + "0"
	return packBits(0x67, bits)
}

// ppsOf returns a picture parameter set that refers to a sequence parameter set.
func ppsOf(id, sequence int) []byte { return packBits(0x68, ue(id)+ue(sequence)+"00"+ue(0)) }

// idrOf returns an IDR slice that refers to a picture parameter set.
func idrOf(pps int) []byte { return packBits(0x65, ue(0)+ue(7)+ue(pps)+"0000"+"1010101") }

func TestParameterSets(t *testing.T) {
	small, large := spsOf(0, 20, 10, false), spsOf(0, 40, 20, false)
	second, pps, other := spsOf(1, 30, 15, false), ppsOf(0, 0), ppsOf(1, 1)
	tests := []struct {
		name     string
		told     [][]byte // payloads
		payloads [][]byte
		frame    []byte
		complete []byte
		keyframe bool
	}{
		{"nothing", nil, nil, join(idrOf(0)), join(idrOf(0)), false},
		{"no picture parameter set", [][]byte{small}, nil, join(idrOf(0)), join(idrOf(0)), false},
		{"one payload each", [][]byte{small, pps}, [][]byte{small, pps}, join(idrOf(0)), join(small, pps, idrOf(0)), true},
		{"the other way around", [][]byte{pps, small}, [][]byte{small, pps}, join(seiUnit, idrOf(0)), join(small, pps, seiUnit, idrOf(0)), true},
		{"STAP-A", [][]byte{stapA(small, pps, idrOf(0))}, [][]byte{small, pps}, join(idrOf(0)), join(small, pps, idrOf(0)), true},
		{"told anew", [][]byte{small, pps, large}, [][]byte{large, pps}, join(idrOf(0)), join(large, pps, idrOf(0)), true},
		{"several", [][]byte{small, pps, second, other}, [][]byte{small, second, pps, other}, join(idrOf(1)), join(small, second, pps, other, idrOf(1)), true},
		{"a frame that has them", [][]byte{small, pps}, [][]byte{large, pps}, join(large, pps, idrOf(0)), join(large, pps, idrOf(0)), true},
		{"a frame with one kind", [][]byte{small, pps}, [][]byte{large, pps}, join(large, seiUnit, idrOf(0)), join(large, seiUnit, pps, idrOf(0)), true},
		{"no IDR picture", [][]byte{small, pps}, [][]byte{small, pps}, join(slice(1)), join(slice(1)), false},
		{"malformed", [][]byte{nil, {}, {nalSTAPA}, {nalSTAPA, 0, 9, 0x67}, {0x67}, {0x68}, {0x67, 66, 0}, bytes.Repeat([]byte{0x68}, MaxPayload+1)}, nil, nil, nil, false},
	}
	for _, tt := range tests {
		var s ParameterSets
		for _, payload := range tt.told {
			s.Learn(payload)
		}
		complete, keyframe := s.Complete(tt.frame)
		if !bytes.Equal(complete, tt.complete) || keyframe != tt.keyframe {
			t.Errorf("%s: % x, keyframe %v; want % x, %v", tt.name, complete, keyframe, tt.complete, tt.keyframe)
		}
		if got := s.Payloads(); !equalUnits(got, tt.payloads) {
			t.Errorf("%s: payloads % x, want % x", tt.name, got, tt.payloads)
		}
	}
}

func equalUnits(a, b [][]byte) bool {
	return bytes.Equal(bytes.Join(a, []byte("/")), bytes.Join(b, []byte("/")))
}

// TestParameterSetsAreBounded: whatever ids are told, few are kept: the newest.
func TestParameterSetsAreBounded(t *testing.T) {
	var s ParameterSets
	for id := range 256 {
		s.Learn(spsOf(id%32, 20+id, 10, false))
		s.Learn(ppsOf(id, id%32))
	}
	got := s.Payloads()
	if len(got) != 2*maxSets || !bytes.Equal(got[0], spsOf(16, 20+240, 10, false)) || !bytes.Equal(got[2*maxSets-1], ppsOf(255, 31)) {
		t.Errorf("%d are kept: % x", len(got), got)
	}
}

// TestActiveSPS: of several sequence parameter sets the size is that of the one which
// the picture goes by.
func TestActiveSPS(t *testing.T) {
	a, b := spsOf(0, 20, 10, false), spsOf(1, 40, 20, false)
	for _, tt := range []struct {
		frame []byte
		width int
	}{
		{join(a, b, ppsOf(0, 0), ppsOf(1, 1), idrOf(0)), 320},
		{join(a, b, ppsOf(0, 0), ppsOf(1, 1), idrOf(1)), 640},
		{join(b, ppsOf(1, 1), idrOf(1)), 640},
		{join(a, b, ppsOf(0, 0), idrOf(5)), 320},
		{join(a, b), 320},
		{join(idrOf(0)), 0},
	} {
		if width, _, ok := H264Size(tt.frame); width != tt.width || ok != (width > 0) {
			t.Errorf("% x is %d wide, want %d", tt.frame, width, tt.width)
		}
	}
}

// TestSetsAheadOfPackets: what is Ahead of a packet completes its keyframe, at the
// beginning and behind a hole too; what was told before completes one only if nothing
// is missing right before it.
func TestSetsAheadOfPackets(t *testing.T) {
	sets := [][]byte{h264SPSUnit, h264PPSUnit}
	whole := join(h264SPSUnit, h264PPSUnit, idrUnit)
	d := newH264Depacketizer(Config{}).(*h264Depacketizer)
	for i, s := range []struct {
		lost  uint64
		ahead [][]byte
		want  []byte
	}{
		{0, sets, whole}, {0, nil, whole}, {1, sets, whole}, {1, nil, nil}, {0, nil, whole},
	} {
		var got []byte
		d.takePacket(&media.Packet{Seq: uint64(i), Time: uint64(i), Marker: true, Payload: idrUnit, Ahead: s.ahead}, s.lost,
			func(f media.Frame) { got = f.Data })
		if !bytes.Equal(got, s.want) {
			t.Errorf("packet %d: % x, want % x", i, got, s.want)
		}
	}
}

// TestHolds: a file goes on with another size or profile, and not with other samples.
func TestHolds(t *testing.T) {
	private := func(sps []byte) []byte {
		p, ok := H264Private(join(sps, ppsOf(0, 0), idrOf(0)))
		if !ok {
			t.Fatal("no CodecPrivate")
		}
		return p
	}
	high := []byte{0x67, 0x64, 0x00, 0x0d, 0xac, 0xb6, 0x0a, 0x8c, 0xf1, 0x13, 0x60, 0x22, 0x00, 0x00, 0x03, 0x00, 0x02,
		0x00, 0x00, 0x03, 0x00, 0x79, 0x1e, 0x28, 0x55, 0xc0}
	base := private(spsOf(0, 20, 10, false))
	av1 := func(profile, level, flags byte, rest ...byte) []byte {
		return append([]byte{0x81, profile<<5 | level, flags, 0}, rest...)
	}
	for _, tt := range []struct {
		name       string
		holds      func(a, b []byte) bool
		a, b       []byte
		want, back bool
	}{
		{"H264, size", h264Holds, base, private(spsOf(0, 40, 20, false)), true, true},
		{"H264, id", h264Holds, base, private(spsOf(3, 20, 10, false)), true, true},
		{"H264, profile", h264Holds, base, private(high), true, true},
		{"H264, 10 bits", h264Holds, base, private(spsOf(0, 20, 10, true)), false, false},
		{"H264, nothing", h264Holds, base, nil, false, false},
		{"AV1, size", av1Holds, av1(0, 1, 0x0c, 1), av1(0, 8, 0x8c, 2), true, true},
		{"AV1, profile", av1Holds, av1(0, 1, 0x0c), av1(1, 1, 0x0c), false, false},
		{"AV1, 10 bits", av1Holds, av1(0, 1, 0x0c), av1(0, 1, 0x4c), false, false},
		{"AV1, grey", av1Holds, av1(0, 1, 0x0c), av1(0, 1, 0x1c), false, false},
		{"AV1, nothing", av1Holds, av1(0, 1, 0x0c), nil, false, false},
	} {
		if got := tt.holds(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
		if got := tt.holds(tt.b, tt.a); got != tt.back {
			t.Errorf("%s, the other way: %v", tt.name, got)
		}
	}
}

// TestVP9LayerSize: a layer that begins between keyframes tells its size, and a frame
// of one layer is no picture with layers.
func TestVP9LayerSize(t *testing.T) {
	// An inter frame with references of other sizes: frame_marker 2, profile 0, shown,
	// not error resilient, three references with no found_ref, 1280x720.
	upper := packBits(0, "10"+"0"+"0"+"0"+"1"+"1"+"0"+"00"+"00000001"+strings.Repeat("0", 12)+"000"+
		fmt.Sprintf("%016b%016b", 1279, 719)+"0")[1:]
	// The same size as a reference.
	same := packBits(0, "10"+"0"+"0"+"0"+"1"+"1"+"0"+"00"+"00000001"+strings.Repeat("0", 12)+"1"+"0")[1:]
	picture := func(layers ...[]byte) []byte {
		var sizes []int
		for _, l := range layers {
			sizes = append(sizes, len(l))
		}
		return appendVP9Index(bytes.Join(layers, nil), sizes)
	}
	for _, tt := range []struct {
		name          string
		frame         []byte
		width, height int
	}{
		{"begins", picture(same, upper), 1280, 720},
		{"with a keyframe", picture(vp9KeyHeader, upper), 1280, 720},
		{"goes on", picture(same, same), 0, 0},
		{"one layer", upper, 0, 0},
		{"one keyframe", vp9KeyHeader, 0, 0},
		{"empty", nil, 0, 0},
	} {
		if w, h, ok := vp9LayerSize(tt.frame); w != tt.width || h != tt.height || ok != (w > 0) {
			t.Errorf("%s: %dx%d, %v", tt.name, w, h, ok)
		}
	}
}
