package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"

	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
)

// TestMediaIntakeWraps: numbers wrap, with a gap where they do, and the packets before it
// late.
func TestMediaIntakeWraps(t *testing.T) {
	r := newRig(t)
	r.send(t, 65530)
	for turn, numbers := range [][]uint16{{65531, 65532}, {2, 3}, {4}} {
		for _, seq := range numbers {
			if r.send(t, seq); !r.has(min(turn, 1), seq) {
				t.Errorf("packet %d is not in the track", seq)
			}
		}
	}
	late, err := clientAt(t, r, 65535)
	if err != nil {
		t.Fatal(err)
	}
	r.at.ReceiveMedia(late, rigAt)
	if !r.has(0, 65535) {
		t.Error("a packet from before the wrap is not in the track")
	}
}

// clientAt seals a packet of the turn before.
func clientAt(t *testing.T, r *rig, seq uint16) ([]byte, error) {
	t.Helper()
	old := clientContext(t, exchange(t, transport.NewClient(r.demux, transport.NewConnectionState(func() {}), &sdp.Offer{}, true)))
	h := mediaHeader(seq)
	h.Version = 2
	head, err := h.Marshal()
	if err != nil {
		return nil, err
	}
	return old.EncryptRTP(nil, append(head, frame(int(seq))...), nil)
}

// TestNotTaken: what is forged, damaged, replayed or too large gets
// nowhere, and is no sign of life.
func TestNotTaken(t *testing.T) {
	r := newRig(t)
	r.send(t, 1)
	good := bytes.Clone(r.seal(t, mediaHeader(2), frame(2)))
	r.at.ReceiveMedia(good, rigAt)
	damaged := bytes.Clone(r.seal(t, mediaHeader(3), frame(3)))
	damaged[len(damaged)-1] ^= 1
	padded := mediaHeader(5)
	padded.Padding = true
	for _, tt := range []struct {
		name     string
		datagram []byte
	}{
		{"replay", good}, {"damaged", damaged}, {"cut off", damaged[:20]}, {"header alone", damaged[:12]},
		{"too large", bytes.Clone(r.seal(t, mediaHeader(6), make([]byte, receiveMTU)))},
		{"more padding than packet", bytes.Clone(r.seal(t, padded, []byte{1, 2, 200}))},
	} {
		before := r.counted()
		r.at.ReceiveMedia(tt.datagram, rigAt)
		if got := r.counted(); got != before {
			t.Errorf("%s: the track has %+v, before %+v", tt.name, got, before)
		}
	}
	r.at.Heard(time.Hour)
	r.at.ReceiveMedia(good, rigAt)
	r.at.ReceiveMedia(damaged, rigAt)
	if r.send(t, 7); r.at.Quiet() > time.Minute {
		t.Error("a packet is no sign of life")
	}
	r.at.Heard(time.Hour)
	r.at.ReceiveMedia(bytes.Clone(r.seal(t, mediaHeader(8), frame(8))), pathOf("192.0.2.2:2"))
	r.at.ReceiveMedia(good, rigAt)
	if r.at.Quiet() < time.Minute || !r.has(0, 8) {
		t.Errorf("heard %v ago by what came from elsewhere or twice", r.at.Quiet())
	}
}

// TestRetransmissions: they are put in their place, and probes of the network are no
// packets.
func TestRetransmissions(t *testing.T) {
	r := newRig(t)
	r.again(t, 99, 2) // before there is a stream
	r.send(t, 1)
	r.send(t, 4)
	r.again(t, 101, 2)
	r.again(t, 102, 3)
	r.again(t, 103, 3)
	probe := rtp.Header{Padding: true, PayloadType: rigRepair, SSRC: rigRTX, SequenceNumber: 104}
	r.put(t, probe, append(make([]byte, 254), 255))
	probe.SequenceNumber, probe.Padding = 105, false
	r.put(t, probe, []byte{1})
	if got := r.counted(); !r.has(0, 2) || !r.has(0, 3) || got.Packets != 4 || got.Repaired != 2 || got.Duplicates != 1 {
		t.Errorf("the track has %+v", got)
	}
	if report, ok := r.in.encodings[0].intake.Report(rigSSRC, 0); !ok || report.TotalLost != 2 {
		t.Errorf("%+v is reported: what was sent again was lost before", report)
	}
}

// TestStopWakes: what was taken in before the end of a session gets to its viewers,
// even if the burst was not over; what comes later does not.
func TestStopWakes(t *testing.T) {
	r := newRig(t)
	cursor := r.track.Packets()
	defer cursor.Close()
	got := make(chan uint64, 2)
	go func() {
		var batch [1]*media.Packet
		for range cap(got) {
			if n, _, err := cursor.Next(t.Context(), batch[:]); n == 0 || err != nil {
				return
			}
			got <- batch[0].Seq
		}
	}()
	r.send(t, 1)
	r.demux.Flush()
	<-got
	time.Sleep(20 * time.Millisecond) // the viewer sleeps by now, or the test is an easier one
	r.send(t, 2)
	r.in.stop()
	select {
	case <-got:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was woken")
	}
	r.demux.Flush()
	if r.send(t, 3); r.has(0, 3) {
		t.Error("a packet got to the track after the end")
	}
	r.demux.Flush()
}

// TestMediaIntakeAllocates: a packet costs its part of a slab, for its payload and its
// place in the track, and nothing else.
func TestMediaIntakeAllocates(t *testing.T) {
	r := newRig(t)
	r.send(t, 0)
	const packets = 2000
	datagrams := make([][]byte, 2*packets)
	for n := range datagrams {
		datagrams[n] = bytes.Clone(r.seal(t, mediaHeader(uint16(n+1)), frame(n)))
	}
	r.arrivals.negotiated(rigNumber)
	n := 0
	got := testing.AllocsPerRun(packets, func() {
		r.at.ReceiveMedia(datagrams[n], rigAt)
		r.demux.Flush()
		n++
	})
	// AllocsPerRun rounds down: less than one a packet is 0.
	if got != 0 || r.counted().Packets != packets+2 {
		t.Errorf("%v allocations a packet, of which %d got through", got, r.counted().Packets)
	}
}

// BenchmarkMediaIntake is what the socket's reader does with a packet of 1200 bytes by
// AES-128-GCM, with transport-wide numbers and without.
func BenchmarkMediaIntake(b *testing.B) {
	for _, numbered := range []bool{false, true} {
		b.Run(fmt.Sprintf("numbered=%v", numbered), func(b *testing.B) {
			r := newRig(b)
			r.send(b, 0)
			if numbered {
				r.arrivals.negotiated(rigNumber)
			}
			payload := append([]byte{0x00}, make([]byte, 1199)...)
			sealed := make([][]byte, 1024)
			seq := uint16(0)
			fill := func() {
				for i := range sealed {
					seq++
					h := mediaHeader(seq)
					if numbered {
						if err := h.SetExtension(rigNumber, binary.BigEndian.AppendUint16(nil, seq)); err != nil {
							b.Fatal(err)
						}
					}
					sealed[i] = append(sealed[i][:0], r.seal(b, h, payload)...)
				}
			}
			b.ReportAllocs()
			b.SetBytes(1200)
			for n := 0; b.Loop(); n++ {
				if n%len(sealed) == 0 {
					b.StopTimer()
					fill()
					r.arrivals.feedback()
					b.StartTimer()
				}
				r.at.ReceiveMedia(sealed[n%len(sealed)], rigAt)
				if n%16 == 15 {
					r.demux.Flush()
				}
			}
		})
	}
}
