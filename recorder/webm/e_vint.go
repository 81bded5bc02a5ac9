package webm

import "math/bits"

const (
	maxIDBytes   = 4 // EBMLMaxIDLength of Matroska (RFC 9559 section 4)
	maxSizeBytes = 8 // EBMLMaxSizeLength
	maxHead      = maxIDBytes + maxSizeBytes
)

// vintBytes returns the length of the variable-size integer that begins with b:
// 1 to 8, or 9 if b is zero, which begins none here (RFC 8794 section 4).
func vintBytes(b byte) int { return bits.LeadingZeros8(b) + 1 }

// headNeeds returns how many bytes more are certainly part of an element's head
// that begins with h; 0 when it is whole. It returns false if h begins none.
func headNeeds(h []byte) (int, bool) {
	if len(h) == 0 {
		return 1, true
	}
	id := vintBytes(h[0])
	if id > maxIDBytes {
		return 0, false
	}
	if len(h) <= id {
		return id + 1 - len(h), true
	}
	size := vintBytes(h[id])
	if size > maxSizeBytes {
		return 0, false
	}
	return id + size - len(h), true
}

// elementHead is an element's ID and size.
type elementHead struct {
	id      ElementID
	bytes   int   // of the head itself
	size    int64 // of the data; up to 2^56-2
	unknown bool  // the size
}

// parseHead parses a head of which headNeeds says that it is whole. It returns
// false if the ID is none: IDs have the fewest bytes, and their bits are neither
// all zero nor all one (RFC 8794 section 5).
func parseHead(h []byte) (elementHead, bool) {
	n := vintBytes(h[0])
	id, _ := bigEndian(h[:n])
	value, ones := id&(1<<(7*n)-1), uint64(1)<<(7*n)-1
	shortest := n == 1 || value >= 1<<(7*(n-1))-1
	size, bytes, unknown, ok := parseVint(h[n:])
	return elementHead{ElementID(id), n + bytes, int64(size), unknown},
		ok && shortest && value != 0 && value != ones
}

// parseVint parses the variable-size integer at the start of b. n is its length
// in bytes; ones says that all bits of its value are one, which as a size means
// unknown (RFC 8794 section 6.2). It returns false if b holds no whole one.
func parseVint(b []byte) (v uint64, n int, ones, ok bool) {
	if len(b) == 0 {
		return 0, 0, false, false
	}
	n = vintBytes(b[0])
	if n > maxSizeBytes || n > len(b) {
		return 0, 0, false, false
	}
	mask := uint64(1)<<(7*n) - 1
	v, _ = bigEndian(b[:n])
	v &= mask
	return v, n, v == mask, true
}

// bigEndian returns the unsigned integer that b is (RFC 8794 section 7.2). It
// returns false if b has more than 8 bytes.
func bigEndian(b []byte) (uint64, bool) {
	if len(b) > 8 {
		return 0, false
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, true
}
