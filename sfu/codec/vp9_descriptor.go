package codec

// VP9Descriptor is the VP9 payload descriptor, the first bytes of every VP9 RTP
// payload (RFC 9628 section 4.2):
//
//	       0 1 2 3 4 5 6 7
//	      +-+-+-+-+-+-+-+-+
//	      |I|P|L|F|B|E|V|Z|
//	      +-+-+-+-+-+-+-+-+
//	I:    |M| PICTURE ID  |
//	      +-+-+-+-+-+-+-+-+
//	M:    | EXTENDED PID  |
//	      +-+-+-+-+-+-+-+-+
//	L:    | TID |U| SID |D|
//	      +-+-+-+-+-+-+-+-+
//	!F:   |   TL0PICIDX   |
//	      +-+-+-+-+-+-+-+-+
//	P, F: | P_DIFF      |N|   1 to 3 times
//	      +-+-+-+-+-+-+-+-+
//	V:    | SS            |
//	      | ..            |
//	      +-+-+-+-+-+-+-+-+
//
// A picture is all frames of one time, one for each spatial layer.
type VP9Descriptor struct {
	Inter    bool // P: the frame refers to an earlier picture
	Flexible bool // F: the references are told one by one
	Start    bool // B: the payload begins a frame of a layer
	End      bool // E: it ends one

	HasPictureID bool   // I
	LongID       bool   // M: the picture id has 15 bits, else 7
	PictureID    uint16 // +1 for each picture

	HasLayers    bool  // L
	TID          uint8 // temporal layer, 0 to 7
	SwitchUp     bool  // U: see vp9Gate
	SID          uint8 // spatial layer, 0 to 7
	OnBelow      bool  // D: it refers to the layer below, of the same picture
	HasTL0PicIdx bool  // L without F
	TL0PicIdx    uint8 // +1 for each picture of temporal layer 0

	// refs has the bit n set when the picture refers to the one n ids before: the
	// P_DIFF of flexible mode.
	refs vp9Refs
	// untold reports whether the picture refers to others, as its frame tells, but not
	// to which: some senders set F and leave P out.
	untold bool
}

// vp9Refs is a set of numbers up to 127, which are 7 bits of P_DIFF.
type vp9Refs [2]uint64

func (r *vp9Refs) add(n uint8)      { r[n>>6&1] |= 1 << (n & 63) }
func (r *vp9Refs) has(n uint8) bool { return r[n>>6&1]>>(n&63)&1 == 1 }

// ParseVP9Descriptor reads the descriptor of an RTP payload and returns its
// size; the media bytes follow it, if there are any. It returns false when the
// payload ends within the descriptor, or has more references than there may be.
func ParseVP9Descriptor(payload []byte) (d VP9Descriptor, size int, ok bool) {
	if len(payload) == 0 {
		return d, 0, false
	}
	flags := payload[0]
	d.Inter = flags&0x40 != 0
	d.Flexible = flags&0x10 != 0
	d.Start = flags&0x08 != 0
	d.End = flags&0x04 != 0
	b := payload[1:]
	ok = true
	next := func() byte {
		if len(b) == 0 {
			ok = false
			return 0
		}
		v := b[0]
		b = b[1:]
		return v
	}
	if flags&0x80 != 0 {
		d.HasPictureID = true
		id := next()
		d.LongID = id&0x80 != 0
		d.PictureID = uint16(id & 0x7f)
		if d.LongID {
			d.PictureID = d.PictureID<<8 | uint16(next())
		}
	}
	if flags&0x20 != 0 {
		d.HasLayers = true
		layers := next()
		d.TID, d.SwitchUp, d.SID, d.OnBelow = layers>>5, layers&0x10 != 0, layers>>1&7, layers&1 != 0
		if !d.Flexible {
			d.HasTL0PicIdx, d.TL0PicIdx = true, next()
		}
	}
	if d.Inter && d.Flexible {
		for n, more := 0, true; more && ok; n++ {
			if n == 3 {
				return VP9Descriptor{}, 0, false
			}
			ref := next()
			d.refs.add(ref >> 1)
			more = ref&1 != 0
		}
	}
	if flags&0x02 != 0 && ok {
		n := vp9StructureSize(b)
		if n == 0 {
			return VP9Descriptor{}, 0, false
		}
		b = b[n:]
	}
	if !ok {
		return VP9Descriptor{}, 0, false
	}
	return d, len(payload) - len(b), true
}

// vp9StructureSize returns the size of the scalability structure at the start of b (RFC
// 9628 section 4.2.1), 0 if it is cut off. Its contents are not needed: a frame's own
// header has its size.
//
//	| N_S |Y|G|-|-|-|
//	Y: width (16), height (16), for each of the N_S + 1 layers
//	G: N_G (8), and for each of those pictures | TID |U| R |-|-| and R times P_DIFF
func vp9StructureSize(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	size := 1
	if b[0]&0x10 != 0 {
		size += 4 * (int(b[0]>>5) + 1)
	}
	if b[0]&0x08 != 0 {
		if size >= len(b) {
			return 0
		}
		pictures := int(b[size])
		size++
		for range pictures {
			if size >= len(b) {
				return 0
			}
			size += 1 + int(b[size]>>2&3)
		}
	}
	if size > len(b) {
		return 0
	}
	return size
}

// StartOfPicture reports whether the payload begins a picture: the frame of its lowest
// spatial layer.
func (d *VP9Descriptor) StartOfPicture() bool { return d.Start && d.SID == 0 }

// likeVP8 returns what d has in common with a VP8 descriptor: ids and temporal
// layers, which mean the same.
func (d *VP9Descriptor) likeVP8() VP8Descriptor {
	return VP8Descriptor{
		HasPictureID: d.HasPictureID, LongID: d.LongID, PictureID: d.PictureID,
		HasTL0PicIdx: d.HasTL0PicIdx, TL0PicIdx: d.TL0PicIdx, HasTID: d.HasLayers, TID: d.TID,
	}
}
