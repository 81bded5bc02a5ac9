package peer

import (
	"testing"

	"github.com/pion/rtp"

	"weir/sfu/sfutest"
)

// BenchmarkReceive is one packet from its decrypted header to the ring: numbers, losses,
// reception, clock, codec and all. Nobody watches.
func BenchmarkReceive(b *testing.B) {
	for _, tt := range []struct {
		name    string
		section section
		header  rtp.Header
		step    uint32 // of the RTP time, each fifth packet of a picture
		payload []byte
	}{
		{"opus", rigAudio(), rtp.Header{Version: 2, PayloadType: 111, SSRC: 5}, 960, []byte{0xf8, 1, 2, 3}},
		{"vp8", rigVideo(), rtp.Header{Version: 2, PayloadType: rigPayload, SSRC: rigSSRC}, 3000, append([]byte{0x10}, sfutest.VP8Frame(1, false, 1000)...)},
	} {
		b.Run(tt.name, func(b *testing.B) {
			r := newRigOf(b, tt.section)
			at := &route{ssrc: tt.header.SSRC, to: r.in.encodings[0], turn: 1}
			h := tt.header
			head, err := h.Marshal()
			if err != nil {
				b.Fatal(err)
			}
			packet := append(head, tt.payload...)
			b.ReportAllocs()
			for n := uint32(0); b.Loop(); n++ {
				h.SequenceNumber = uint16(n)
				if tt.step == 960 || n%5 == 0 {
					h.Timestamp += tt.step
				}
				if r.in.receive(at, &h, packet) != useful {
					b.Fatal("a packet is of no use")
				}
			}
		})
	}
}
