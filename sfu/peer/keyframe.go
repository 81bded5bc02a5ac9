package peer

import (
	"github.com/pion/rtcp"

	"weir/sfu/media"
)

// keyframeRequests turns the hub's requests into RTCP. It holds none back: the hub
// asks once a track's first packet is here, by which its SSRC is known, and asks
// again what is not answered.
type keyframeRequests map[string]*receiver // by track ID

// newKeyframeRequests returns what asks for keyframes of the pictures among receivers.
func newKeyframeRequests(receivers []*receiver) keyframeRequests {
	k := keyframeRequests{}
	for _, in := range receivers {
		if kind := in.codec.Kind(); kind == media.Video {
			k[kind.String()] = in
		}
	}
	return k
}

// of returns what asks for a keyframe of a track, or nothing if the track has not
// begun: the request is that of a publisher before this one, then.
func (k keyframeRequests) of(id string) []rtcp.Packet {
	in := k[id]
	if in == nil {
		return nil
	}
	ssrc, begun := in.source()
	if !begun {
		return nil
	}
	return []rtcp.Packet{in.keyframeRequest(ssrc)}
}

// keyframeRequest returns a PLI (RFC 4585 section 6.3.1), or a FIR (RFC 5104 section
// 4.3.1) for a client that negotiated nothing better. Runs on the publisher's
// goroutine.
func (in *receiver) keyframeRequest(ssrc uint32) rtcp.Packet {
	if !in.section.fir {
		return &rtcp.PictureLossIndication{SenderSSRC: in.sender, MediaSSRC: ssrc}
	}
	in.fir++
	return &rtcp.FullIntraRequest{SenderSSRC: in.sender, FIR: []rtcp.FIREntry{{SSRC: ssrc, SequenceNumber: in.fir}}}
}
