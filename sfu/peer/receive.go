package peer

import (
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
)

const (
	// receiveSlab is how much is allocated at a time for received packets: some
	// 50 of them.
	receiveSlab = 64 << 10
	// receiveMTU is the largest RTP packet that is taken, in bytes. It is more
	// than an Ethernet frame holds.
	receiveMTU = 1600
)

// input is one track on its way from a publisher.
type input struct {
	// set once
	remoteTrack
	writer    *sfu.TrackWriter
	pub       *sfu.Publication
	writeRTCP func([]rtcp.Packet) error
	nacks     bool   // the client sends lost packets again
	sender    uint32 // our SSRC in feedback (RFC 4585 section 6.1)

	losses *losses
	ssrc   atomic.Uint32 // of the client's packets
}

func newInput(r remoteTrack, w *sfu.TrackWriter, pub *sfu.Publication, writeRTCP func([]rtcp.Packet) error) *input {
	in := &input{
		remoteTrack: r, writer: w, pub: pub, writeRTCP: writeRTCP, losses: newLosses(), sender: rand.Uint32(),
		nacks: slices.Contains(r.track.Codec().RTCPFeedback, webrtc.RTCPFeedback{Type: "nack"}),
	}
	in.ssrc.Store(uint32(r.track.SSRC()))
	if !in.nacks {
		w.RepairWithin(minNackWindow) // what is missing may only be late
	}
	return in
}

// readPackets hands the packets of the track to the hub until the connection
// ends. A packet is read into a slab, where it stays for as long as anybody uses
// it: it is not copied again.
func (in *input) readPackets() {
	var slab []byte
	var header rtp.Header
	for {
		if len(slab) < receiveMTU {
			slab = make([]byte, receiveSlab)
		}
		n, _, err := in.track.Read(slab[:receiveMTU])
		if ended(err) {
			return
		}
		if err != nil {
			continue // a packet that is too large, or of a type that was not negotiated
		}
		packet := slab[:n:n]
		payload, ok := parsePacket(&header, packet)
		if !ok {
			continue
		}
		slab = slab[n:]
		if header.SSRC != in.ssrc.Load() {
			in.ssrc.Store(header.SSRC)
			in.losses.restart()
			in.writer.Restart()
		}
		arrival := in.pub.Now()
		again := false
		if in.nacks {
			var missing []rtcp.NackPair
			missing, again = in.losses.received(header.SequenceNumber, arrival)
			in.ask(missing)
		}
		in.writer.WritePacket(sfu.RTP{
			Seq: header.SequenceNumber, Time: header.Timestamp, Marker: header.Marker,
			Arrival: arrival, Again: again, Payload: payload,
		})
	}
}

// askAgain repeats the requests for lost packets that are due.
func (in *input) askAgain() {
	if !in.nacks {
		return
	}
	in.ask(in.losses.due(in.pub.Now()))
	in.writer.RepairWithin(in.losses.window())
}

// maxNackPairs keeps a NACK below 1100 bytes.
const maxNackPairs = 256

// ask asks for lost packets (RFC 4585 section 6.2.1).
func (in *input) ask(pairs []rtcp.NackPair) {
	ssrc := in.ssrc.Load()
	for some := range slices.Chunk(pairs, maxNackPairs) {
		// An error means that the connection is about to be gone.
		_ = in.writeRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{SenderSSRC: in.sender, MediaSSRC: ssrc, Nacks: some}})
	}
}

// ended says whether err means that nothing more can be read. Other errors are of
// one packet.
func ended(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe)
}

// parsePacket reads the header of packet into h and returns the payload, without
// padding (RFC 3550 section 5.1).
func parsePacket(h *rtp.Header, packet []byte) (payload []byte, ok bool) {
	n, err := h.Unmarshal(packet)
	if err != nil {
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
		if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == in.ssrc.Load() {
			in.writer.SyncClock(sr.NTPTime, sr.RTPTime, in.pub.Now())
		}
	})
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
