package peer

import (
	"bytes"
	"encoding/binary"
	"testing"

	"weir/sfu/peer/transport"
)

// FuzzMediaIntake: whatever comes, from anybody or sealed by the client itself, does no
// harm. data is datagrams, each after a byte that says who sends it and two that tell
// its length.
func FuzzMediaIntake(f *testing.F) {
	const forged, sealed = 0, 1
	pack := func(parts ...[]byte) (data []byte) {
		for i, p := range parts {
			data = append(data, byte(i%2))
			data = append(binary.BigEndian.AppendUint16(data, uint16(len(p))), p...)
		}
		return data
	}
	packet := func(flags, kind byte, ssrc uint16, rest ...byte) []byte {
		return append([]byte{flags, kind, 0, 9, 0, 0, 0, 0, 0, 0, byte(ssrc >> 8), byte(ssrc)}, rest...)
	}
	f.Add(pack(aRecord(handshakeRecord, 1, 1, 2, 3), packet(0x80, rigPayload, rigSSRC, frame(1)...)))
	f.Add(pack(aRecord(alertRecord, 1, 1, 2, 3), packet(0x90, rigPayload, rigSSRC, 0xbe, 0xde, 0, 1, 0x51, 0, 7, 0, 1, 2)))
	f.Add(pack(packet(0x80, rigPayload, rigSSRC, frame(1)...), packet(0xa0, rigRepair, rigRTX, 0, 0, 0, 4)))
	f.Add(pack(packet(0x80, 200, rigSSRC, frame(1)...), packet(0x80, rigRepair, rigRTX, append([]byte{0, 5}, frame(5)...)...)))
	f.Add(pack(controlling(), packet(0x8f, rigPayload, 0x3333, make([]byte, 64)...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newRig(t)
		r.send(t, 1)
		r.arrivals.negotiated(rigNumber)
		for len(data) >= 3 {
			sender, n := data[0], int(binary.BigEndian.Uint16(data[1:]))
			n = min(n, len(data)-3)
			datagram := bytes.Clone(data[3 : 3+n])
			data = data[3+n:]
			if sender%2 == sealed {
				var err error
				if datagram, err = r.client.EncryptRTP(nil, datagram, nil); err != nil {
					continue // it is no packet
				}
			}
			before, was := r.counted(), bytes.Clone(datagram)
			r.demux.Receive(datagram, rigAt)
			if sender%2 == forged && (r.counted() != before || !bytes.Equal(datagram, was)) {
				t.Fatalf("%x gets into the track", datagram)
			}
			if len(r.routes()) > maxRoutes || r.at.Keys().Sources() > transport.MaxSources {
				t.Fatalf("there are %d routes, and %d SSRCs were noted", len(r.routes()), r.at.Keys().Sources())
			}
		}
		r.demux.Flush()
		for _, p := range append(r.arrivals.feedback(), r.in.reports()...) {
			if _, err := p.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
		due, _ := r.in.due()
		for _, p := range due {
			if _, err := p.Marshal(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
