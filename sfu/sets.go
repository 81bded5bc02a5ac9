package sfu

import "weir/sfu/codec"

// maxSetsBefore is how many packets of a picture there may be ahead of its first
// slice: delimiter, parameter sets, SEI.
const maxSetsBefore = 16

// TellSets takes in parameter sets that the source learned of in another way than by
// the media (H.264: sprop-parameter-sets in SDP, an AVCDecoderConfigurationRecord),
// each a NAL unit. It does nothing for other codecs.
func (w *TrackWriter) TellSets(sets ...[]byte) {
	if w.sets == nil {
		return
	}
	for _, nal := range sets {
		w.sets.Learn(nal)
	}
}

// complete takes in the parameter sets in a packet with the number seq and the time
// rtp. If it begins a keyframe that lacks them it returns what belongs ahead of it,
// and notes in where that a decoder can start there.
//
// That the keyframe lacks them is known when the packets ahead of it are here. If one
// is missing it may tell other sets: who comes goes by another keyframe.
func (w *TrackWriter) complete(where *codec.Position, payload []byte, seq, rtp uint64, anew bool) [][]byte {
	if where.Tells != 0 && rtp >= w.setsTime { // an older one tells what was changed since
		w.sets.Learn(payload)
		w.setsTime = rtp
	}
	needs := where.Needs
	for back := seq - 1; needs != 0 && w.highest != 0 && !anew; back-- {
		p := w.track.Packet(back)
		if p == nil || back+maxSetsBefore < seq {
			return nil
		}
		if p.Time != rtp {
			break
		}
		needs &^= w.track.format.Inspect(p.Payload).Tells
	}
	if needs == 0 {
		return nil
	}
	ahead := w.sets.Payloads()
	if needs&codec.SequenceSets == 0 || len(ahead) == 0 {
		return ahead // it began with the packet that told them
	}
	where.Start, where.Sync = true, true
	for _, nal := range ahead {
		if width, height := codec.H264PayloadSize(nal); width > 0 {
			where.Width, where.Height = width, height
		}
	}
	return ahead
}
