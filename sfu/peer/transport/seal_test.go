package transport

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu/peer/sdp"
	"weir/sfu/sfutest"
)

var allProfiles = []srtp.ProtectionProfile{
	srtp.ProtectionProfileAeadAes128Gcm, srtp.ProtectionProfileAeadAes256Gcm, srtp.ProtectionProfileAes128CmHmacSha1_80,
}

// keysOf returns a master key and salt for a profile.
func keysOf(p srtp.ProtectionProfile) (key, salt []byte) {
	k, _ := p.KeyLen()
	s, _ := p.SaltLen()
	return bytes.Repeat([]byte{7}, k), bytes.Repeat([]byte{9}, s)
}

// opening is the client's side.
func opening(t testing.TB, p srtp.ProtectionProfile) *srtp.Context {
	t.Helper()
	key, salt := keysOf(p)
	c, err := srtp.CreateContext(key, salt, p, srtp.SRTPReplayProtection(64))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func sealerOf(t testing.TB, p srtp.ProtectionProfile) Sealer {
	t.Helper()
	key, salt := keysOf(p)
	s, err := NewSealer(p, key, salt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSeal: what is sealed, another implementation opens, over several turns of
// the sequence numbers, and what was left out later.
func TestSeal(t *testing.T) {
	for _, p := range allProfiles {
		s, client := sealerOf(t, p), opening(t, p)
		open := func(index uint64) {
			t.Helper()
			h := rtp.Header{Version: 2, Marker: index%3 == 0, PayloadType: 96, SequenceNumber: uint16(index), Timestamp: uint32(index * 3000), SSRC: 0xfedcba98}
			payload := fmt.Appendf(nil, "payload %d", index)
			pad := uint8(index % 5)
			room := make([]byte, 0, RTPHeader+len(payload)+int(pad)+SealOverhead)
			sealed, err := s.Seal(room, &h, index, payload, pad)
			if err != nil || &sealed[0] != &room[:1][0] {
				t.Fatalf("%v: packet %d is sealed elsewhere, or not at all: %v", p, index, err)
			}
			var got rtp.Packet
			plain, err := client.DecryptRTP(nil, sealed, nil)
			if err != nil || got.Unmarshal(plain) != nil {
				t.Fatalf("%v: packet %d: %v", p, index, err)
			}
			if !bytes.Equal(got.Payload, payload) || got.SequenceNumber != h.SequenceNumber || got.Timestamp != h.Timestamp ||
				got.SSRC != h.SSRC || len(plain) != RTPHeader+len(payload)+int(pad) || got.Marker != h.Marker || got.PayloadType != h.PayloadType {
				t.Fatalf("%v: packet %d comes as %v", p, index, got)
			}
		}
		for index := uint64(65_500); index < 3<<16; index++ {
			if index == 2<<16-5 {
				continue
			}
			open(index)
			if index == 2<<16+3 { // it comes when the next turn has begun
				open(2<<16 - 5)
			}
		}
	}
}

// TestSealAgain: a packet that is sent again is the same datagram, so that no key
// stream is used twice; another turn of the sequence numbers has another one.
func TestSealAgain(t *testing.T) {
	for _, p := range allProfiles {
		s := sealerOf(t, p)
		h, payload := rtp.Header{PayloadType: 96, SequenceNumber: 7, SSRC: 1}, []byte("payload")
		seal := func(index uint64) string {
			sealed, err := s.Seal(nil, &h, index, payload, 0)
			if err != nil {
				t.Fatal(err)
			}
			return string(sealed)
		}
		first := seal(7)
		if seal(7) != first {
			t.Errorf("%v: the same packet is sealed in another way", p)
		}
		if p != srtp.ProtectionProfileAes128CmHmacSha1_80 && seal(1<<16+7) == first {
			t.Errorf("%v: the rollover counter has no part in it", p)
		}
	}
}

func TestSealAllocatesNothing(t *testing.T) {
	s := sealerOf(t, srtp.ProtectionProfileAeadAes128Gcm)
	h, payload := &rtp.Header{PayloadType: 96}, make([]byte, 1200)
	room := make([]byte, 0, 1500)
	if n := testing.AllocsPerRun(100, func() { s.Seal(room, h, 1, payload, 0) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// BenchmarkSeal is packets of 1,200 bytes, sealed for each viewer.
func BenchmarkSeal(b *testing.B) {
	for _, p := range allProfiles {
		b.Run(p.String(), func(b *testing.B) {
			sfutest.Forwarding(b, func(b *testing.B, viewers, packets int) func() {
				sealers := make([]Sealer, viewers)
				for i := range sealers {
					sealers[i] = sealerOf(b, p)
				}
				// All viewers share the payloads; each has a key of its own, in its own place.
				payloads := make([][]byte, packets)
				for i := range payloads {
					payloads[i] = make([]byte, 1200)
				}
				h, room, index := &rtp.Header{PayloadType: 96, SSRC: 1}, make([]byte, 0, 1500), uint64(0)
				return func() {
					for _, s := range sealers {
						for i, payload := range payloads {
							at := index + uint64(i)
							h.SequenceNumber = uint16(at)
							if _, err := s.Seal(room, h, at, payload, 0); err != nil {
								b.Fatal(err)
							}
						}
					}
					index += uint64(packets)
				}
			})
		})
	}
}

func TestRTCP(t *testing.T) {
	for _, p := range allProfiles {
		s := &Secrets{profile: p, clientRandom: make([]byte, 32), serverRandom: make([]byte, 32), master: make([]byte, 48)}
		server, err := newKeys(s, sdp.Server, false)
		if err != nil {
			t.Fatal(err)
		}
		client, err := newKeys(s, sdp.Client, true)
		if err != nil {
			t.Fatal(err)
		}
		report := func(ssrc uint32) []byte {
			sealed, err := client.rtcp.seal(nil, []rtcp.Packet{&rtcp.PictureLossIndication{SenderSSRC: ssrc, MediaSSRC: 9}})
			if err != nil {
				t.Fatal(err)
			}
			return sealed
		}
		first := report(1)
		packets, ok := server.rtcp.open(bytes.Clone(first))
		if pli, is := packets[0].(*rtcp.PictureLossIndication); !ok || !is || pli.MediaSSRC != 9 {
			t.Errorf("%v: opened as %v", p, packets)
		}
		if _, ok := server.rtcp.open(first); ok {
			t.Errorf("%v: a replayed report is taken", p)
		}
		forged := report(1)
		forged[len(forged)-8] ^= 1
		if _, ok := server.rtcp.open(forged); ok {
			t.Errorf("%v: a forged report is taken", p)
		}
		for ssrc := range uint32(100) {
			server.rtcp.open(report(ssrc))
		}
		if server.rtcp.reporters != maxReporters {
			t.Errorf("%v: %d reporters are known", p, server.rtcp.reporters)
		}
		for n := range first {
			server.rtcp.open(first[:n])
		}
	}
}
