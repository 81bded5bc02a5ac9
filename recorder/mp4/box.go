package mp4

import (
	"encoding/binary"
	"slices"
)

// box returns a box (ISO/IEC 14496-12 section 4.2) of that type.
func box(kind string, parts ...[]byte) []byte {
	body := slices.Concat(parts...)
	b := make([]byte, 0, boxHead+len(body))
	b = binary.BigEndian.AppendUint32(b, uint32(boxHead+len(body)))
	b = append(b, kind...)
	return append(b, body...)
}

// boxHead is the length of a box's size and type.
const boxHead = 8

// fullBox returns a box with a version and flags.
func fullBox(kind string, version byte, flags uint32, parts ...[]byte) []byte {
	head := u32(uint32(version)<<24 | flags)
	return box(kind, append([][]byte{head}, parts...)...)
}

func u16(v ...uint16) (b []byte) {
	for _, n := range v {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	return b
}

func u32(v ...uint32) (b []byte) {
	for _, n := range v {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

func zeros(n int) []byte { return make([]byte, n) }
