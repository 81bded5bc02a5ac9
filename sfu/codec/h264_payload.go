package codec

// h264Frame is what is known of a frame (an access unit, ISO/IEC 14496-10 section
// 7.4.1.2) by its payloads.
type h264Frame struct {
	sets      SetKinds // in it
	idr       bool
	vcl       bool // a part of a picture has been seen
	reference bool // other pictures refer to it: nal_ref_idc is not 0

	completed bool // with parameter sets that were told before it

	// Known once the frame is whole, and if numbered.
	numbered bool
	frameNum uint32
	turn     uint64 // of the frame numbers before they wrap: MaxFrameNum
}

// see notes a NAL unit and returns its place, if it is the first of its payload.
//
// Only parameter sets, SEI, delimiters and a picture's first slice can follow a
// missing packet without being known to lack something: at most what is missing
// in front of them is a delimiter or SEI, which no decoder needs. A frame whose
// parameter sets are missing is none to begin with, see h264Gate.
func (f *h264Frame) see(header byte, body []byte) place {
	t := header & nalTypeMask
	f.sets |= kindOfSet(t)
	if isVCL(t) {
		f.vcl = true
		f.reference = f.reference || header&nalRefMask != 0
	}
	switch {
	case nalSEI <= t && t <= nalDelimiter, nalPrefix <= t && t <= 18:
		return opening
	case t == nalIDR:
		f.idr = true
	}
	if firstSlice(header, body) {
		return opening
	}
	return either
}

// read looks at a payload (RFC 6184 section 5.2): a NAL unit, several (STAP-A) or
// a part of one (FU-A). The interleaved mode is not taken.
func (f *h264Frame) read(payload []byte) place {
	*f = h264Frame{}
	if len(payload) == 0 || payload[0]&nalForbids != 0 {
		return malformed
	}
	header, body := payload[0], payload[1:]
	switch t := header & nalTypeMask; {
	case 1 <= t && t <= nalLast:
		return f.see(header, body)
	case t == nalSTAPA:
		where := malformed
		for len(body) > 0 {
			nal, rest, ok := nextAggregated(body)
			if !ok || nal[0]&nalTypeMask == 0 || nal[0]&nalTypeMask > nalLast {
				return malformed
			}
			if at := f.see(nal[0], nal[1:]); where == malformed {
				where = at
			}
			body = rest
		}
		return where
	case t == nalFUA && len(body) > 1:
		unit := header&^nalTypeMask | body[0]&nalTypeMask
		if unit&nalTypeMask == 0 || unit&nalTypeMask > nalLast {
			return malformed
		}
		if body[0]&fuStart == 0 {
			f.see(unit, nil)
			return inner
		}
		return f.see(unit, body[1:])
	}
	return malformed
}

// inspectH264 implements [Format].Inspect. A decoder can start at a sequence
// parameter set: encoders for RTP send it in front of each IDR picture, and only
// there. If the payload holds pictures too, they have to be IDR.
//
// An IDR picture by itself is such a point for a decoder with its parameter sets: it
// Needs them. They may be in a payload before it, of the same picture, or have been
// told long ago.
func inspectH264(payload []byte) Position {
	var f h264Frame
	opens := f.read(payload) == opening
	sps := f.sets&SequenceSets != 0
	where := Position{Start: opens && (sps || !f.idr), Tells: f.sets}
	if where.Start && sps && (f.idr || !f.vcl) {
		where.Sync = true
		where.Width, where.Height = h264PayloadSize(payload)
	}
	if opens && f.idr {
		where.Needs = allSets &^ f.sets
	}
	return where
}

// h264PayloadSize returns the picture's size if payload tells it, else zeros.
func h264PayloadSize(payload []byte) (width, height int) {
	nal, rest, ok := payload, []byte(nil), len(payload) > 0
	if ok && payload[0]&nalTypeMask == nalSTAPA {
		nal, rest, ok = nextAggregated(payload[1:])
	}
	for ; ok; nal, rest, ok = nextAggregated(rest) {
		if nal[0]&nalTypeMask != nalSPS {
			continue
		}
		if s, ok := parseH264SPS(nal); ok {
			return s.width, s.height
		}
	}
	return 0, 0
}
