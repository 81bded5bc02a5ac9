package peer

import (
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

// readPackets hands the packets of one track to the hub until the connection
// ends. A packet is read into a slab, where it stays for as long as anybody uses
// it: it is not copied again.
func readPackets(t *webrtc.TrackRemote, w *sfu.TrackWriter, pub *sfu.Publication) {
	var slab []byte
	var header rtp.Header
	ssrc := uint32(t.SSRC())
	for {
		if len(slab) < receiveMTU {
			slab = make([]byte, receiveSlab)
		}
		n, _, err := t.Read(slab[:receiveMTU])
		if err != nil {
			return
		}
		packet := slab[:n:n]
		payload, ok := parsePacket(&header, packet)
		if !ok {
			continue
		}
		slab = slab[n:]
		if header.SSRC != ssrc {
			ssrc = header.SSRC
			w.Restart()
		}
		w.WritePacket(sfu.RTP{
			Seq: header.SequenceNumber, Time: header.Timestamp, Marker: header.Marker,
			Arrival: pub.Now(), Payload: payload,
		})
	}
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
func readReports(r remoteTrack, w *sfu.TrackWriter, pub *sfu.Publication) {
	for {
		packets, _, err := r.receiver.ReadRTCP()
		if err != nil {
			return
		}
		arrival := pub.Now()
		for _, p := range packets {
			if sr, ok := p.(*rtcp.SenderReport); ok && sr.SSRC == uint32(r.track.SSRC()) {
				w.SyncClock(sr.NTPTime, sr.RTPTime, arrival)
			}
		}
	}
}
