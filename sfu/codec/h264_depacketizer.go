package codec

import (
	"encoding/binary"
	"slices"
)

// h264Depacketizer is the depacketizer of H.264 (RFC 6184), in packetization
// modes 0 and 1.
//
// A frame is an access unit as Matroska and MP4 have it: each NAL unit behind its
// length in 4 bytes, without delimiters, end marks and filler. Parameter sets are
// where the publisher put them, in front of the IDR picture: so a change of them
// in midstream is in the right place. An IDR picture that lacks them gets the last
// ones: a keyframe stands on its own.
type h264Depacketizer = depacketizer[h264Frame]

func newH264Depacketizer(c Config) Depacketizer {
	h := &h264Format{}
	return &h264Depacketizer{format: h, in: newReorder(c), markers: markers{set: c.Marked}, gate: &h264Gate{}, learn: h.ahead}
}

// maxCarried bounds the parameter sets that come under a time of their own.
const maxCarried = 16 << 10

// h264Format implements videoFormat. A part is the whole payload.
type h264Format struct {
	// The newest sequence parameter set tells this of slice headers, if there is but
	// one.
	known          bool
	frameNumBits   int
	separatePlanes bool
	// carried are parameter sets that came without a picture. They belong to the
	// next one.
	carried []byte
	sets    ParameterSets
	sure    bool // that the next picture goes by sets: its packet says so
}

// ahead takes in what is Ahead of a packet.
func (h *h264Format) ahead(payload []byte) {
	h.sets.Learn(payload)
	h.sure = true
}

func (*h264Format) read(payload []byte, d *h264Frame) (part []byte, where place) {
	return payload, d.read(payload)
}

// sameFrame implements videoFormat: nothing tells but the time.
func (*h264Format) sameFrame(_, _ *h264Frame) bool { return true }

// ends implements videoFormat: nothing but the marker tells.
func (*h264Format) ends(*h264Frame) bool { return false }

// join implements videoFormat.
func (h *h264Format) join(f *h264Frame, parts [][]byte, size int) (data []byte, keyframe, ok bool) {
	data = make([]byte, 0, size+nalLength*(len(parts)+1))
	unit := -1 // where the NAL unit begins whose parts are being joined
	for _, payload := range parts {
		if data, unit, ok = appendPayload(data, unit, payload); !ok {
			return nil, false, false
		}
	}
	if unit >= 0 {
		return nil, false, false // cut off
	}
	vcl := h.describe(f, data)
	if len(h.carried) > 0 && (!vcl || f.sets&SequenceSets == 0) { // with sets of its own it needs no others
		data = append(h.carried, data...)
		vcl = h.describe(f, data)
	}
	h.carried = nil
	if !vcl {
		_, _ = h.sets.Complete(data) // it learns them
		if len(data) <= maxCarried {
			h.carried = slices.Clip(data)
		}
		return nil, false, true
	}
	whole, keyframe := h.sets.Complete(data)
	if len(whole) > len(data) {
		h.describe(f, whole)
		f.completed = !h.sure
	}
	h.sure = false
	return whole, keyframe, true
}

// appendPayload appends the NAL units of a payload. unit is where the one begins
// that the payload goes on with, negative if none.
func appendPayload(data []byte, unit int, payload []byte) ([]byte, int, bool) {
	header := payload[0]
	t := header & nalTypeMask
	if t != nalFUA && unit >= 0 {
		return nil, 0, false // the rest of that one is missing
	}
	switch t {
	case nalSTAPA:
		for nal, rest, ok := nextAggregated(payload[1:]); ok; nal, rest, ok = nextAggregated(rest) {
			if isKept(nal[0] & nalTypeMask) {
				data = appendNAL(data, nal)
			}
		}
	case nalFUA:
		flags := payload[1]
		if (flags&fuStart != 0) == (unit >= 0) {
			return nil, 0, false
		}
		if unit < 0 {
			unit = len(data)
			data = append(data, 0, 0, 0, 0, header&^nalTypeMask|flags&nalTypeMask)
		}
		if data[unit+nalLength]&nalTypeMask != flags&nalTypeMask {
			return nil, 0, false
		}
		data = append(data, payload[2:]...)
		if flags&fuEnd != 0 {
			binary.BigEndian.PutUint32(data[unit:], uint32(len(data)-unit-nalLength))
			if !isKept(flags & nalTypeMask) {
				data = data[:unit]
			}
			unit = -1
		}
	default:
		if isKept(t) {
			data = appendNAL(data, payload)
		}
	}
	return data, unit, true
}

// describe notes in f what the whole frame tells, and reports whether there is a
// picture in it.
func (h *h264Format) describe(f *h264Frame, data []byte) (vcl bool) {
	*f = h264Frame{}
	for nal, rest, ok := nextNAL(data); ok; nal, rest, ok = nextNAL(rest) {
		if nal[0]&nalTypeMask == nalSPS {
			h.learn(nal, f.sets&SequenceSets != 0)
		}
		before := f.vcl
		f.see(nal[0], nal[1:])
		if f.vcl && !before {
			h.number(f, nal)
		}
	}
	return f.vcl
}

// learn takes in a sequence parameter set, and another one if again.
func (h *h264Format) learn(nal []byte, again bool) {
	s, ok := parseH264SPS(nal)
	same := h.frameNumBits == s.frameNumBits && h.separatePlanes == s.separatePlanes
	h.known = ok && (!again || h.known && same)
	h.frameNumBits, h.separatePlanes = s.frameNumBits, s.separatePlanes
}

// number reads the frame_num of a slice (ISO/IEC 14496-10 section 7.3.3).
func (h *h264Format) number(f *h264Frame, nal []byte) {
	if !h.known {
		return
	}
	var buf [32]byte
	b := bits{data: unescape(buf[:], nal)}
	b.skip(8)
	b.golomb() // first_mb_in_slice
	b.golomb() // slice_type
	b.golomb() // pic_parameter_set_id
	if h.separatePlanes {
		b.skip(2)
	}
	f.frameNum = b.read(h.frameNumBits)
	f.turn = 1 << h.frameNumBits
	f.numbered = !b.over
}
