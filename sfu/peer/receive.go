package peer

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/media"
)

const (
	// receiveSlab is how much is allocated at a time for received packets: some
	// 50 of them.
	receiveSlab = 64 << 10
	// receiveMTU is the largest RTP packet that is taken, in bytes. It is more
	// than an Ethernet frame holds.
	receiveMTU = 1600
)

// input is one track on its way from a publisher. Its first packets come through
// pion, which tells what track they are of; the others come from the ingress.
type input struct {
	// set once
	remoteTrack
	ingress *ingress
	pub     *sfu.Publication
	asking  chan<- asking
	payload uint8  // the type of its packets (RFC 3550 section 5.1)
	nacks   bool   // the client sends lost packets again
	sender  uint32 // our SSRC in feedback (RFC 4585 section 6.1)
	losses  *losses

	ssrc atomic.Uint32 // of the client's packets

	// guarded by mu
	mu        sync.Mutex
	writer    *sfu.TrackWriter // nil once the session is over: the track may have another one then
	reception reception

	// owned by the socket's reader
	slab  []byte
	fresh bool // waits for flush
}

// asking is lost packets that are to be asked for.
type asking struct {
	of      *input
	packets []rtcp.NackPair
}

func newInput(r remoteTrack, w *sfu.TrackWriter, codec media.Codec, c *Publisher, pub *sfu.Publication) *input {
	in := &input{
		remoteTrack: r, ingress: c.ingress, writer: w, pub: pub, asking: c.asking, losses: newLosses(), sender: rand.Uint32(),
		payload:   uint8(r.track.Codec().PayloadType),
		nacks:     slices.Contains(r.track.Codec().RTCPFeedback, webrtc.RTCPFeedback{Type: "nack"}),
		reception: reception{codec: codec},
	}
	in.ssrc.Store(uint32(r.track.SSRC()))
	if !in.nacks {
		w.RepairWithin(minNackWindow) // what is missing may only be late
	}
	return in
}

// readPackets hands the packets that come through pion to the hub until the
// connection ends. A packet is read into a slab, where it stays for as long as
// anybody uses it: it is not copied again.
func (in *input) readPackets() {
	var slab []byte
	var header rtp.Header
	for {
		if len(slab) < receiveMTU {
			slab = make([]byte, receiveSlab)
		}
		n, attributes, err := in.track.Read(slab[:receiveMTU])
		if ended(err) {
			return
		}
		if err != nil {
			continue // a packet that is too large, or of a type that was not negotiated
		}
		again := attributes != nil && attributes.Get(webrtc.AttributeRtxSsrc) != nil // pion has restored it
		packet := slab[:n:n]
		if _, err := header.Unmarshal(packet); err != nil {
			continue
		}
		if payload, ok := payloadOf(&header, packet); ok {
			slab = slab[n:]
			in.put(&header, payload, again)
			in.wake(false)
		}
		if !again { // what was sent again tells nothing of what pion has left
			in.ingress.take(in, header.SSRC, header.SequenceNumber)
			in.repair()
		}
	}
}

// repair gives the input its retransmissions. If the offer does not name their SSRC,
// pion finds it out, which may be long after the hand-over.
func (in *input) repair() {
	if rtx := uint32(in.track.RtxSSRC()); rtx != 0 {
		in.ingress.takeRepairs(in, rtx)
	}
}

// room returns a slice for one packet, at least receiveMTU bytes long.
func (in *input) room() []byte {
	if len(in.slab) < receiveMTU {
		in.slab = make([]byte, receiveSlab)
	}
	return in.slab
}

// used takes the first n bytes out of the room: a packet lies there.
func (in *input) used(n int) { in.slab = in.slab[n:] }

// originalNumber is how many bytes of a retransmission tell the number that the
// packet had (RFC 4588 section 4).
const originalNumber = 2

// receive takes in a packet that came past pion. again says that it came as a
// retransmission. It returns true if flush is due and was not before.
func (in *input) receive(h *rtp.Header, packet []byte, again bool) bool {
	payload, ok := payloadOf(h, packet)
	if !ok || !again && h.PayloadType != in.payload {
		return false // of a type that was not negotiated
	}
	if again {
		if len(payload) < originalNumber {
			return false // a probe of the network: nothing but padding
		}
		h.SSRC, h.SequenceNumber = in.ssrc.Load(), binary.BigEndian.Uint16(payload)
		payload = payload[originalNumber:]
	}
	in.put(h, payload, again)
	due := !in.fresh
	in.fresh = true
	return due
}

// put hands a packet to the hub.
func (in *input) put(h *rtp.Header, payload []byte, again bool) {
	arrival := in.pub.Now()
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer == nil {
		return
	}
	if h.SSRC != in.ssrc.Load() {
		in.ssrc.Store(h.SSRC)
		in.losses.restart()
		in.reception.restart()
		in.writer.Restart()
	}
	if !again {
		in.reception.packet(h.SequenceNumber, h.Timestamp, arrival)
	}
	missed := false
	if in.nacks {
		missing, wasMissing, gaveUp := in.losses.received(h.SequenceNumber, again, arrival)
		missed = wasMissing
		if missing != nil {
			select {
			case in.asking <- asking{in, missing}:
			default: // they are asked for the next time
			}
		}
		if gaveUp {
			in.writer.Missing()
		}
	}
	in.writer.AddPacket(sfu.RTP{
		Seq: h.SequenceNumber, Time: h.Timestamp, Marker: h.Marker,
		Arrival: arrival, Again: missed, Payload: payload,
	})
}

// flush implements flusher, for what receive has taken in.
func (in *input) flush(here bool) {
	in.fresh = false
	in.wake(here)
}

// wake wakes those who wait for packets.
func (in *input) wake(here bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer != nil {
		in.writer.Flush(here)
	}
}

// stop lets go of the track. When it returns, nothing more is written to it.
func (in *input) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer != nil {
		in.writer.Flush(false) // nobody else will
	}
	in.writer = nil
}

// due returns what is to be asked for again by now.
func (in *input) due() []rtcp.NackPair {
	if !in.nacks {
		return nil
	}
	pairs, gaveUp := in.losses.due(in.pub.Now())
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer != nil {
		if gaveUp {
			in.writer.Missing()
		}
		in.writer.RepairWithin(in.losses.window())
	}
	return pairs
}

// report returns what is to be told of the packets that came.
func (in *input) report() (rtcp.ReceptionReport, bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.reception.report(in.ssrc.Load(), in.pub.Now())
}

// maxNackPairs keeps a NACK below 1100 bytes.
const maxNackPairs = 256

// requests returns what asks for lost packets (RFC 4585 section 6.2.1).
func (in *input) requests(lost []rtcp.NackPair) []rtcp.Packet {
	var packets []rtcp.Packet
	for some := range slices.Chunk(lost, maxNackPairs) {
		packets = append(packets, &rtcp.TransportLayerNack{SenderSSRC: in.sender, MediaSSRC: in.ssrc.Load(), Nacks: some})
	}
	return packets
}

// ended says whether err means that nothing more can be read. Other errors are of
// one packet.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)
}

// payloadOf returns the payload of packet, whose header is h, without padding (RFC
// 3550 section 5.1).
func payloadOf(h *rtp.Header, packet []byte) (payload []byte, ok bool) {
	const source, extensionHeader = 4, 4 // bytes
	n := rtpHeader + source*len(h.CSRC)
	if h.Extension {
		if len(packet) < n+extensionHeader {
			return nil, false
		}
		n += extensionHeader + 4*int(binary.BigEndian.Uint16(packet[n+2:]))
	}
	if len(packet) < n {
		return nil, false
	}
	payload = packet[n:]
	if h.Padding && len(payload) > 0 {
		padding := int(payload[len(payload)-1])
		if padding > len(payload) {
			return nil, false
		}
		payload = payload[:len(payload)-padding]
	}
	return payload, true
}

// readReports hands the track's sender reports to the hub until the connection
// ends.
func (in *input) readReports() {
	read := in.receiver.Read
	if rid := in.track.RID(); rid != "" { // a simulcast layer: Read knows the first one only
		read = func(b []byte) (int, interceptor.Attributes, error) { return in.receiver.ReadSimulcast(b, rid) }
	}
	readRTCP(read, func(p rtcp.Packet) {
		in.ingress.hear() // a client with nothing to show reports all the same
		if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == in.ssrc.Load() {
			in.synchronize(sr)
		}
	})
}

// synchronize takes in a sender report.
func (in *input) synchronize(sr *rtcp.SenderReport) {
	now := in.pub.Now()
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reception.senderReport(sr.NTPTime, now)
	if in.writer != nil {
		in.writer.SyncClock(sr.NTPTime, sr.RTPTime, now)
	}
}

// readRTCP calls f for every packet that read yields until the connection ends.
// What cannot be parsed is dropped: one bad packet says nothing of the next.
func readRTCP(read func([]byte) (int, interceptor.Attributes, error), f func(rtcp.Packet)) {
	buf := make([]byte, receiveMTU)
	for {
		n, _, err := read(buf)
		if ended(err) {
			return
		}
		if err != nil {
			continue
		}
		packets, err := rtcp.Unmarshal(buf[:n])
		if err != nil {
			continue
		}
		for _, p := range packets {
			f(p)
		}
	}
}
