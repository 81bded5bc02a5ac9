package ebml_test

import (
	"bytes"
	"testing"

	ebmlgo "github.com/at-wat/ebml-go"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/webmtest"
)

func TestSizesHaveTheFewestBytes(t *testing.T) {
	for _, tc := range []struct {
		n     uint64
		width int
	}{
		{0, 1}, {126, 1}, {127, 2}, {1<<14 - 2, 2}, {1<<14 - 1, 3}, {1<<21 - 2, 3}, {1<<21 - 1, 4},
		{1<<28 - 2, 4}, {1<<28 - 1, 5}, {1<<35 - 1, 6}, {1<<42 - 1, 7}, {1<<49 - 2, 7}, {1<<49 - 1, 8}, {ebml.MaxSize, 8},
	} {
		b := ebml.AppendSize(nil, tc.n)
		v, n, unknown, err := webmtest.Vint(b, false)
		if len(b) != tc.width || n != tc.width || v != tc.n || unknown || err != nil {
			t.Errorf("size %d: % x reads as %d in %d bytes, unknown %v, %v", tc.n, b, v, n, unknown, err)
		}
	}
	if _, _, unknown, _ := webmtest.Vint([]byte(ebml.UnknownSize), false); !unknown {
		t.Error("unknownSize is a size")
	}
}

func TestVoidHasItsLength(t *testing.T) {
	for _, n := range []int{2, 3, 22, 127, 128, 129, 130, 136, 137, 16383} {
		b := ebml.AppendVoid(nil, n)
		es, err := webmtest.Scan(b, 0, len(b))
		if err != nil || len(b) != n || len(es) != 1 || es[0].ID != uint32(ebml.VoidID) {
			t.Errorf("void of %d: %d bytes, %v, %v", n, len(b), es, err)
		}
	}
}

// TestBlockIsLikeOracle holds the hand-written block encoding against ebml-go's.
func TestBlockIsLikeOracle(t *testing.T) {
	for _, n := range []int{1, 122, 123, 124, 5000, 16378, 16379, 16380, 1 << 21, 3 << 20} {
		for _, key := range []bool{false, true} {
			data := webmtest.VP8(n, key, max(n, 8))[:n]
			var want bytes.Buffer
			err := ebmlgo.Marshal(&struct {
				SimpleBlock ebmlgo.Block `ebml:"SimpleBlock"`
			}{ebmlgo.Block{TrackNumber: 126, Timecode: ebml.MaxOffset, Keyframe: key, Data: [][]byte{data}}}, &want)
			if err != nil {
				t.Fatal(err)
			}
			if b := ebml.AppendBlock(nil, 126, ebml.MaxOffset, ebml.KeyFlag(key), data); !bytes.Equal(b, want.Bytes()) {
				t.Errorf("%d bytes: % x..., ebml-go has % x...", n, b[:10], want.Bytes()[:10])
			}
		}
	}
}
