package peer

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/forward"
	"weir/sfu/media"
)

// output is one track on its way to one viewer. It is a webrtc.TrackLocal of our
// own: pion's would lock, copy and allocate for every packet.
type output struct {
	// set once, before the first packet
	track     *sfu.Track
	sender    *webrtc.RTPSender
	stream    webrtc.TrackLocalWriter
	ssrc      uint32
	forwarder *forward.Forwarder
	first     chan<- struct{} // gets a value with the first packet; has room for it

	// owned by the shard's goroutine
	rtx     forward.RTX
	header  rtp.Header // here, since it would escape to the heap as a local
	resent  []byte     // payload of a packet that is sent again
	last    *media.Packet
	budget  int    // packets that may be sent again until the next report
	packets uint32 // sent under ssrc
	octets  uint32

	counters outputCounters
}

// outputCounters are atomic.
type outputCounters struct {
	packets, bytes, waiting, resent, missing, refused, failed atomic.Uint64
}

func (c *outputCounters) addTo(s *Stats) {
	s.Packets += c.packets.Load()
	s.Bytes += c.bytes.Load()
	s.Waiting += c.waiting.Load()
	s.Resent += c.resent.Load()
	s.Missing += c.missing.Load()
	s.Refused += c.refused.Load()
	s.Failed += c.failed.Load()
}

func newOutput(t *sfu.Track, first chan<- struct{}) *output {
	return &output{track: t, first: first, resent: make([]byte, 0, receiveMTU), budget: resendBudget}
}

// Bind implements webrtc.TrackLocal: the offer's codecs and our SSRC are known.
func (o *output) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codec, ok := findCodec(c.CodecParameters(), o.track.Info().Codec)
	if !ok {
		return webrtc.RTPCodecParameters{}, fmt.Errorf("%w: codec %v was not negotiated", ErrUnsupported, o.track.Info().Codec)
	}
	o.stream, o.ssrc = c.WriteStream(), uint32(c.SSRC())
	o.forwarder = forward.New(forward.Config{
		SSRC: o.ssrc, PayloadType: uint8(codec.PayloadType),
		Seq: uint16(rand.Uint32()), Time: rand.Uint32(),
	})
	if pt, ok := findRTX(c.CodecParameters(), codec.PayloadType); ok && c.SSRCRetransmission() != 0 {
		o.rtx = forward.RTX{SSRC: uint32(c.SSRCRetransmission()), PayloadType: pt, Seq: uint16(rand.Uint32())}
	}
	return codec, nil
}

func findCodec(negotiated []webrtc.RTPCodecParameters, c media.Codec) (webrtc.RTPCodecParameters, bool) {
	for _, r := range codecTable {
		for _, p := range negotiated {
			if r.codec == c && strings.EqualFold(p.MimeType, r.mime) {
				return p, true
			}
		}
	}
	return webrtc.RTPCodecParameters{}, false
}

// findRTX returns the payload type of the retransmissions of pt (RFC 4588
// section 8.6).
func findRTX(negotiated []webrtc.RTPCodecParameters, pt webrtc.PayloadType) (uint8, bool) {
	for _, p := range negotiated {
		if strings.EqualFold(p.MimeType, webrtc.MimeTypeRTX) && p.SDPFmtpLine == fmt.Sprintf("apt=%d", pt) {
			return uint8(p.PayloadType), true
		}
	}
	return 0, false
}

// Unbind implements webrtc.TrackLocal.
func (o *output) Unbind(webrtc.TrackLocalContext) error { return nil }

// ID implements webrtc.TrackLocal.
func (o *output) ID() string { return o.track.Info().ID }

// RID implements webrtc.TrackLocal: no simulcast towards viewers.
func (o *output) RID() string { return "" }

// StreamID implements webrtc.TrackLocal: one for all tracks, so that the browser
// plays them in sync.
func (o *output) StreamID() string { return "weir" }

// Kind implements webrtc.TrackLocal.
func (o *output) Kind() webrtc.RTPCodecType {
	if o.track.Info().Kind() == media.Audio {
		return webrtc.RTPCodecTypeAudio
	}
	return webrtc.RTPCodecTypeVideo
}

// write forwards packets. Runs on the shard's goroutine; does not block.
func (o *output) write(batch []*media.Packet, lagged bool) {
	if lagged {
		o.forwarder.Lagged()
	}
	edge := o.track.Edge()
	for _, p := range batch {
		header, verdict := o.forwarder.Forward(p, edge)
		if verdict != forward.Send {
			o.counters.waiting.Add(1)
			continue
		}
		o.send(header, p.Payload)
		if o.last == nil {
			o.first <- struct{}{}
		}
		o.last = p
	}
	if o.forwarder.NeedsSync() {
		o.track.RequestKeyframe()
	}
}

func (o *output) send(header rtp.Header, payload []byte) {
	o.header = header
	if _, err := o.stream.WriteRTP(&o.header, payload); err != nil {
		o.counters.failed.Add(1)
		return
	}
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
func (o *output) senderReport(now time.Duration, wall time.Time) []rtcp.Packet {
	o.budget = resendBudget
	if o.last == nil {
		return nil
	}
	ahead := uint64(o.track.Info().Codec.Ticks(now - o.last.PTS)) // negative numbers wrap as they should
	return []rtcp.Packet{&rtcp.SenderReport{
		SSRC: o.ssrc, NTPTime: media.NTPTime(wall), RTPTime: o.forwarder.Timestamp(o.last.Time + ahead),
		PacketCount: o.packets, OctetCount: o.octets,
	}}
}
