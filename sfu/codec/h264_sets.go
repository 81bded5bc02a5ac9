package codec

import (
	"bytes"
	"slices"
)

// SetKinds is a set of the kinds of parameter sets.
type SetKinds uint8

// The kinds of parameter sets (ISO/IEC 14496-10 section 7.4.1.2.1).
const (
	SequenceSets SetKinds = 1 << iota
	PictureSets

	allSets = SequenceSets | PictureSets
)

// kindOfSet returns the kind of a NAL unit of that type, 0 if it is no parameter set.
func kindOfSet(nalType byte) SetKinds {
	switch nalType {
	case nalSPS:
		return SequenceSets
	case nalPPS:
		return PictureSets
	}
	return 0
}

// maxSets bounds how many parameter sets of a kind are remembered, each of at most
// MaxPayload bytes. Encoders have one to three; some take the next id each time that
// they begin anew.
const maxSets = 16

// ParameterSets are the newest parameter sets of an H.264 stream. Some publishers tell
// them once, at the start or in their SDP, which is enough for viewers that were there:
// with them, every IDR picture is one at which a decoder can start. The zero value
// knows none. It is not safe for concurrent use.
type ParameterSets struct {
	units    []parameterSet // by kind, and of a kind as they were told
	payloads [][]byte       // made of units; nil when they have changed
}

// parameterSet is one of them; another one of its kind and id replaces it.
type parameterSet struct {
	kind SetKinds
	id   uint32
	nal  []byte
}

// Learn takes in the parameter sets in an RTP payload: a NAL unit or several. It
// keeps nothing of payload.
func (s *ParameterSets) Learn(payload []byte) {
	if len(payload) == 0 {
		return
	}
	if payload[0]&nalTypeMask != nalSTAPA {
		s.learn(payload)
		return
	}
	for nal, rest, ok := nextAggregated(payload[1:]); ok; nal, rest, ok = nextAggregated(rest) {
		s.learn(nal)
	}
}

// learn takes in a NAL unit, if it is a parameter set.
func (s *ParameterSets) learn(nal []byte) {
	kind := kindOfSet(nal[0] & nalTypeMask)
	if kind == 0 || len(nal) > MaxPayload {
		return
	}
	id, ok := setID(kind, nal)
	if !ok {
		return
	}
	count, at, oldest := 0, -1, -1
	for i, u := range s.units {
		if u.kind != kind {
			continue
		}
		if count++; oldest < 0 {
			oldest = i
		}
		if u.id == id {
			at = i
		}
	}
	if at >= 0 && bytes.Equal(s.units[at].nal, nal) {
		return
	}
	s.payloads = nil
	switch {
	case at >= 0:
		s.units[at].nal = bytes.Clone(nal)
		return
	case count == maxSets:
		s.units = slices.Delete(s.units, oldest, oldest+1)
	}
	s.units = append(s.units, parameterSet{kind, id, bytes.Clone(nal)})
	slices.SortStableFunc(s.units, func(a, b parameterSet) int { return int(a.kind) - int(b.kind) })
}

// setID reads the seq_parameter_set_id or pic_parameter_set_id of a parameter set
// (ISO/IEC 14496-10 sections 7.3.2.1.1 and 7.3.2.2).
func setID(kind SetKinds, nal []byte) (id uint32, ok bool) {
	var buf [16]byte
	b := bits{data: unescape(buf[:], nal)}
	b.skip(8)
	most := uint32(255)
	if kind == SequenceSets {
		b.skip(3 * 8) // profile, constraints, level
		most = 31
	}
	id = b.golomb()
	return id, !b.over && id <= most
}

// Payloads returns RTP payloads that tell the sets, for any packetization mode: a
// payload for each, what others refer to first. It returns none while sets of one
// kind are not known. They are shared and never change.
func (s *ParameterSets) Payloads() [][]byte {
	if s.payloads == nil && s.known() == allSets {
		s.payloads = make([][]byte, len(s.units))
		for i, u := range s.units {
			s.payloads[i] = u.nal
		}
	}
	return s.payloads
}

func (s *ParameterSets) known() (kinds SetKinds) {
	for _, u := range s.units {
		kinds |= u.kind
	}
	return kinds
}

// Complete takes in the parameter sets in a frame, and returns the frame with those
// that it lacks if it is an IDR picture: the frame itself if it lacks none, or if they
// are not known. keyframe reports whether a decoder can start at it.
func (s *ParameterSets) Complete(frame []byte) (complete []byte, keyframe bool) {
	var told SetKinds
	idr := false
	at := 0 // where they belong
	for nal, rest, ok := nextNAL(frame); ok; nal, rest, ok = nextNAL(rest) {
		t := nal[0] & nalTypeMask
		told |= kindOfSet(t)
		if t == nalIDR && !idr {
			idr = true
			if told&SequenceSets != 0 { // picture sets refer to that
				at = len(frame) - len(rest) - len(nal) - nalLength
			}
		}
		s.learn(nal)
	}
	lacks := allSets &^ told
	if !idr || lacks == 0 || lacks&^s.known() != 0 {
		return frame, idr && lacks == 0
	}
	size := len(frame)
	for _, u := range s.units {
		size += nalLength + len(u.nal)
	}
	complete = append(make([]byte, 0, size), frame[:at]...)
	for _, u := range s.units {
		if lacks&u.kind != 0 {
			complete = appendNAL(complete, u.nal)
		}
	}
	return append(complete, frame[at:]...), true
}
