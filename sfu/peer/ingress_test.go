package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"weir/sfu/media"
	"weir/sfu/peer/sdp"
)

// TestIngressWraps: numbers wrap, with a gap where they do, and the packets before it
// late.
func TestIngressWraps(t *testing.T) {
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
	if r.takeMedia(late, rigAt); !r.has(0, 65535) {
		t.Error("a packet from before the wrap is not in the track")
	}
}

// clientAt seals a packet of the turn before.
func clientAt(t *testing.T, r *rig, seq uint16) ([]byte, error) {
	t.Helper()
	old := clientContext(t, r.ingress)
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
	r.takeMedia(good, rigAt)
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
		r.takeMedia(tt.datagram, rigAt)
		if got := r.counted(); got != before {
			t.Errorf("%s: the track has %+v, before %+v", tt.name, got, before)
		}
	}
	r.heard.Store(-int64(time.Hour))
	r.takeMedia(good, rigAt)
	r.takeMedia(damaged, rigAt)
	if r.send(t, 7); r.quiet() > time.Minute {
		t.Error("a packet is no sign of life")
	}
	r.heard.Store(-int64(time.Hour))
	r.takeMedia(bytes.Clone(r.seal(t, mediaHeader(8), frame(8))), netip.MustParseAddrPort("192.0.2.2:2"))
	r.takeMedia(good, rigAt)
	if r.quiet() < time.Minute || !r.has(0, 8) {
		t.Errorf("heard %v ago by what came from elsewhere or twice", r.quiet())
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
	r.demux.flush()
	<-got
	time.Sleep(20 * time.Millisecond) // the viewer sleeps by now, or the test is an easier one
	r.send(t, 2)
	r.in.stop()
	select {
	case <-got:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was woken")
	}
	r.demux.flush()
	if r.send(t, 3); r.has(0, 3) {
		t.Error("a packet got to the track after the end")
	}
	r.demux.flush()
}

// answering is a socket that keeps what is sent.
type answering struct {
	net.PacketConn
	sent [][]byte
}

func (a *answering) WriteTo(b []byte, _ net.Addr) (int, error) {
	a.sent = append(a.sent, bytes.Clone(b))
	return len(b), nil
}

// TestChecksOfPublishers: pion gets those that it has the answer to. Those of the ICE
// session before a restart, and of clients that leave the choice to us, are answered
// all the same.
func TestChecksOfPublishers(t *testing.T) {
	i, socket := newIngress(sdp.Server), &answering{}
	i.enter(newDemux(socket), i, pair{sdp.Credentials{Ufrag: testUfrag, Pwd: testPwd}, remoteUfrag})
	take := func(datagram []byte) []byte { return i.demux.take(datagram, rigAt) }
	for _, tt := range []struct {
		name     string
		datagram []byte
		left     bool
		answer   stun.MessageType // zero: none
	}{
		{"check", controlling(), true, stun.MessageType{}},
		{"nomination", controlling(ice.UseCandidate()), true, stun.MessageType{}},
		{"wrong password", checkBy(testUfrag+":"+remoteUfrag, "wrong"), false, stun.MessageType{}},
		{"controlled", checkBy(testUfrag+":"+remoteUfrag, testPwd, ice.AttrControlled(1)), false, stun.BindingError},
		{"response", stun.MustBuild(stun.TransactionID, stun.BindingSuccess).Raw, false, stun.MessageType{}},
		{"request without a name", stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw, false, stun.MessageType{}},
		{"restart", nil, false, stun.MessageType{}},
		{"former session", controlling(), false, stun.BindingSuccess},
		{"new session", checkBy("new:"+remoteUfrag, testPwd, ice.AttrControlling(1)), true, stun.MessageType{}},
		{"former session, too late", controlling(), false, stun.MessageType{}},
	} {
		socket.sent = nil
		if tt.datagram == nil {
			if err := i.renew(pair{sdp.Credentials{Ufrag: "new", Pwd: testPwd}, remoteUfrag}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if left := take(tt.datagram) != nil; left != tt.left {
			t.Errorf("%s: left for pion: %v", tt.name, left)
		}
		var answer stun.MessageType
		for _, sent := range socket.sent {
			m := &stun.Message{Raw: sent}
			if err := m.Decode(); err != nil {
				t.Fatal(err)
			}
			answer = m.Type
		}
		if answer != tt.answer {
			t.Errorf("%s: answered by %v", tt.name, answer)
		}
	}
	if !i.leave() || len(i.demux.byUfrag)+len(i.demux.byAddr) != 0 {
		t.Errorf("the socket remembers %v and %v", i.demux.byUfrag, i.demux.byAddr)
	}
}

// TestRecordsInHandshake: that the keys are there does not mean that the client knows
// it: until the handshake is over its plain records have a meaning.
func TestRecordsInHandshake(t *testing.T) {
	i := newIngress(sdp.Server)
	last := append(aRecord(handshakeRecord, 0, 1), aRecord(handshakeRecord, 1, 2)...)
	i.secrets.profile, i.secrets.serverRandom = 7, make([]byte, 32) // AEAD_AES_128_GCM
	if _, err := fmt.Fprintf(&i.secrets, "CLIENT_RANDOM %x %x\n", make([]byte, 32), make([]byte, 48)); err != nil {
		t.Fatal(err)
	}
	if i.keys.Load() == nil || !bytes.Equal(i.takeRecords(last), last) {
		t.Error("the client's last flight is dropped, or there are no keys for what follows it")
	}
	if err := i.established(); err != nil {
		t.Fatal(err)
	}
	if got := i.takeRecords(last); !bytes.Equal(got, last[14:]) {
		t.Errorf("of the client's last flight %x is left", got)
	}
	if newIngress(sdp.Server).established() == nil {
		t.Error("a session without a profile is established")
	}
}

// TestIngressAllocates: a packet costs its part of a slab, for its payload and its
// place in the track, and nothing else.
func TestIngressAllocates(t *testing.T) {
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
		r.takeMedia(datagrams[n], rigAt)
		r.demux.flush()
		n++
	})
	// AllocsPerRun rounds down: less than one a packet is 0.
	if got != 0 || r.counted().Packets != packets+2 {
		t.Errorf("%v allocations a packet, of which %d got through", got, r.counted().Packets)
	}
}

// BenchmarkIngress is what the socket's reader does with a packet of 1200 bytes by
// AES-128-GCM, with transport-wide numbers and without.
func BenchmarkIngress(b *testing.B) {
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
				r.takeMedia(sealed[n%len(sealed)], rigAt)
				if n%16 == 15 {
					r.demux.flush()
				}
			}
		})
	}
}
