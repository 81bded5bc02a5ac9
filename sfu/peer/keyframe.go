package peer

import (
	"slices"

	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
)

// keyframeRequests turns the hub's requests into RTCP. A request for a track
// whose first packet has not come yet waits for it: before that, its SSRC is not
// known.
type keyframeRequests struct {
	targets map[string]*keyframeTarget // by track ID
	wanted  map[string]bool
}

// keyframeTarget is a track that can be asked.
type keyframeTarget struct {
	ssrc uint32
	fir  bool  // the client takes FIR, not PLI
	seq  uint8 // of the next FIR
}

func newKeyframeRequests() *keyframeRequests {
	return &keyframeRequests{targets: map[string]*keyframeTarget{}, wanted: map[string]bool{}}
}

func (k *keyframeRequests) know(t *webrtc.TrackRemote) {
	feedback := t.Codec().RTCPFeedback
	k.targets[t.Kind().String()] = &keyframeTarget{
		ssrc: uint32(t.SSRC()),
		fir: !slices.Contains(feedback, webrtc.RTCPFeedback{Type: "nack", Parameter: "pli"}) &&
			slices.Contains(feedback, webrtc.RTCPFeedback{Type: "ccm", Parameter: "fir"}),
	}
}

func (k *keyframeRequests) want(id string) { k.wanted[id] = true }

// due returns the requests that can be sent now.
func (k *keyframeRequests) due() []rtcp.Packet {
	var packets []rtcp.Packet
	for id := range k.wanted {
		if t := k.targets[id]; t != nil {
			packets = append(packets, t.request())
			delete(k.wanted, id)
		}
	}
	return packets
}

// request returns a PLI (RFC 4585 section 6.3.1), or a FIR (RFC 5104 section
// 4.3.1) for a client that negotiated nothing better.
func (t *keyframeTarget) request() rtcp.Packet {
	if !t.fir {
		return &rtcp.PictureLossIndication{MediaSSRC: t.ssrc}
	}
	t.seq++
	return &rtcp.FullIntraRequest{FIR: []rtcp.FIREntry{{SSRC: t.ssrc, SequenceNumber: t.seq}}}
}
