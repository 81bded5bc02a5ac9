package peer

import (
	"github.com/pion/rtcp"

	"weir/sfu/media"
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
	of  *input
	seq uint8 // of the next FIR
}

// newKeyframeRequests returns what asks for keyframes of the pictures among inputs.
func newKeyframeRequests(inputs []*input) *keyframeRequests {
	k := &keyframeRequests{targets: map[string]*keyframeTarget{}, wanted: map[string]bool{}}
	for _, in := range inputs {
		if kind := in.codec.Kind(); kind == media.Video {
			k.targets[kind.String()] = &keyframeTarget{of: in}
		}
	}
	return k
}

func (k *keyframeRequests) want(id string) { k.wanted[id] = true }

// due returns the requests that can be sent now.
func (k *keyframeRequests) due() []rtcp.Packet {
	var packets []rtcp.Packet
	for id := range k.wanted {
		t := k.targets[id]
		if t == nil {
			continue
		}
		if ssrc, begun := t.of.source(); begun {
			packets = append(packets, t.request(ssrc))
			delete(k.wanted, id)
		}
	}
	return packets
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
