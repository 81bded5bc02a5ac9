package rtp

import (
	"time"

	"github.com/pion/rtcp"

	"weir/sfu/media"
)

// Packet is one RTP packet as it was received.
type Packet struct {
	Seq    uint16
	Time   uint32
	Marker bool
	// Retransmitted reports whether the packet came in a retransmission stream (RFC
	// 4588): it is one that was sent before, and no packet of its own.
	Retransmitted bool
	Arrival       time.Duration // on the clock of the hub's stream
	Payload       []byte        // without padding; without media if it is empty
}

// Result is what an Intake makes of a packet.
type Result struct {
	media.Packet
	// Refused reports whether the packet is of no use: its time is none of the sender's
	// clock, or its number is one of the RTP stream before.
	Refused bool
	// Width and Height are the picture's size, if a decoder can start at the packet and
	// if that tells it.
	Width, Height int
	// Ask is what the packet shows to be missing, to be asked for at once.
	Ask []rtcp.NackPair
	// GaveUp reports whether too much is missing for anything to be asked for.
	GaveUp bool
	// Restarted reports whether the sender counts anew, from this packet on, under the
	// same SSRC.
	Restarted bool
}
