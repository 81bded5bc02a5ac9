package codec

import (
	"slices"
	"testing"
)

func TestReadOpusHead(t *testing.T) {
	head := func(channels, family byte, table ...byte) []byte {
		return slices.Concat([]byte("OpusHead"), []byte{1, channels, 0x38, 1, 0x80, 0xbb, 0, 0, 0, 0, family}, table)
	}
	for _, tt := range []struct {
		name string
		b    []byte
		want OpusHead
		ok   bool
	}{
		{"mono", head(1, 0), OpusHead{1, 0, true}, true},
		{"stereo", head(2, 0), OpusHead{2, 0, true}, true},
		{"family 0 has no more", head(6, 0), OpusHead{6, 0, false}, true},
		{"none", head(0, 0), OpusHead{0, 0, false}, true},
		{"5.1", head(6, 1, 4, 2, 0, 4, 1, 2, 3, 5), OpusHead{6, 1, false}, true},
		{"stereo in family 1", head(2, 1, 1, 1, 0, 1), OpusHead{2, 1, true}, true},
		{"left and right changed", head(2, 1, 1, 1, 1, 0), OpusHead{2, 1, false}, true},
		{"two mono streams", head(2, 255, 2, 0, 0, 1), OpusHead{2, 255, false}, true},
		{"ambisonics", head(4, 2, 4, 0, 0, 1, 2, 3), OpusHead{4, 2, false}, true},
		{"table cut off", head(6, 1, 4, 2, 0), OpusHead{6, 1, false}, false},
		{"empty", nil, OpusHead{}, false},
		{"something else", make([]byte, 40), OpusHead{}, false},
	} {
		if got, ok := ReadOpusHead(tt.b); got != tt.want || ok != tt.ok {
			t.Errorf("%s: %+v, %v, want %+v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}
