package peer

import (
	"encoding/binary"

	"github.com/pion/rtp"

	"weir/sfu/peer/transport"
)

const (
	// receiveSlab is how much is allocated at a time for received packets: some
	// 50 of them.
	receiveSlab = 64 << 10
	// receiveMTU is the largest RTP packet that is taken, in bytes. It is more
	// than an Ethernet frame holds.
	receiveMTU = 1600
)

// room returns a slice for one packet, at least receiveMTU bytes long.
func (in *receiver) room() []byte {
	if len(in.slab) < receiveMTU {
		in.slab = make([]byte, receiveSlab)
	}
	return in.slab
}

// used takes the first n bytes out of the room: a packet lies there.
func (in *receiver) used(n int) { in.slab = in.slab[n:] }

// payloadOf returns the payload of packet, whose header is h, without padding (RFC
// 3550 section 5.1).
func payloadOf(h *rtp.Header, packet []byte) (payload []byte, ok bool) {
	const source, extensionHeader = 4, 4 // bytes
	n := transport.RTPHeader + source*len(h.CSRC)
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
