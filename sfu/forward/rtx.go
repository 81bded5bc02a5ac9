package forward

import (
	"encoding/binary"

	"github.com/pion/rtp"
)

// RTX makes the packets of a retransmission stream (RFC 4588). The zero value is
// one that was not negotiated.
type RTX struct {
	SSRC        uint32
	PayloadType uint8
	Seq         uint16 // of the next packet
}

// Negotiated reports whether the viewer takes retransmissions in a stream of their own.
// If not, a lost packet is sent again as it was.
func (r *RTX) Negotiated() bool { return r.SSRC != 0 }

// Wrap turns a packet that is sent again into one of the retransmission stream.
// The payload, the original sequence number and what payload holds (RFC 4588
// section 4), is built in buf.
func (r *RTX) Wrap(h rtp.Header, payload, buf []byte) (rtp.Header, []byte) {
	buf = binary.BigEndian.AppendUint16(buf[:0], h.SequenceNumber)
	buf = append(buf, payload...)
	h.SSRC = r.SSRC
	h.PayloadType = r.PayloadType
	h.SequenceNumber = r.Seq
	r.Seq++
	return h, buf
}
