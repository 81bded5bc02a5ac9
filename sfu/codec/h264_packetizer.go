package codec

import "weir/sfu/media"

// h264Packetizer makes payloads of frames for packetization-mode 1 (RFC 6184
// section 6.3): small NAL units together, large ones in parts.
type h264Packetizer struct{ seq uint64 }

func newH264Packetizer(seq uint64) Packetizer { return &h264Packetizer{seq: seq} }

// Packetize implements [Packetizer]. The data behind a wrong length are left out.
func (z *h264Packetizer) Packetize(f *media.Frame, emit func(media.Packet)) {
	p := media.Packet{
		Time: uint64(timeBase + media.H264.Ticks(f.PTS)), PTS: f.PTS,
		Start: true, Sync: H264Keyframe(f.Data),
	}
	// A packet is emitted when the next one is made: the last one has the marker.
	send := func(payload []byte) {
		if p.Payload != nil {
			p.Seq = z.seq
			z.seq++
			emit(p)
			p.Start, p.Sync = false, false
		}
		p.Payload = payload
	}
	var group [][]byte // NAL units that will go into one packet
	size := 1          // that they take there
	flush := func() {
		if len(group) > 0 {
			send(aggregate(group, size))
		}
		group, size = group[:0], 1
	}
	for nal, rest, ok := nextNAL(f.Data); ok; nal, rest, ok = nextNAL(rest) {
		if !isKept(nal[0] & nalTypeMask) {
			continue
		}
		if size+2+len(nal) > MaxPayload {
			flush()
		}
		if len(nal) > MaxPayload {
			fragment(nal, send)
			continue
		}
		group = append(group, nal)
		size += 2 + len(nal)
	}
	flush()
	p.Marker = true
	send(nil)
}

// aggregate returns a payload of some NAL units: a STAP-A of size bytes (RFC 6184
// section 5.7.1), or one unit as it is.
func aggregate(group [][]byte, size int) []byte {
	if len(group) == 1 {
		return group[0][:len(group[0]):len(group[0])]
	}
	b := make([]byte, 1, size)
	for _, nal := range group {
		// The header has the highest nal_ref_idc of them.
		b[0] = max(b[0], nal[0]&nalRefMask)
		b = append(b, byte(len(nal)>>8), byte(len(nal)))
		b = append(b, nal...)
	}
	b[0] |= nalSTAPA
	return b
}

// fragment cuts a NAL unit into FU-A (RFC 6184 section 5.8) of the same size to
// within a byte.
func fragment(nal []byte, send func([]byte)) {
	const most = MaxPayload - 2
	header, rest := nal[0], nal[1:]
	count := (len(rest) + most - 1) / most
	buf := make([]byte, 0, len(rest)+2*count)
	for left := count; left > 0; left-- {
		size := (len(rest) + left - 1) / left
		at := len(buf)
		flags := header & nalTypeMask
		if left == count {
			flags |= fuStart
		}
		if left == 1 {
			flags |= fuEnd
		}
		buf = append(buf, header&^nalTypeMask|nalFUA, flags)
		buf = append(buf, rest[:size]...)
		rest = rest[size:]
		send(buf[at:len(buf):len(buf)])
	}
}
