package codec

import mathbits "math/bits"

// bits reads a bit string from its most significant bit on. Behind the end it
// reads zeros, and over becomes true: so a parser need not check each step.
type bits struct {
	data []byte
	at   int // bits read
	over bool
}

// bit reads one bit.
func (b *bits) bit() uint32 {
	if b.at>>3 >= len(b.data) {
		b.over = true
		return 0
	}
	v := b.data[b.at>>3] >> (7 - b.at&7) & 1
	b.at++
	return uint32(v)
}

// flag reads one bit as a boolean.
func (b *bits) flag() bool { return b.bit() == 1 }

// read reads n bits, at most 32, the most significant first: f(n) and u(n) of the
// specifications.
func (b *bits) read(n int) uint32 {
	var v uint32
	for range n {
		v = v<<1 | b.bit()
	}
	return v
}

// skip passes over n bits.
func (b *bits) skip(n int) {
	if b.at+n > 8*len(b.data) {
		b.over = true
		n = 8*len(b.data) - b.at
	}
	b.at += n
}

// zeros counts the zeros up to the next one, which it reads too. More than most
// are too many for any number.
func (b *bits) zeros(most int) int {
	n := 0
	for !b.flag() {
		if n++; n > most || b.over {
			b.over = true
			return 0
		}
	}
	return n
}

// golomb reads ue(v), an Exp-Golomb code (ISO/IEC 14496-10 section 9.1).
func (b *bits) golomb() uint32 {
	n := b.zeros(31)
	return 1<<n - 1 + b.read(n)
}

// signedGolomb reads se(v) (ISO/IEC 14496-10 section 9.1.1).
func (b *bits) signedGolomb() int32 {
	v := b.golomb()
	if v&1 == 1 {
		return int32(v/2 + 1)
	}
	return -int32(v / 2)
}

// leb128 reads a little-endian base 128 number of at most 8 bytes and 32 bits
// (AV1 section 4.10.5). It returns the number of bytes that it takes, 0 if b
// holds no such number.
func leb128(b []byte) (v, size int) {
	for i := range min(len(b), 8) {
		if i >= 5 && b[i]&0x7f != 0 || i == 4 && b[i]&0x70 != 0 {
			return 0, 0
		}
		v |= int(b[i]&0x7f) << (7 * i)
		if b[i]&0x80 == 0 {
			return v, i + 1
		}
	}
	return 0, 0
}

// appendLEB128 appends v in as few bytes as it takes.
func appendLEB128(b []byte, v int) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// bitWriter is the other way round.
type bitWriter struct {
	data []byte
	used int // bits
}

// bits writes the lowest n bits of v, the most significant first.
func (w *bitWriter) bits(v uint32, n int) {
	for n--; n >= 0; n-- {
		if w.used&7 == 0 {
			w.data = append(w.data, 0)
		}
		w.data[len(w.data)-1] |= byte(v>>n&1) << (7 - w.used&7)
		w.used++
	}
}

// golomb writes ue(v), of less than 31 bits. Of zero, se(v) is the same.
func (w *bitWriter) golomb(v uint32) {
	n := mathbits.Len32(v + 1)
	w.bits(v+1, 2*n-1)
}

// escaped returns what was written as a NAL unit (ISO/IEC 14496-10 section 7.4.1).
func (w *bitWriter) escaped() []byte {
	out, zeros := make([]byte, 0, len(w.data)+2), 0
	for _, v := range w.data {
		if zeros == 2 && v <= 3 {
			out, zeros = append(out, 3), 0
		}
		if out = append(out, v); v == 0 {
			zeros++
		} else {
			zeros = 0
		}
	}
	return out
}
