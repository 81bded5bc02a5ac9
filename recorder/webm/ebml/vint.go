package ebml

import (
	"math/bits"
)

const (
	maxIDBytes   = 4 // EBMLMaxIDLength of Matroska (RFC 9559 section 4)
	MaxSizeBytes = 8 // EBMLMaxSizeLength
	MaxHead      = maxIDBytes + MaxSizeBytes
)

// VintBytes returns the length of the variable-size integer that begins with b:
// 1 to 8, or 9 if b is zero, which begins none here (RFC 8794 section 4).
func VintBytes(b byte) int { return bits.LeadingZeros8(b) + 1 }

// HeadNeeds returns how many bytes more are certainly part of an element's head
// that begins with h; 0 when it is whole. It returns false if h begins none.
func HeadNeeds(h []byte) (int, bool) {
	if len(h) == 0 {
		return 1, true
	}
	id := VintBytes(h[0])
	if id > maxIDBytes {
		return 0, false
	}
	if len(h) <= id {
		return id + 1 - len(h), true
	}
	size := VintBytes(h[id])
	if size > MaxSizeBytes {
		return 0, false
	}
	return id + size - len(h), true
}

// Head is an element's ID and size.
type Head struct {
	ID      ElementID
	Bytes   int   // of the head itself
	Size    int64 // of the data; up to 2^56-2
	Unknown bool  // the size
}

// ParseHead parses a head that HeadNeeds has found whole. It returns false if the ID is
// none: IDs have the fewest bytes, and their bits are neither all zero nor all one (RFC
// 8794 section 5).
func ParseHead(h []byte) (Head, bool) {
	n := VintBytes(h[0])
	id, _ := Uint(h[:n])
	value, ones := id&(1<<(7*n)-1), uint64(1)<<(7*n)-1
	shortest := n == 1 || value >= 1<<(7*(n-1))-1
	size, bytes, unknown, ok := ParseVint(h[n:])
	return Head{ElementID(id), n + bytes, int64(size), unknown},
		ok && shortest && value != 0 && value != ones
}

// ParseVint parses the variable-size integer at the start of b. n is its length in
// bytes; ones reports whether all bits of its value are one, which as a size means
// unknown (RFC 8794 section 6.2). It returns false if b holds no whole one.
func ParseVint(b []byte) (v uint64, n int, ones, ok bool) {
	if len(b) == 0 {
		return 0, 0, false, false
	}
	n = VintBytes(b[0])
	if n > MaxSizeBytes || n > len(b) {
		return 0, 0, false, false
	}
	mask := uint64(1)<<(7*n) - 1
	v, _ = Uint(b[:n])
	v &= mask
	return v, n, v == mask, true
}

// Uint returns the unsigned integer that b is (RFC 8794 section 7.2). It
// returns false if b has more than 8 bytes.
func Uint(b []byte) (uint64, bool) {
	if len(b) > 8 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, true
}
