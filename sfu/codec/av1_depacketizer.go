package codec

// av1Depacketizer is the depacketizer of AV1 ("RTP Payload Format For AV1").
//
// A frame is a temporal unit as Matroska has it ("AOM AV1 codec mapping in
// Matroska/WebM"): OBUs in the low-overhead format, all with their size, without
// temporal delimiters. Of spatial layers, all are in it.
type av1Depacketizer = depacketizer[av1Payload]

func newAV1Depacketizer(c Config) Depacketizer {
	return &av1Depacketizer{format: &av1Format{}, in: newReorder(c), markers: markers{set: c.Marked}, gate: &strictGate[av1Payload]{}}
}

// av1Format implements videoFormat. A part is the whole payload.
type av1Format struct {
	cut []byte // what is here of an OBU that is spread over packets
}

// keepCut is how much memory for that stays allocated between frames.
const keepCut = 256 << 10

func (*av1Format) read(payload []byte, d *av1Payload) (part []byte, where place) {
	var elements []byte
	var ok bool
	*d, elements, ok = parseAV1Payload(payload)
	switch {
	case !ok:
		return nil, malformed
	case len(elements) == 0:
		return nil, padding
	default:
		return payload, d.place(elements)
	}
}

// sameFrame implements videoFormat: a coded video sequence begins with a frame.
func (*av1Format) sameFrame(_, d *av1Payload) bool { return !d.begins }

// ends implements videoFormat: nothing but the marker tells.
func (*av1Format) ends(*av1Payload) bool { return false }

// join implements videoFormat.
func (a *av1Format) join(_ *av1Payload, parts [][]byte, size int) (data []byte, keyframe, ok bool) {
	a.cut = a.cut[:0]
	// Each OBU gets a size that it need not have had; there are few.
	data = make([]byte, 0, size+8+len(parts))
	open := false // an OBU goes on in the next packet
	for _, payload := range parts {
		p, rest, _ := parseAV1Payload(payload)
		if p.continued != open {
			return nil, false, false
		}
		if data, ok = a.addElements(data, &p, rest); !ok {
			return nil, false, false
		}
		open = p.unfinished
	}
	if cap(a.cut) > keepCut {
		a.cut = nil
	}
	if open || len(data) > 2*maxFrameBytes {
		return nil, false, false
	}
	return data, AV1Keyframe(data), true
}

// addElements appends the OBUs of one payload that end in it.
func (a *av1Format) addElements(data []byte, p *av1Payload, rest []byte) (_ []byte, ok bool) {
	i := 0
	for {
		element, more, ok := p.next(rest, i)
		if !ok {
			break
		}
		begun := i == 0 && p.continued
		rest = more
		i++
		last := p.complete(rest, i)
		if begun || last && p.unfinished {
			a.cut = append(a.cut, element...)
			if last && p.unfinished {
				return data, true
			}
			element = a.cut
			a.cut = a.cut[:0]
		}
		if len(element) == 0 {
			continue
		}
		o, more, ok := parseOBU(element)
		if !ok || len(more) > 0 {
			return nil, false
		}
		if o.isKept() {
			data = o.append(data)
		}
	}
	return data, i > 0 && p.complete(rest, i)
}
