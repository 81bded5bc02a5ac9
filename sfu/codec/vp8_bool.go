package codec

// vp8Coder writes booleans of known odds: the encoder of RFC 6386 section 7.3.
type vp8Coder struct {
	out    []byte
	bottom uint32 // of the interval, as far as it is not out
	spread uint32 // the length of the interval, at most 255
	needed int    // bits of bottom until the next byte is out
}

func newVP8Coder() *vp8Coder { return &vp8Coder{spread: 255, needed: 24} }

// putBit writes a boolean, which is false with these odds of 256.
func (w *vp8Coder) putBit(v bool, odds byte) {
	split := 1 + (w.spread-1)*uint32(odds)>>8
	if v {
		w.bottom += split
		w.spread -= split
	} else {
		w.spread = split
	}
	for ; w.spread < 128; w.spread <<= 1 {
		if w.bottom>>31 == 1 {
			w.carry()
		}
		w.bottom <<= 1
		if w.needed--; w.needed == 0 {
			w.out = append(w.out, byte(w.bottom>>24))
			w.bottom &= 1<<24 - 1
			w.needed = 8
		}
	}
}

// carry adds one to what is out.
func (w *vp8Coder) carry() {
	i := len(w.out) - 1
	for ; w.out[i] == 0xff; i-- {
		w.out[i] = 0
	}
	w.out[i]++
}

// flag writes a boolean of even odds.
func (w *vp8Coder) flag(v bool) { w.putBit(v, 128) }

// bits writes the lowest n bits of v, at even odds: L(n) of the specification.
func (w *vp8Coder) bits(v uint32, n int) {
	for n--; n >= 0; n-- {
		w.flag(v>>n&1 == 1)
	}
}

// end returns what was written.
func (w *vp8Coder) end() []byte {
	w.bits(0, 32) // which brings out what is in bottom
	return w.out
}

// vp8Flags reads the first booleans of a frame, as far as they are of even odds.
type vp8Flags struct {
	data   []byte
	value  uint32 // 16 bits, of which the upper 8 count
	spread uint32
	taken  int // bits of data that value has got
}

func newVP8Flags(data []byte) *vp8Flags {
	r := &vp8Flags{data: data, spread: 255}
	for range 16 {
		r.nextBit()
	}
	return r
}

// nextBit moves value by one bit. Behind the end there are zeros.
func (r *vp8Flags) nextBit() {
	r.value <<= 1
	if at := r.taken >> 3; at < len(r.data) {
		r.value |= uint32(r.data[at]>>(7-r.taken&7)) & 1
	}
	r.taken++
}

func (r *vp8Flags) flag() bool {
	split := 1 + (r.spread-1)>>1
	v := r.value >= split<<8
	if v {
		r.spread -= split
		r.value -= split << 8
	} else {
		r.spread = split
	}
	for ; r.spread < 128; r.spread <<= 1 {
		r.nextBit()
	}
	return v
}
