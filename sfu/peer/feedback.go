package peer

import (
	"github.com/pion/rtcp"

	"weir/sfu"
)

// resendBudget is how many packets a viewer can have sent again between two
// sender reports: all that a 20 Mbit/s stream loses at 50 %. Beyond it the
// viewer asks for more than it can be losing.
const resendBudget = 1000

// readFeedback answers what the viewer reports of this track until the
// connection ends: lost packets (NACK) and pictures that it cannot show (PLI,
// FIR).
func (o *output) readFeedback(a *sfu.Attachment) {
	readRTCP(o.sender.Read, func(p rtcp.Packet) {
		switch p := p.(type) {
		case *rtcp.TransportLayerNack:
			if p.MediaSSRC == o.ssrc {
				a.Do(func() { o.resend(p.Nacks) })
			}
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			o.track.RequestKeyframe()
		}
	})
}

// resend sends lost packets again, out of the track's ring. Runs on the shard's
// goroutine.
func (o *output) resend(nacks []rtcp.NackPair) {
	for i := range nacks {
		nacks[i].Range(func(seq uint16) bool {
			if o.budget == 0 {
				o.counters.refused.Add(1)
				return false
			}
			o.budget--
			o.resendPacket(seq)
			return true
		})
	}
}

func (o *output) resendPacket(seq uint16) {
	source, ok := o.forwarder.Source(seq)
	if !ok {
		o.counters.missing.Add(1)
		return
	}
	p := o.track.Packet(source)
	if p == nil {
		o.counters.missing.Add(1)
		return
	}
	header, ok := o.forwarder.Resend(seq, p)
	if !ok {
		o.counters.missing.Add(1)
		return
	}
	payload := p.Payload
	if o.rtx.Negotiated() {
		header, payload = o.rtx.Wrap(header, payload, o.resent)
	}
	o.counters.resent.Add(1)
	o.send(header, payload)
}
