package peer

import (
	"github.com/pion/rtcp"

	"weir/sfu/media"
)

// keyframeRequests turns the hub's requests into RTCP. It holds none back: the hub
// asks once a track's first packet is here, by which its SSRC is known, and asks
// again what is not answered.
type keyframeRequests map[string]*keyframeTarget // by track ID

// keyframeTarget is a track that can be asked.
type keyframeTarget struct {
	of  *input
	seq uint8 // of the next FIR
}

// newKeyframeRequests returns what asks for keyframes of the pictures among inputs.
func newKeyframeRequests(inputs []*input) keyframeRequests {
	k := keyframeRequests{}
	for _, in := range inputs {
		if kind := in.codec.Kind(); kind == media.Video {
			k[kind.String()] = &keyframeTarget{of: in}
		}
	}
	return k
}

// of returns what asks for a keyframe of a track, or nothing if the track has not
// begun: the request is that of a publisher before this one, then.
func (k keyframeRequests) of(id string) []rtcp.Packet {
	t := k[id]
	if t == nil {
		return nil
	}
	ssrc, begun := t.of.source()
	if !begun {
		return nil
	}
	return []rtcp.Packet{t.request(ssrc)}
}

// request returns a PLI (RFC 4585 section 6.3.1), or a FIR (RFC 5104 section
// 4.3.1) for a client that negotiated nothing better.
func (t *keyframeTarget) request(ssrc uint32) rtcp.Packet {
	if !t.of.section.fir {
		return &rtcp.PictureLossIndication{SenderSSRC: t.of.sender, MediaSSRC: ssrc}
	}
	t.seq++
	return &rtcp.FullIntraRequest{SenderSSRC: t.of.sender, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: t.seq}}}
}
