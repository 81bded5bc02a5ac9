package codec

import (
	"slices"

	"weir/sfu/media"
)

// av1Packetizer makes payloads of temporal units ("RTP Payload Format For AV1"
// section 4): as many OBUs in each as fit, large ones in parts.
type av1Packetizer struct{ seq uint64 }

func newAV1Packetizer(seq uint64) Packetizer { return &av1Packetizer{seq: seq} }

const (
	// av1LengthSize is room for the length of an element: MaxPayload takes 2 bytes.
	av1LengthSize = 2
	// av1MinPart is the smallest part of an OBU that is worth an element.
	av1MinPart = 64
	// av1MaxCount is the highest number of elements that the header can tell.
	av1MaxCount = 3
)

// av1Packet is a payload that is being made.
type av1Packet struct {
	elements [][]byte // each is a part of memory that is never written again
	size     int      // with a length for each
	layer    int      // extension header of the OBUs, -1: none
	flags    byte
}

// room is how many bytes another element may have.
func (p *av1Packet) room() int { return MaxPayload - 1 - p.size - av1LengthSize }

func (p *av1Packet) add(element []byte) {
	p.elements = append(p.elements, element)
	p.size += av1LengthSize + len(element)
}

// payload returns the aggregation header and the elements. Up to three can be
// told by their number, and the last of them needs no length.
func (p *av1Packet) payload() []byte {
	b := make([]byte, 1, 1+p.size)
	b[0] = p.flags
	counted := len(p.elements) <= av1MaxCount
	if counted {
		b[0] |= byte(len(p.elements)) << 4
	}
	for i, element := range p.elements {
		if !counted || i < len(p.elements)-1 {
			b = appendLEB128(b, len(element))
		}
		b = append(b, element...)
	}
	return slices.Clip(b)
}

// Packetize implements [Packetizer]. The data behind a malformed OBU are left out.
func (z *av1Packetizer) Packetize(f *media.Frame, emit func(media.Packet)) {
	key := AV1Keyframe(f.Data)
	p := media.Packet{Time: uint64(timeBase + media.AV1.Ticks(f.PTS)), PTS: f.PTS, Start: true, Sync: key}
	packet := av1Packet{layer: -1}
	if key {
		packet.flags = av1Begins
	}
	send := func(last bool) {
		if len(packet.elements) == 0 {
			return
		}
		p.Seq, p.Marker, p.Payload = z.seq, last, packet.payload()
		z.seq++
		emit(p)
		p.Start, p.Sync = false, false
		packet = av1Packet{elements: packet.elements[:0], layer: -1}
	}
	for rest := f.Data; len(rest) > 0; {
		o, more, ok := parseOBU(rest)
		if !ok {
			break
		}
		rest = more
		if !o.isKept() {
			continue
		}
		// OBUs of different layers may not share a packet.
		if o.headerSize() == 2 {
			if layer := int(o.header[1]); packet.layer >= 0 && packet.layer != layer {
				send(false)
			}
		}
		element := append(make([]byte, 0, 2+len(o.body)), o.header[:o.headerSize()]...)
		element = append(element, o.body...)
		for {
			whole := len(element) <= packet.room()
			if !whole && packet.room() < av1MinPart {
				send(false)
				continue
			}
			if o.headerSize() == 2 {
				packet.layer = int(o.header[1])
			}
			if whole {
				packet.add(element)
				break
			}
			part := element[:packet.room()]
			element = element[len(part):]
			packet.add(part)
			packet.flags |= av1Unfinished
			send(false)
			packet.flags = av1Continued
		}
	}
	send(true)
}
