package rtp

import "weir/sfu/codec"

// maxSetsBefore is how many packets of a picture there may be ahead of its first
// slice: delimiter, parameter sets, SEI.
const maxSetsBefore = 16

// sets tells keyframes that lack the parameter sets that their decoder needs, and what
// they lack.
type sets struct {
	format *codec.Format
	known  *codec.ParameterSets
	time   uint64 // RTP time of the newest packet that told some

	first  uint64 // number of the first packet
	recent [2 * maxSetsBefore]told
}

// told is which parameter sets a packet has told.
type told struct {
	number, time uint64
	kinds        codec.SetKinds
}

// restart notes that numbers begin anew.
func (s *sets) restart() { s.time, s.first, s.recent = 0, 0, [len(s.recent)]told{} }

// complete takes in the parameter sets in a packet with a number and an RTP time. If it
// begins a keyframe that lacks them it returns what belongs ahead of it, and notes in
// where that a decoder can start there.
//
// That the keyframe lacks them is known when the packets ahead of it are here. If one
// is missing it may tell other sets: a reader that joins begins at another keyframe.
func (s *sets) complete(where *codec.Position, payload []byte, number, time uint64) [][]byte {
	begins := s.first == 0 // nothing is ahead of it
	if begins {
		s.first = number
	}
	if t := &s.recent[number%uint64(len(s.recent))]; number > t.number {
		*t = told{number, time, where.Tells}
	}
	if where.Tells != 0 && time >= s.time { // an older one tells what was changed since
		s.known.Learn(payload)
		s.time = time
	}
	needs := where.Needs
	for back := number - 1; needs != 0 && !begins; back-- {
		t := &s.recent[back%uint64(len(s.recent))]
		if t.number != back || back+maxSetsBefore < number {
			return nil
		}
		if t.time != time {
			break
		}
		needs &^= t.kinds
	}
	if needs == 0 {
		return nil
	}
	ahead := s.known.Payloads()
	if needs&codec.SequenceSets == 0 || len(ahead) == 0 {
		return ahead // it began with the packet that told them
	}
	where.Start, where.Sync = true, true
	for _, payload := range ahead {
		if width, height := s.format.SetSize(payload); width > 0 {
			where.Width, where.Height = width, height
		}
	}
	return ahead
}
