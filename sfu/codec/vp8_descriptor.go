package codec

// VP8Descriptor is the VP8 payload descriptor, the first bytes of every VP8 RTP
// payload (RFC 7741 section 4.2):
//
//	     0 1 2 3 4 5 6 7
//	    +-+-+-+-+-+-+-+-+
//	    |X|R|N|S|R| PID |
//	    +-+-+-+-+-+-+-+-+
//	X:  |I|L|T|K| RSV   |
//	    +-+-+-+-+-+-+-+-+
//	I:  |M| PictureID   |
//	    +-+-+-+-+-+-+-+-+
//	M:  |   PictureID   |
//	    +-+-+-+-+-+-+-+-+
//	L:  |   TL0PICIDX   |
//	    +-+-+-+-+-+-+-+-+
//	T/K:|TID|Y| KEYIDX  |
//	    +-+-+-+-+-+-+-+-+
type VP8Descriptor struct {
	Discardable bool  // N: no other frame refers to this one
	StartOfPart bool  // S: the payload begins a partition
	Partition   uint8 // PID, 0 to 7

	HasPictureID bool   // I
	LongID       bool   // M: the picture id has 15 bits, else 7
	PictureID    uint16 // +1 for each frame

	HasTL0PicIdx bool  // L
	TL0PicIdx    uint8 // +1 for each frame of temporal layer 0

	HasTID    bool  // T
	TID       uint8 // temporal layer, 0 to 3
	LayerSync bool  // Y: refers to layer 0 only, to the frame TL0PicIdx

	HasKeyIdx bool  // K
	KeyIdx    uint8 // 0 to 31
}

// ParseVP8Descriptor reads the descriptor of an RTP payload and returns its
// size; the media bytes follow it, if there are any. It returns false when the
// payload ends within the descriptor.
func ParseVP8Descriptor(payload []byte) (d VP8Descriptor, size int, ok bool) {
	if len(payload) == 0 {
		return d, 0, false
	}
	first := payload[0]
	d.Discardable = first&0x20 != 0
	d.StartOfPart = first&0x10 != 0
	d.Partition = first & 0x07
	if first&0x80 == 0 {
		return d, 1, true
	}
	if len(payload) < 2 {
		return VP8Descriptor{}, 0, false
	}
	size, ok = d.parseExtension(payload[1], payload[2:])
	if !ok {
		return VP8Descriptor{}, 0, false
	}
	return d, 2 + size, true
}

// parseExtension reads the fields that the flags announce and returns how many
// bytes of b they take.
func (d *VP8Descriptor) parseExtension(flags byte, b []byte) (size int, ok bool) {
	left := len(b)
	if flags&0x80 != 0 {
		if len(b) < 1 {
			return 0, false
		}
		d.HasPictureID = true
		d.LongID = b[0]&0x80 != 0
		d.PictureID = uint16(b[0] & 0x7f)
		if d.LongID {
			if len(b) < 2 {
				return 0, false
			}
			d.PictureID = d.PictureID<<8 | uint16(b[1])
			b = b[1:]
		}
		b = b[1:]
	}
	if flags&0x40 != 0 {
		if len(b) < 1 {
			return 0, false
		}
		d.HasTL0PicIdx = true
		d.TL0PicIdx = b[0]
		b = b[1:]
	}
	// T and K share a byte; the fields of the one that is clear mean nothing.
	if flags&0x30 != 0 {
		if len(b) < 1 {
			return 0, false
		}
		if flags&0x20 != 0 {
			d.HasTID = true
			d.TID = b[0] >> 6
			d.LayerSync = b[0]&0x20 != 0
		}
		if flags&0x10 != 0 {
			d.HasKeyIdx = true
			d.KeyIdx = b[0] & 0x1f
		}
		b = b[1:]
	}
	return left - len(b), true
}

// StartOfFrame reports whether the payload begins a frame.
func (d *VP8Descriptor) StartOfFrame() bool { return d.StartOfPart && d.Partition == 0 }

// layered reports whether d tells the frame's temporal layer and the state of layer 0.
func (d *VP8Descriptor) layered() bool { return d.HasTL0PicIdx && d.HasTID }

// idTurn is the number of picture ids before they wrap.
func (d *VP8Descriptor) idTurn() uint16 {
	if d.LongID {
		return 1 << 15
	}
	return 1 << 7
}

// idsAhead returns how many picture ids d is ahead of an earlier frame, modulo
// the turn; false when the two cannot be compared.
func (d *VP8Descriptor) idsAhead(earlier *VP8Descriptor) (n uint16, ok bool) {
	if !d.HasPictureID || !earlier.HasPictureID || d.LongID != earlier.LongID {
		return 0, false
	}
	return (d.PictureID - earlier.PictureID) & (d.idTurn() - 1), true
}
