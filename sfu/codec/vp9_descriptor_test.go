package codec

import (
	"bytes"
	"slices"
	"testing"
)

// encode writes the descriptor that d describes; the tests' own counterpart to
// ParseVP9Descriptor.
func (d VP9Descriptor) encode() []byte {
	b := []byte{0}
	set := func(on bool, bit byte) {
		if on {
			b[0] |= bit
		}
	}
	set(d.HasPictureID, 0x80)
	set(d.Inter, 0x40)
	set(d.HasLayers, 0x20)
	set(d.Flexible, 0x10)
	set(d.Start, 0x08)
	set(d.End, 0x04)
	if d.HasPictureID && d.LongID {
		b = append(b, 0x80|byte(d.PictureID>>8), byte(d.PictureID))
	} else if d.HasPictureID {
		b = append(b, byte(d.PictureID))
	}
	if d.HasLayers {
		layers := d.TID<<5 | d.SID<<1
		if d.SwitchUp {
			layers |= 0x10
		}
		if d.OnBelow {
			layers |= 1
		}
		b = append(b, layers)
		if d.HasTL0PicIdx {
			b = append(b, d.TL0PicIdx)
		}
	}
	if d.Inter && d.Flexible {
		var refs []byte
		for n := range uint8(vp9MaxDiff + 1) {
			if d.refs.has(n) {
				refs = append(refs, n<<1|1)
			}
		}
		if len(refs) == 0 {
			refs = []byte{1}
		}
		refs[len(refs)-1] &^= 1
		b = append(b, refs...)
	}
	return b
}

func refsTo(diffs ...uint8) (r vp9Refs) {
	for _, n := range diffs {
		r.add(n)
	}
	return r
}

func TestVP9Descriptor(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    VP9Descriptor
		size    int // 0: malformed
	}{
		{"flags only", []byte{0x0c, 9}, VP9Descriptor{Start: true, End: true}, 1},
		{"short id", []byte{0xc8, 0x7f, 9}, VP9Descriptor{Inter: true, Start: true, HasPictureID: true, PictureID: 127}, 2},
		{"long id", []byte{0x80, 0xff, 0xfe}, VP9Descriptor{HasPictureID: true, LongID: true, PictureID: 0x7ffe}, 3},
		{"layers", []byte{0xa8, 1, 0x35, 77, 9}, VP9Descriptor{Start: true, HasPictureID: true, PictureID: 1, OnBelow: true,
			HasLayers: true, TID: 1, SwitchUp: true, SID: 2, HasTL0PicIdx: true, TL0PicIdx: 77}, 4},
		{"flexible, layers", []byte{0xb0, 1, 0xe0, 9}, VP9Descriptor{Flexible: true, HasPictureID: true, PictureID: 1,
			HasLayers: true, TID: 7}, 3},
		{"references", []byte{0xd0, 1, 0x03, 0x05, 0xfe, 9}, VP9Descriptor{Inter: true, Flexible: true, HasPictureID: true, PictureID: 1,
			refs: refsTo(1, 2, 127)}, 5},
		{"four references", []byte{0xd0, 1, 0x03, 0x05, 0x07, 0x08}, VP9Descriptor{}, 0},
		{"structure, empty", []byte{0x0a, 0x00, 9}, VP9Descriptor{Start: true}, 2},
		{"structure, sizes of two layers", []byte{0x0a, 0x30, 0, 1, 0, 2, 0, 3, 0, 4, 9}, VP9Descriptor{Start: true}, 10},
		{"structure, group of two, and a frame", []byte{0x0a, 0x08, 2, 0x08, 1, 2, 0x00, 9}, VP9Descriptor{Start: true}, 7},
		{"structure, group of two", []byte{0x0a, 0x08, 2, 0x08, 1, 2, 0x00}, VP9Descriptor{Start: true}, 7},
		{"empty", nil, VP9Descriptor{}, 0},
		{"cut off in the id", []byte{0x80}, VP9Descriptor{}, 0},
		{"cut off in the long id", []byte{0x80, 0x80}, VP9Descriptor{}, 0},
		{"cut off in the layers", []byte{0x20}, VP9Descriptor{}, 0},
		{"cut off before TL0PICIDX", []byte{0x20, 0}, VP9Descriptor{}, 0},
		{"cut off in the references", []byte{0x50, 0x03}, VP9Descriptor{}, 0},
		{"cut off in the sizes", []byte{0x02, 0x10, 0, 1, 0}, VP9Descriptor{}, 0},
		{"cut off in the group", []byte{0x02, 0x08, 1, 0x0c, 1}, VP9Descriptor{}, 0},
	}
	for _, tt := range tests {
		d, size, ok := ParseVP9Descriptor(tt.payload)
		if d != tt.want || size != tt.size || ok != (tt.size > 0) {
			t.Errorf("%s: %+v, %d, %v; want %+v, %d", tt.name, d, size, ok, tt.want, tt.size)
		}
	}
}

func TestVP9Superframe(t *testing.T) {
	for count := 1; count <= vp9MaxLayers; count++ {
		var frame []byte
		var want [][]byte
		var sizes []int
		for i := range count {
			layer := bytes.Repeat([]byte{byte(i)}, 1+i*300)
			frame, want, sizes = append(frame, layer...), append(want, layer), append(sizes, len(layer))
		}
		frame = appendVP9Index(frame, sizes)
		if got := slices.Collect(vp9Layers(frame)); !slices.EqualFunc(got, want, bytes.Equal) {
			t.Errorf("%d layers: % x", count, got)
		}
	}
	for _, frame := range [][]byte{nil, {1}, {0xc0}, {0xc0, 0, 0}, {0xc1, 9, 9, 0xc0}} {
		if got := slices.Collect(vp9Layers(frame)); len(got) != 1 || !bytes.Equal(got[0], frame) {
			t.Errorf("% x is taken apart: % x", frame, got)
		}
	}
	if got := slices.Collect(vp9Layers([]byte{0xc0, 9, 0xc0})); len(got) != 0 {
		t.Errorf("a layer longer than the superframe: % x", got)
	}
}

func TestVP9Header(t *testing.T) {
	tests := []struct {
		name  string
		frame []byte
		want  vp9Header
		ok    bool
	}{
		{"keyframe", vp9KeyHeader, vp9Header{key: true, shown: true, refreshes: 0xff, bitDepth: 8, subX: true, subY: true, width: 640, height: 360}, true},
		{"inter frame", vp9InterHeader, vp9Header{inter: true, shown: true, refreshes: 1}, true},
		{"show_existing_frame", []byte{0x8d}, vp9Header{inter: true, shown: true, existing: true, slot: 5}, true},
		{"profile 1, 4:4:4", []byte{0xa2, 0x49, 0x83, 0x42, 0x00, 0x04, 0xfe, 0x02, 0xce, 0x00},
			vp9Header{key: true, shown: true, refreshes: 0xff, profile: 1, bitDepth: 8, width: 640, height: 360}, true},
		{"no frame marker", []byte{0x42, 0x49, 0x83, 0x42, 0, 0, 0, 0, 0}, vp9Header{}, false},
		{"no sync code", []byte{0x82, 0x49, 0x83, 0x43, 0, 0, 0, 0, 0}, vp9Header{key: true, shown: true, refreshes: 0xff}, false},
		{"cut off", vp9KeyHeader[:6], vp9Header{key: true, shown: true, refreshes: 0xff, bitDepth: 8, subX: true, subY: true}, false},
		{"empty", nil, vp9Header{}, false},
	}
	for _, tt := range tests {
		if got, ok := parseVP9Header(tt.frame); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v; want %+v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
	if private, ok := VP9Private(vp9KeyHeader); !ok || !bytes.Equal(private, []byte{1, 1, 0, 3, 1, 8, 4, 1, 1}) {
		t.Errorf("CodecPrivate % x, %v", private, ok)
	}
}
