package peer

import (
	"slices"

	"github.com/pion/rtcp"

	"weir/sfu/peer/transport"
)

const (
	// resendBudget is how many packets a viewer can have sent again between two
	// sender reports: all that a 20 Mbit/s stream loses at 50 %. Beyond it the
	// viewer asks for more than it can be losing.
	resendBudget = 1000
	// maxBehind is how far behind the newest packet one that is sent again may be.
	// Beyond it a receiver takes its sequence number for one that is ahead (RFC 3711
	// section 3.3.1).
	maxBehind = 1<<15 - 1
)

// ReceiveRTP implements transport.Receiver: a viewer has no media for us.
func (v *Viewer) ReceiveRTP(*transport.Keys, []byte, transport.Path) {}

// ReceiveRTCP implements transport.Receiver. It answers what the viewer reports: lost packets (NACK) and pictures
// that it cannot show (PLI, FIR). Runs on the socket's reader.
func (v *Viewer) ReceiveRTCP(packets []rtcp.Packet) {
	attachment := v.attachment.Load()
	if attachment == nil {
		return
	}
	for _, p := range packets {
		switch p := p.(type) {
		case *rtcp.TransportLayerNack:
			for _, o := range v.senders {
				if o.ssrc == p.MediaSSRC {
					attachment.Do(func() { attachment.Resent(o.track, v.resend(o, p.Nacks)) })
				}
			}
		case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
			of := p.DestinationSSRC()
			for _, o := range v.senders {
				if slices.Contains(of, o.ssrc) {
					o.track.RequestKeyframe()
				}
			}
		}
	}
}

// resend sends lost packets of a track again, out of its ring, and returns how many
// bytes that were. Runs on the shard's goroutine.
func (v *Viewer) resend(o *sender, nacks []rtcp.NackPair) (bytes int) {
	e, ok := v.leaving()
	if !ok {
		return 0
	}
	before := o.counters.bytes.Load()
	for i := range nacks {
		nacks[i].Range(func(seq uint16) bool {
			if o.budget == 0 {
				o.counters.refused.Add(1)
				return false
			}
			o.budget--
			o.resendPacket(e, seq)
			return true
		})
	}
	return int(o.counters.bytes.Load() - before)
}

func (o *sender) resendPacket(e *egress, seq uint16) {
	source, ok := o.forwarder.Source(seq)
	if !ok || o.forwarder.Behind(seq) > maxBehind {
		o.counters.missing.Add(1)
		return
	}
	p := o.track.Packet(source)
	if p == nil {
		o.counters.missing.Add(1)
		return
	}
	header, payload, ok := o.forwarder.Resend(seq, p)
	if !ok {
		o.counters.missing.Add(1)
		return
	}
	index := o.forwarder.Index(seq)
	if o.rtx.Negotiated() {
		header, payload = o.rtx.Wrap(header, payload, o.resent)
		o.resent = payload
		index = o.rtxIndex
		o.rtxIndex++
	}
	o.counters.resent.Add(1)
	o.send(e, header, index, payload, 0)
}
