package codec

import (
	"bytes"
	"testing"
)

func TestVP8Descriptor(t *testing.T) {
	tests := []struct {
		name    string
		payload []byte
		want    VP8Descriptor
		size    int
		ok      bool
	}{
		{"empty", nil, VP8Descriptor{}, 0, false},
		{"shortest", []byte{0x00}, VP8Descriptor{}, 1, true},
		{"start", []byte{0x10, 1}, VP8Descriptor{StartOfPart: true}, 1, true},
		{"not discardable partition 7", []byte{0x07}, VP8Descriptor{Partition: 7}, 1, true},
		{"reserved bits mean nothing", []byte{0x48}, VP8Descriptor{}, 1, true},
		{"discardable", []byte{0x20}, VP8Descriptor{Discardable: true}, 1, true},
		{"X without extension byte", []byte{0x80}, VP8Descriptor{}, 0, false},
		{"X without flags", []byte{0x90, 0x0f, 1}, VP8Descriptor{StartOfPart: true}, 2, true},
		{"I without id", []byte{0x90, 0x80}, VP8Descriptor{}, 0, false},
		{"7 bit id", []byte{0x90, 0x80, 0x7f}, VP8Descriptor{StartOfPart: true, HasPictureID: true, PictureID: 127}, 3, true},
		{"15 bit id cut", []byte{0x90, 0x80, 0x80}, VP8Descriptor{}, 0, false},
		{"15 bit id", []byte{0x90, 0x80, 0xff, 0xfe},
			VP8Descriptor{StartOfPart: true, HasPictureID: true, LongID: true, PictureID: 0x7ffe}, 4, true},
		{"15 bit id below 128", []byte{0x80, 0x80, 0x80, 0x05},
			VP8Descriptor{HasPictureID: true, LongID: true, PictureID: 5}, 4, true},
		{"L cut", []byte{0x90, 0x40}, VP8Descriptor{}, 0, false},
		{"L", []byte{0x90, 0x40, 0xff}, VP8Descriptor{StartOfPart: true, HasTL0PicIdx: true, TL0PicIdx: 255}, 3, true},
		{"T cut", []byte{0x90, 0x20}, VP8Descriptor{}, 0, false},
		{"T: KEYIDX means nothing", []byte{0x90, 0x20, 0xff},
			VP8Descriptor{StartOfPart: true, HasTID: true, TID: 3, LayerSync: true}, 3, true},
		{"K: TID and Y mean nothing", []byte{0x90, 0x10, 0xff},
			VP8Descriptor{StartOfPart: true, HasKeyIdx: true, KeyIdx: 31}, 3, true},
		{"K cut", []byte{0x90, 0x10}, VP8Descriptor{}, 0, false},
		{"all", []byte{0xb3, 0xf0, 0x92, 0x34, 0x56, 0x65, 0xaa}, VP8Descriptor{
			Discardable: true, StartOfPart: true, Partition: 3,
			HasPictureID: true, LongID: true, PictureID: 0x1234, HasTL0PicIdx: true, TL0PicIdx: 0x56,
			HasTID: true, TID: 1, LayerSync: true, HasKeyIdx: true, KeyIdx: 5}, 6, true},
		{"all cut before T/K", []byte{0xb3, 0xf0, 0x92, 0x34, 0x56}, VP8Descriptor{}, 0, false},
	}
	for _, tt := range tests {
		d, size, ok := ParseVP8Descriptor(tt.payload)
		if d != tt.want || size != tt.size || ok != tt.ok {
			t.Errorf("%s: %+v, %d, %v; want %+v, %d, %v", tt.name, d, size, ok, tt.want, tt.size, tt.ok)
		}
	}
}

func TestVP8IDsAhead(t *testing.T) {
	short := func(id uint16) VP8Descriptor { return VP8Descriptor{HasPictureID: true, PictureID: id} }
	long := func(id uint16) VP8Descriptor {
		return VP8Descriptor{HasPictureID: true, LongID: true, PictureID: id}
	}
	tests := []struct {
		d, earlier VP8Descriptor
		n          uint16
		ok         bool
	}{
		{long(6), long(5), 1, true},
		{long(5), long(5), 0, true},
		{long(0), long(32767), 1, true},
		{long(4), long(5), 32767, true},
		{short(0), short(127), 1, true},
		{short(126), short(127), 127, true},
		{long(128), short(127), 0, false},
		{VP8Descriptor{}, short(127), 0, false},
		{short(1), VP8Descriptor{}, 0, false},
	}
	for _, tt := range tests {
		if n, ok := tt.d.idsAhead(&tt.earlier); n != tt.n || ok != tt.ok {
			t.Errorf("%+v ahead of %+v: %d, %v; want %d, %v", tt.d, tt.earlier, n, ok, tt.n, tt.ok)
		}
	}
}

var keyHeader = []byte{0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x01}

func TestVP8Header(t *testing.T) {
	with := func(at int, b ...byte) []byte {
		f := bytes.Clone(keyHeader)
		copy(f[at:], b)
		return f
	}
	tests := []struct {
		name          string
		frame         []byte
		key           bool
		width, height int
		sized         bool
	}{
		{"empty", nil, false, 0, 0, false},
		{"640x360", keyHeader, true, 640, 360, true},
		{"with more", append(bytes.Clone(keyHeader), 1, 2, 3), true, 640, 360, true},
		{"scaling bits", with(6, 0x80, 0xc2, 0x68, 0x41), true, 640, 360, true},
		{"largest", with(6, 0xff, 0x3f, 0xff, 0x3f), true, 16383, 16383, true},
		{"no width", with(6, 0, 0xc0), true, 0, 0, false},
		{"no height", with(8, 0, 0), true, 0, 0, false},
		{"inter frame", with(0, 0x11), false, 0, 0, false},
		{"start code 1", with(3, 0x9c), false, 0, 0, false},
		{"start code 2", with(4, 0x02), false, 0, 0, false},
		{"start code 3", with(5, 0x2b), false, 0, 0, false},
		{"cut", keyHeader[:9], false, 0, 0, false},
	}
	for _, tt := range tests {
		if key := VP8Keyframe(tt.frame); key != tt.key {
			t.Errorf("%s: VP8Keyframe = %v", tt.name, key)
		}
		w, h, ok := VP8Size(tt.frame)
		if w != tt.width || h != tt.height || ok != tt.sized {
			t.Errorf("%s: VP8Size = %d, %d, %v", tt.name, w, h, ok)
		}
	}
}

func TestInspectVP8(t *testing.T) {
	join := func(descriptor []byte, media ...byte) []byte { return append(bytes.Clone(descriptor), media...) }
	id := VP8Descriptor{StartOfPart: true, HasPictureID: true, LongID: true, PictureID: 9}.encode()
	tests := []struct {
		name    string
		payload []byte
		want    Position
	}{
		{"empty", nil, Position{}},
		{"malformed", []byte{0x90}, Position{}},
		{"no media", id, Position{}},
		{"keyframe", join(id, keyHeader...), Position{Start: true, Sync: true, Width: 640, Height: 360}},
		{"keyframe, short descriptor", join([]byte{0x10}, keyHeader...), Position{Start: true, Sync: true, Width: 640, Height: 360}},
		{"inter frame", join(id, 0x11, 2, 3), Position{Start: true}},
		{"no start code", join(id, 0x10, 0, 0, 1, 2, 3, 4, 5, 6, 7), Position{Start: true}},
		{"too short to tell", join(id, 0x10), Position{Start: true}},
		{"second packet", join([]byte{0x00}, keyHeader...), Position{}},
		{"second partition", join([]byte{0x11}, keyHeader...), Position{}},
	}
	for _, tt := range tests {
		if got := inspectVP8(tt.payload); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}
