package peer

import (
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"weir/sfu"
	"weir/sfu/forward"
	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// sender is one track as it goes to one viewer.
type sender struct {
	// set once, before the first packet
	track     *sfu.Track
	ssrc      uint32
	forwarder *forward.Forwarder
	first     chan<- struct{} // gets a value with the first packet; has room for it

	// owned by the shard's goroutine
	rtx      forward.RTX
	rtxIndex uint64     // of the next packet of rtx, see transport.Sealer
	header   rtp.Header // here, since it would escape to the heap as a local
	resent   []byte     // payload of a packet that is sent again
	last     *media.Packet
	budget   int    // packets that may be sent again until the next report
	packets  uint32 // sent under ssrc
	octets   uint32

	counters senderCounters
}

// senderCounters are atomic.
type senderCounters struct {
	packets, bytes, waiting, resent, missing, refused, failed atomic.Uint64
}

func (c *senderCounters) addTo(s *Stats) {
	s.Packets += c.packets.Load()
	s.Bytes += c.bytes.Load()
	s.Waiting += c.waiting.Load()
	s.Resent += c.resent.Load()
	s.Missing += c.missing.Load()
	s.Refused += c.refused.Load()
	s.Failed += c.failed.Load()
}

// newSender returns a sender with what was negotiated for it.
func newSender(t *sfu.Track, m sdp.Media, s sdp.Source, first chan<- struct{}) *sender {
	o := &sender{track: t, ssrc: s.SSRC, first: first, budget: resendBudget}
	o.forwarder = forward.New(forward.Config{
		SSRC: s.SSRC, PayloadType: m.PayloadType, Seq: firstNumber(), Time: rand.Uint32(),
	})
	if s.RepairSSRC != 0 {
		o.rtx = forward.RTX{SSRC: s.RepairSSRC, PayloadType: m.RepairType, Seq: firstNumber()}
		o.rtxIndex = uint64(o.rtx.Seq)
	}
	return o
}

// firstNumber returns a random sequence number from the lower half, so that the
// numbers do not begin anew among the first packets: a receiver that loses just
// those could not know of it (RFC 3711 section 3.3.1).
func firstNumber() uint16 { return uint16(rand.N(1 << 15)) }

// write forwards packets. Runs on the shard's goroutine; does not block.
func (o *sender) write(e *egress, batch []*media.Packet, lagged bool) {
	if lagged {
		o.forwarder.Lagged()
	}
	edge := o.track.Edge()
	even := 0
	if o.rtx.Negotiated() { // a packet that is sent again under its own number must not differ
		even = evenSize(batch)
	}
	for i, p := range batch {
		header, verdict := o.forwarder.Forward(p, edge)
		switch verdict {
		case forward.Send:
		case forward.SendAhead:
			for i, payload := range p.Ahead {
				h := o.forwarder.Ahead(p, i)
				o.send(e, h, o.forwarder.Index(h.SequenceNumber), payload, 0)
			}
		default:
			o.counters.waiting.Add(1)
			continue
		}
		pad := uint8(0)
		if n := even - len(p.Payload); n > 0 && n <= maxPad && i < len(batch)-1 {
			pad = uint8(n)
		}
		o.send(e, header, o.forwarder.Index(header.SequenceNumber), p.Payload, pad)
		if o.last == nil {
			o.first <- struct{}{}
		}
		o.last = p
	}
	if o.forwarder.NeedsSync() && len(batch) > 0 {
		o.track.RequestKeyframeAfter(batch[len(batch)-1].PTS)
	}
}

// egress is how a sender's packets leave: sealed by a key, in a batch, to an
// address.
type egress struct {
	seal  transport.Sealer
	batch transport.Batch
	to    netip.AddrPort
}

// maxPad is how many bytes a packet is padded by at most.
const maxPad = 4

// evenSize returns the size that packets of a batch are to have, in bytes of their
// payload: the largest one's. Encoders cut a picture into packets that differ by a
// byte, and only those of one size leave as one (see udp.Batch): a byte of padding
// saves a message.
func evenSize(batch []*media.Packet) int {
	largest := 0
	for _, p := range batch {
		largest = max(largest, len(p.Payload))
	}
	return largest
}

// send seals a packet and puts it into the batch.
func (o *sender) send(e *egress, header rtp.Header, index uint64, payload []byte, pad uint8) {
	o.header = header
	sealed, err := e.seal.Seal(e.batch.Reserve(transport.RTPHeader+len(payload)+int(pad)+transport.SealOverhead), &o.header, index, payload, pad)
	if err != nil {
		o.counters.failed.Add(1)
		return
	}
	e.batch.Commit(len(sealed), e.to)
	if header.SSRC == o.ssrc { // retransmissions may have a stream of their own
		o.packets++
		o.octets += uint32(len(payload))
	}
	o.counters.packets.Add(1)
	o.counters.bytes.Add(uint64(len(payload)))
}

// senderReport returns a report (RFC 3550 section 6.4.1) for the instant now of
// the stream's clock, which is wall, or nil if nothing was sent yet. All tracks
// refer to the same clock: that is what a viewer's lip sync rests on. Runs on
// the shard's goroutine.
func (o *sender) senderReport(now time.Duration, wall time.Time) []rtcp.Packet {
	o.budget = resendBudget
	if o.last == nil {
		return nil
	}
	ahead := uint64(o.track.Info().Codec.Ticks(now - o.last.PTS)) // negative numbers wrap as they should
	return []rtcp.Packet{
		&rtcp.SenderReport{
			SSRC: o.ssrc, NTPTime: media.NTPTime(wall), RTPTime: o.forwarder.Timestamp(o.last.Time + ahead),
			PacketCount: o.packets, OctetCount: o.octets,
		},
		cname(o.ssrc),
	}
}

// cname names the source of a stream: every compound packet has to have it (RFC
// 3550 section 6.1).
func cname(ssrc uint32) *rtcp.SourceDescription {
	return &rtcp.SourceDescription{Chunks: []rtcp.SourceDescriptionChunk{{
		Source: ssrc, Items: []rtcp.SourceDescriptionItem{{Type: rtcp.SDESCNAME, Text: sdp.MediaStream}},
	}}}
}
