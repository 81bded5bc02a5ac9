package codec

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// annexB returns NAL units behind start codes of 4 and 3 bytes, by turns.
func annexB(nals ...[]byte) (b []byte) {
	for i, nal := range nals {
		b = append(append(b, []byte{0, 0, 0, 1}[i%2:]...), nal...)
	}
	return b
}

// stored returns NAL units behind lengths of that many bytes.
func stored(length int, nals ...[]byte) (b []byte) {
	for _, nal := range nals {
		size := []byte{0, 0, byte(len(nal) >> 8), byte(len(nal))}
		b = append(append(b, size[4-length:]...), nal...)
	}
	return b
}

// avcRecord returns an AVCDecoderConfigurationRecord for lengths of that many bytes.
func avcRecord(length int, sequence, picture [][]byte) []byte {
	b := []byte{1, 0x42, 0xc0, 0x1e, 0xfc | byte(length-1), 0xe0 | byte(len(sequence))}
	b = append(b, stored(2, sequence...)...)
	return append(append(b, byte(len(picture))), stored(2, picture...)...)
}

// longSlice is a NAL unit of 300 bytes: its length looks like a start code.
var longSlice = append(h264Slice(0x41, 1), bytes.Repeat([]byte{7}, 297)...)

// TestH264Stored: whatever way a container has to write them, the frames are the
// same, and an IDR picture has its parameter sets.
func TestH264Stored(t *testing.T) {
	sets := [][]byte{h264SPSUnit, h264PPSUnit}
	key := join(h264SPSUnit, h264PPSUnit, idrUnit)
	long := append(h264Slice(0x65, 0), bytes.Repeat([]byte{7}, 297)...)
	newPPS := []byte{0x68, 0xce, 0x0f, 0xcc}
	record := func(length int) []byte { return avcRecord(length, sets[:1], sets[1:]) }
	for _, tt := range []struct {
		name    string
		private []byte
		frames  [][]byte
		want    [][]byte // nil: no picture
	}{
		{"MediaRecorder", nil, [][]byte{annexB(h264SPSUnit, h264PPSUnit, idrUnit), annexB(slice(1))}, [][]byte{key, join(slice(1))}},
		{"delimiters and filler", nil, [][]byte{annexB(audUnit, h264SPSUnit, h264PPSUnit, seiUnit, idrUnit, []byte{12, 0xff})},
			[][]byte{join(h264SPSUnit, h264PPSUnit, seiUnit, idrUnit)}},
		{"zeros behind", nil, [][]byte{append(annexB(h264SPSUnit, h264PPSUnit, idrUnit), 0, 0, 0)}, [][]byte{key}},
		{"file, 4", record(4), [][]byte{stored(4, idrUnit), stored(4, slice(1))}, [][]byte{key, join(slice(1))}},
		{"file, 2", record(2), [][]byte{stored(2, idrUnit), stored(2, slice(1))}, [][]byte{key, join(slice(1))}},
		{"file, 1", record(1), [][]byte{stored(1, audUnit, idrUnit)}, [][]byte{key}},
		{"file, lengths like start codes", record(4), [][]byte{stored(4, long), stored(4, longSlice)},
			[][]byte{join(h264SPSUnit, h264PPSUnit, long), join(longSlice)}},
		{"start codes in spite of a record", record(4), [][]byte{annexB(idrUnit)}, [][]byte{key}},
		{"lengths without a record", nil, [][]byte{stored(4, h264SPSUnit, h264PPSUnit, idrUnit)}, [][]byte{key}},
		{"record of start codes", annexB(sets...), [][]byte{annexB(idrUnit)}, [][]byte{key}},
		{"sets once", nil, [][]byte{annexB(h264SPSUnit, h264PPSUnit, idrUnit), annexB(slice(1)), annexB(idrUnit)}, [][]byte{key, join(slice(1)), key}},
		{"sets by themselves", nil, [][]byte{annexB(sets...), annexB(idrUnit)}, [][]byte{nil, key}},
		{"only the sequence set again", nil, [][]byte{annexB(h264PPSUnit), annexB(h264SPSUnit, seiUnit, idrUnit)},
			[][]byte{nil, join(h264SPSUnit, seiUnit, h264PPSUnit, idrUnit)}},
		{"a newer picture set", record(4), [][]byte{stored(4, newPPS, slice(1)), stored(4, idrUnit)},
			[][]byte{join(newPPS, slice(1)), join(h264SPSUnit, newPPS, idrUnit)}},
		{"no sets", nil, [][]byte{annexB(idrUnit)}, [][]byte{join(idrUnit)}},
		{"not H264", nil, [][]byte{[]byte("nonsense"), nil, {0}, {0, 0, 0, 1}, {0, 0, 1, 0, 0, 1}}, [][]byte{nil, nil, nil, nil, nil}},
		{"cut off", record(4), [][]byte{stored(4, idrUnit, longSlice)[:100]}, [][]byte{nil}},
	} {
		h, err := NewH264Stored(tt.private)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		for i, data := range tt.frames {
			before := slices.Clone(data)
			got, ok := h.Frame(data)
			if !bytes.Equal(got, tt.want[i]) || ok != (tt.want[i] != nil) || !bytes.Equal(data, before) {
				t.Errorf("%s: frame %d is %x, %v, want %x", tt.name, i, got, ok, tt.want[i])
			}
		}
	}
	for _, bad := range [][]byte{{2, 1, 2, 3, 4, 5, 6}, {1, 66, 0, 30, 0xff}, record(3), record(4)[:20], avcRecord(4, sets[:1], nil)[:31], []byte("OpusHead.........")} {
		if _, err := NewH264Stored(bad); !errors.Is(err, ErrH264Private) {
			t.Errorf("%x is taken: %v", bad, err)
		}
	}
}

// TestH264Order: what tells that pictures may be shown in another order than that
// in which they come.
func TestH264Order(t *testing.T) {
	// x264's High profile with B-frames: pic_order_cnt_type 0.
	high := []byte{0x67, 0x64, 0x00, 0x0a, 0xac, 0xd9, 0x46, 0x9e, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0x50, 0x3c, 0x48, 0x96, 0x58}
	for want, sps := range map[bool][]byte{true: h264SPSUnit, false: high} {
		h, err := NewH264Stored(avcRecord(4, [][]byte{sps}, [][]byte{h264PPSUnit}))
		if err != nil || h.InOrder() != want {
			t.Errorf("%x: %v, %v, want %v", sps, h.InOrder(), err, want)
		}
	}
	// first_mb_in_slice 0, slice_type 1 (010) or 6 (00111).
	for _, b := range [][]byte{join([]byte{0x01, 0b1_010_1000}), join(seiUnit, []byte{0x01, 0b1_00111_10})} {
		if !H264Backward(b) {
			t.Errorf("%x is no picture of B slices", b)
		}
	}
	for _, other := range [][]byte{nil, join(slice(1)), join(h264SPSUnit, h264PPSUnit, idrUnit), join([]byte{0x41}), {0, 0, 0, 9, 1}} {
		if H264Backward(other) {
			t.Errorf("%x is a picture of B slices", other)
		}
	}
}

func FuzzH264Stored(f *testing.F) {
	f.Add([]byte(nil), annexB(h264SPSUnit, h264PPSUnit, idrUnit))
	f.Add(avcRecord(4, [][]byte{h264SPSUnit}, [][]byte{h264PPSUnit}), stored(4, idrUnit))
	f.Fuzz(func(t *testing.T, private, data []byte) {
		h, err := NewH264Stored(private)
		if err != nil {
			return
		}
		for range 2 {
			frame, ok := h.Frame(data)
			if ok && H264Keyframe(frame) {
				H264Private(frame)
			}
			if len(frame) > 3*len(data)+2*maxSets*(MaxPayload+nalLength) {
				t.Fatalf("%d bytes became %d", len(data), len(frame))
			}
			H264Backward(frame)
			h.InOrder()
		}
	})
}
