package webmtest

import (
	"bytes"

	"weir/recorder/webm/ebml"
)

// Laced returns the data of a block that holds frames in a kind of lacing.
func Laced(kind byte, frames ...[]byte) []byte {
	b := BlockData(LiveAudio, 0, kind, byte(len(frames)-1))
	prev := 0
	for i, f := range frames[:len(frames)-1] {
		switch {
		case kind == ebml.LacingXiph:
			n := len(f)
			for ; n >= 255; n -= 255 {
				b = append(b, 255)
			}
			b = append(b, byte(n))
		case kind == ebml.LacingEBML && i == 0:
			b = ebml.AppendSize(b, uint64(len(f)))
		case kind == ebml.LacingEBML:
			b = ebml.AppendWideSize(b, uint64(len(f)-prev+1<<13-1), 2) // two bytes: biased by 2^13-1
		}
		prev = len(f)
	}
	return append(b, bytes.Join(frames, nil)...)
}

// sizedFrames returns frames of the given sizes, in which each begins like an Opus
// packet of 20 ms.
func sizedFrames(sizes ...int) [][]byte {
	var out [][]byte
	for i, n := range sizes {
		out = append(out, Opus(i, max(n, 8))[:n])
	}
	return out
}

var Lacings = []struct {
	Name   string
	Kind   byte
	Frames [][]byte
}{
	{"Xiph", ebml.LacingXiph, sizedFrames(1, 254, 255, 256, 510, 511, 1000, 3)},
	{"EBML", ebml.LacingEBML, sizedFrames(800, 500, 1000, 1, 1, 900, 20)},
	{"fixed", ebml.LacingFixed, sizedFrames(40, 40, 40, 40, 40)},
	{"Xiph of one", ebml.LacingXiph, sizedFrames(300)},
	{"EBML of one", ebml.LacingEBML, sizedFrames(300)},
	{"fixed of one", ebml.LacingFixed, sizedFrames(300)},
	{"Xiph of 256", ebml.LacingXiph, sizedFrames(bytesOf(3, 256)...)},
	{"EBML of 256", ebml.LacingEBML, sizedFrames(bytesOf(3, 256)...)},
	{"fixed of 256", ebml.LacingFixed, sizedFrames(bytesOf(3, 256)...)},
}

func bytesOf(v, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}
