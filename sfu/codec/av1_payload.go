package codec

// av1Payload is the aggregation header, the first byte of every AV1 RTP payload
// ("RTP Payload Format For AV1" section 4.4), and what follows it: OBU elements,
// each an OBU or a part of one.
//
//	 0 1 2 3 4 5 6 7
//	+-+-+-+-+-+-+-+-+
//	|Z|Y| W |N|-|-|-|
//	+-+-+-+-+-+-+-+-+
type av1Payload struct {
	continued  bool // Z: the first element goes on with the last OBU of the packet before
	unfinished bool // Y: the last element goes on in the next packet
	count      int  // W: the number of elements, the last of which has no length; 0: all have one
	begins     bool // N: the first packet of a coded video sequence
}

const (
	av1Continued  = 0x80
	av1Unfinished = 0x40
	av1Begins     = 0x08
)

// parseAV1Payload reads the header of a payload.
func parseAV1Payload(payload []byte) (p av1Payload, elements []byte, ok bool) {
	if len(payload) == 0 {
		return p, nil, false
	}
	b := payload[0]
	p = av1Payload{b&av1Continued != 0, b&av1Unfinished != 0, int(b >> 4 & 3), b&av1Begins != 0}
	return p, payload[1:], !p.continued || !p.begins
}

// next returns the first of the elements in b, of which index have been read, and
// the rest. It returns false when there is none, or when its length is wrong.
func (p *av1Payload) next(b []byte, index int) (element, rest []byte, ok bool) {
	switch {
	case p.count > 0 && index >= p.count:
		return nil, nil, false
	case p.count > 0 && index == p.count-1:
		return b, nil, true
	case len(b) == 0:
		return nil, nil, false
	}
	size, n := leb128(b)
	if n == 0 || size > len(b)-n {
		return nil, nil, false
	}
	return b[n : n+size], b[n+size:], true
}

// complete reports whether all elements have been read.
func (p *av1Payload) complete(rest []byte, index int) bool {
	return len(rest) == 0 && (p.count == 0 || index == p.count)
}

// place says where the payload stands in its temporal unit. A sequence header
// begins one, and so do the bits that say so; else it is not told.
func (p *av1Payload) place(elements []byte) place {
	if p.continued {
		return inner
	}
	element, _, ok := p.next(elements, 0)
	if !ok || len(element) == 0 {
		return malformed
	}
	if t := obuType(element[0]); p.begins || t == obuSequence || t == obuDelimiter {
		return opening
	}
	return either
}

// inspectAV1 implements [Format].Inspect. A decoder can start at a sequence
// header, unless what follows it in the same payload is not a keyframe. Start is
// right for temporal units of one frame, as all are without spatial layers.
func inspectAV1(payload []byte) Position {
	p, rest, ok := parseAV1Payload(payload)
	if !ok {
		return Position{}
	}
	switch p.place(rest) {
	case opening:
	case either:
		t := obuType(rest[p.lengthSize(rest)])
		return Position{Start: t == obuFrame || t == obuFrameHeader}
	default:
		return Position{}
	}
	where := Position{Start: true}
	stills := false
	for i := 0; ; i++ {
		element, more, ok := p.next(rest, i)
		if !ok || len(element) == 0 {
			return where
		}
		// The last element may be cut off: of such an OBU the size says nothing.
		o, _, ok := parseOBU(element)
		if !ok {
			o, ok = cutOBU(element)
		}
		if !ok {
			return where
		}
		if o.kind() == obuSequence {
			if s, ok := parseAV1Sequence(o.body); ok {
				where.Sync, where.Width, where.Height = true, s.width, s.height
				stills = s.reduced
			}
		}
		if o.frameShows(stills) == av1Other {
			return Position{Start: true}
		}
		rest = more
	}
}

// lengthSize is the size of the length in front of the first element of b.
func (p *av1Payload) lengthSize(b []byte) int {
	if p.count == 1 {
		return 0
	}
	_, n := leb128(b)
	return n
}

// cutOBU reads an OBU that is longer than b.
func cutOBU(b []byte) (o obu, ok bool) {
	o.header[0] = b[0] &^ obuSized
	size := o.headerSize()
	if b[0]&obuForbidden != 0 || len(b) < size {
		return o, false
	}
	copy(o.header[1:size], b[1:])
	body := b[size:]
	if b[0]&obuSized != 0 {
		n := 0
		for n < len(body) && n < 8 && body[n]&0x80 != 0 {
			n++
		}
		body = body[min(n+1, len(body)):]
	}
	o.body = body
	return o, true
}
