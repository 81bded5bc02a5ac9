package codec

import (
	"bytes"
	"testing"

	"weir/sfu/media"
)

// av1Frames are frame OBUs without size: of a keyframe and of another one.
var (
	av1KeyOBU    = []byte{obuFrame << 3, 0x10, 1, 2, 3}
	av1InterOBU  = []byte{obuFrame << 3, 0x30, 4, 5, 6}
	av1Sequence0 = append([]byte{0x08}, av1SequenceOBU[2:]...) // without size
)

// sized returns OBUs as frames hold them.
func sized(obus ...[]byte) (b []byte) {
	for _, o := range obus {
		unit, _, _ := parseOBU(o)
		b = unit.append(b)
	}
	return b
}

// aggregated returns a payload: the flags, and elements that all have a length.
func aggregated(flags byte, elements ...[]byte) []byte {
	b := []byte{flags}
	for _, e := range elements {
		b = append(appendLEB128(b, len(e)), e...)
	}
	return b
}

func TestAV1Inspect(t *testing.T) {
	whole := Position{Start: true, Sync: true, Width: 640, Height: 360}
	tests := []struct {
		name    string
		payload []byte
		want    Position
	}{
		{"keyframe, lengths", aggregated(av1Begins, av1Sequence0, av1KeyOBU), whole},
		{"keyframe, counted", append(append([]byte{av1Begins | 0x20, byte(len(av1Sequence0))}, av1Sequence0...), av1KeyOBU...), whole},
		{"keyframe, N forgotten", aggregated(0, av1Sequence0, av1KeyOBU), whole},
		{"keyframe, sizes in the OBUs", aggregated(av1Begins, av1SequenceOBU, sized(av1KeyOBU)), whole},
		{"sequence header alone", aggregated(av1Begins, av1Sequence0), whole},
		{"cut off in the frame", aggregated(av1Begins|av1Unfinished, av1Sequence0, []byte{obuFrame<<3 | obuSized, 0xff, 0x10, 0x10, 1}), whole},
		{"sequence header repeated", aggregated(0, av1Sequence0, av1InterOBU), Position{Start: true}},
		{"N without sequence header", aggregated(av1Begins, av1KeyOBU), Position{Start: true}},
		{"inter frame", aggregated(0, av1InterOBU), Position{Start: true}},
		{"inter frame, counted", append([]byte{0x10}, av1InterOBU...), Position{Start: true}},
		{"goes on", aggregated(av1Continued, av1KeyOBU), Position{}},
		{"metadata", aggregated(0, []byte{5 << 3, 1}), Position{}},
		{"goes on and begins", aggregated(av1Continued|av1Begins, av1Sequence0), Position{}},
		{"nothing", []byte{av1Begins}, Position{}},
		{"empty", nil, Position{}},
		{"wrong length", []byte{av1Begins, 9, 0x08, 1}, Position{}},
		{"endless length", []byte{av1Begins, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, Position{}},
	}
	for _, tt := range tests {
		if got := inspectAV1(tt.payload); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

func TestAV1Depacketize(t *testing.T) {
	key := sized(av1Sequence0, av1KeyOBU)
	first := step264{0, 0, true, aggregated(av1Begins, av1Sequence0, av1KeyOBU), key, true, false}
	inter := sized(av1InterOBU)
	tests := []struct {
		name   string
		steps  []step264
		closed bool
	}{
		{"whole frames", []step264{first, {0, 1, true, aggregated(0, av1InterOBU), inter, false, false}}, false},
		{"counted", []step264{first, {0, 1, true, append([]byte{0x10}, av1InterOBU...), inter, false, false}}, false},
		{"delimiter, tile list and sizes", []step264{{0, 0, true, aggregated(av1Begins, []byte{0x12, 0}, av1SequenceOBU, []byte{obuTileList << 3, 1},
			sized(av1KeyOBU)), key, true, false}}, false},
		{"parts", []step264{first, {0, 1, false, aggregated(av1Unfinished, av1InterOBU[:2]), nil, false, false},
			{0, 1, false, aggregated(av1Continued|av1Unfinished, av1InterOBU[2:3]), nil, false, false},
			{0, 1, true, aggregated(av1Continued, av1InterOBU[3:], []byte{5 << 3, 7}), append(bytes.Clone(inter), 5<<3|2, 1, 7), false, false}}, false},
		{"part and beginning in a packet", []step264{first, {0, 1, false, aggregated(av1Unfinished, []byte{5 << 3, 7}, av1InterOBU[:2]), nil, false, false},
			{0, 1, true, aggregated(av1Continued, av1InterOBU[2:]), append([]byte{5<<3 | 2, 1, 7}, inter...), false, false}}, false},
		{"no marker", []step264{{0, 0, false, first.payload, nil, false, false}, {0, 1, false, aggregated(0, av1InterOBU), nil, false, false},
			{0, 2, false, aggregated(0, av1InterOBU), key, true, false}, {0, 3, false, aggregated(0, av1InterOBU), inter, false, false}}, false},
		{"cut off between two OBUs", []step264{first, {0, 1, false, aggregated(0, av1InterOBU), nil, false, false},
			{0, 2, true, aggregated(0, av1InterOBU), nil, false, false}}, true},
		{"extension", []step264{first, {0, 1, true, aggregated(0, []byte{obuFrame<<3 | 4, 0x20, 0x30, 1}), []byte{obuFrame<<3 | 6, 0x20, 2, 0x30, 1}, false, false}}, false},
		{"begun within a frame", []step264{{0, 0, true, aggregated(0, av1InterOBU), nil, false, false}}, true},
		{"frame lost", []step264{first, {1, 2, true, aggregated(0, av1InterOBU), nil, false, false},
			{0, 3, true, aggregated(0, av1InterOBU), nil, false, false}, {0, 4, true, first.payload, key, true, true}}, false},
		{"keyframe after a hole", []step264{first, {1, 2, true, first.payload, key, true, true}}, false},
		{"first part lost", []step264{first, {1, 1, true, aggregated(av1Continued, av1InterOBU[2:]), nil, false, false}}, true},
		{"last part missing", []step264{first, {0, 1, true, aggregated(av1Unfinished, av1InterOBU), nil, false, false}}, true},
		{"goes on with nothing", []step264{first, {0, 1, false, aggregated(0, av1InterOBU), nil, false, false},
			{0, 1, true, aggregated(av1Continued, av1InterOBU), nil, false, false}}, true},
		{"does not go on", []step264{first, {0, 1, false, aggregated(av1Unfinished, av1InterOBU), nil, false, false},
			{0, 1, true, aggregated(0, av1InterOBU), nil, false, false}}, true},
		{"wrong size in an OBU", []step264{first, {0, 1, true, aggregated(0, []byte{obuFrame<<3 | 2, 9, 1}), nil, false, false}}, true},
		{"wrong count", []step264{first, {0, 1, true, append([]byte{0x30, 5}, av1InterOBU...), nil, false, false}}, true},
		{"forbidden bit", []step264{first, {0, 1, true, aggregated(0, []byte{0x80 | obuFrame<<3, 1}), nil, false, false}}, true},
	}
	for _, tt := range tests {
		d := newAV1Depacketizer(Config{}).(*av1Depacketizer)
		seq := uint64(1 << 32)
		for i, s := range tt.steps {
			seq += s.lost
			var got sink
			p := &media.Packet{Seq: seq, Time: s.time, PTS: media.AV1.Duration(int64(s.time)), Marker: s.marker, Payload: s.payload}
			d.Depacketize(p, got.emit)
			d.in.flush(func(p *media.Packet, lost uint64) { d.takePacket(p, lost, got.emit) })
			seq++
			var f media.Frame
			if len(got.frames) > 0 {
				f = got.frames[0]
			}
			if !bytes.Equal(f.Data, s.want) || f.Sync != s.sync || f.Gap != s.gap {
				t.Errorf("%s, packet %d: % x, sync %v, gap %v; want % x, %v, %v", tt.name, i, f.Data, f.Sync, f.Gap, s.want, s.sync, s.gap)
			}
		}
		if d.NeedsSync() != tt.closed {
			t.Errorf("%s: NeedsSync %v", tt.name, d.NeedsSync())
		}
	}
}

// TestAV1Layers: OBUs of different layers do not share a packet, and small ones of
// one layer do, however many.
func TestAV1Layers(t *testing.T) {
	small := func(layer byte) []byte { return []byte{5<<3 | obuExtended | obuSized, layer, 2, 7, 7} }
	var unit []byte
	for layer := range byte(3) {
		for range 5 {
			unit = append(unit, small(layer<<3)...)
		}
	}
	var got sink
	d := newAV1Depacketizer(Config{})
	d.Depacketize(&media.Packet{Seq: 6, Payload: aggregated(av1Begins, av1Sequence0, av1KeyOBU), Marker: true}, got.emit)
	count := 0
	newAV1Packetizer(7).Packetize(&media.Frame{PTS: 33 * ms, Data: unit}, func(p media.Packet) {
		count++
		d.Depacketize(&p, got.emit)
	})
	if count != 3 || len(got.frames) != 2 || !bytes.Equal(got.frames[1].Data, unit) {
		t.Errorf("%d packets, %d frames", count, len(got.frames))
	}
}

func TestLEB128(t *testing.T) {
	for _, v := range []int{0, 1, 127, 128, 300, 1<<14 - 1, 1 << 14, 1<<32 - 1} {
		b := appendLEB128(nil, v)
		if got, n := leb128(append(b, 9)); got != v || n != len(b) {
			t.Errorf("%d reads as %d, in %d bytes of %d", v, got, n, len(b))
		}
	}
	for _, b := range [][]byte{nil, {0x80}, {0x80, 0x80, 0x80, 0x80, 0x10}, {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}} {
		if v, n := leb128(b); n != 0 {
			t.Errorf("% x reads as %d", b, v)
		}
	}
	if v, n := leb128([]byte{0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0}); v != 1 || n != 8 {
		t.Errorf("padded number reads as %d, %d bytes", v, n)
	}
}
