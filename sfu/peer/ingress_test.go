package peer

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/rtp"
	"github.com/pion/stun/v4"

	"weir/sfu/media"
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
	r.at.receiveMedia(late, rigAt)
	if !r.has(0, 65535) {
		t.Error("a packet from before the wrap is not in the track")
	}
}

// clientAt seals a packet of the turn before.
func clientAt(t *testing.T, r *rig, seq uint16) ([]byte, error) {
	t.Helper()
	old := clientContext(t, exchange(t, newTestClient(nowhere{}, true)))
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
	r.at.receiveMedia(good, rigAt)
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
		r.at.receiveMedia(tt.datagram, rigAt)
		if got := r.counted(); got != before {
			t.Errorf("%s: the track has %+v, before %+v", tt.name, got, before)
		}
	}
	r.at.liveness.heard.Store(-int64(time.Hour))
	r.at.receiveMedia(good, rigAt)
	r.at.receiveMedia(damaged, rigAt)
	if r.send(t, 7); r.at.liveness.quiet() > time.Minute {
		t.Error("a packet is no sign of life")
	}
	r.at.liveness.heard.Store(-int64(time.Hour))
	r.at.receiveMedia(bytes.Clone(r.seal(t, mediaHeader(8), frame(8))), pathOf("192.0.2.2:2"))
	r.at.receiveMedia(good, rigAt)
	if r.at.liveness.quiet() < time.Minute || !r.has(0, 8) {
		t.Errorf("heard %v ago by what came from elsewhere or twice", r.at.liveness.quiet())
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
	r.at.demux.flush()
	<-got
	time.Sleep(20 * time.Millisecond) // the viewer sleeps by now, or the test is an easier one
	r.send(t, 2)
	r.in.stop()
	select {
	case <-got:
	case <-time.After(30 * time.Second):
		t.Fatal("nobody was woken")
	}
	r.at.demux.flush()
	if r.send(t, 3); r.has(0, 3) {
		t.Error("a packet got to the track after the end")
	}
	r.at.demux.flush()
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

// TestChecks: those of the client are answered, as are those of the ICE session before
// a restart, and of clients that leave the choice to us.
func TestChecks(t *testing.T) {
	socket := &answering{}
	c := newTestClient(socket, true)
	c.enter(testCredentials, &ingress{client: c})
	from := path{overUDP, rigAt.address, c.demux.conn}
	renewed := ""
	for _, tt := range []struct {
		name     string
		datagram func() []byte
		found    bool
		answer   stun.MessageType // zero: none
	}{
		{"check", func() []byte { return controlling() }, true, stun.BindingSuccess},
		{"nomination", func() []byte { return controlling(ice.UseCandidate()) }, true, stun.BindingSuccess},
		{"wrong password", func() []byte { return checkBy(testUfrag+":"+remoteUfrag, "wrong") }, false, stun.MessageType{}},
		{"controlled", func() []byte { return checkBy(testUfrag+":"+remoteUfrag, testPwd, ice.AttrControlled(1)) }, false, stun.BindingError},
		{"response", func() []byte { return stun.MustBuild(stun.TransactionID, stun.BindingSuccess).Raw }, false, stun.MessageType{}},
		{"request without a name", func() []byte { return stun.MustBuild(stun.TransactionID, stun.BindingRequest).Raw }, false, stun.MessageType{}},
		{"restart", nil, false, stun.MessageType{}},
		{"former session", func() []byte { return controlling() }, true, stun.BindingSuccess},
		{"new session", func() []byte {
			return checkBy(renewed+":"+remoteUfrag, c.agent.now.local.Pwd, ice.AttrControlling(1))
		}, true, stun.BindingSuccess},
		{"former session, too late", func() []byte { return controlling() }, false, stun.MessageType{}},
	} {
		socket.sent = nil
		if tt.datagram == nil {
			local, err := c.restart(remoteUfrag)
			if err != nil {
				t.Fatal(err)
			}
			renewed = local.Ufrag
			continue
		}
		c.demux.receive(tt.datagram(), from)
		select {
		case <-c.found:
			if !tt.found {
				t.Errorf("%s: it shows where the client is", tt.name)
			}
		default:
			if tt.found {
				t.Errorf("%s: it does not show where the client is", tt.name)
			}
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
	if addresses, sessions := c.demux.known(); addresses != 1 || sessions != 1 {
		t.Errorf("the socket remembers %d addresses and %d sessions", addresses, sessions)
	}
	left := c.leave()
	if addresses, sessions := c.demux.known(); !left || addresses+sessions != 0 {
		t.Errorf("afterwards the socket remembers %d addresses and %d sessions", addresses, sessions)
	}
}

// TestRecordsInHandshake: that the keys are there does not mean that the client knows
// it: until the handshake is over its plain records have a meaning.
func TestRecordsInHandshake(t *testing.T) {
	c := newTestClient(nowhere{}, true)
	last := append(aRecord(handshakeRecord, 0, 1), aRecord(handshakeRecord, 1, 2)...)
	exchange(t, c)
	c.receiveRecords(last)
	if got := <-c.incoming; c.keys.Load() == nil || !bytes.Equal(got, last) {
		t.Error("the client's last flight is dropped, or there are no keys for what follows it")
	}
	if err := c.establish(); err != nil {
		t.Fatal(err)
	}
	c.receiveRecords(last)
	if got := <-c.incoming; !bytes.Equal(got, last[14:]) {
		t.Errorf("of the client's last flight %x is left", got)
	}
	if newTestClient(nowhere{}, true).establish() == nil {
		t.Error("a session without a profile is established")
	}
}

// TestRecordsAreBounded: who floods a session with records does not hold up the reader:
// what finds no room is dropped, and counted. When the client has shown its keys,
// nothing waits any more.
func TestRecordsAreBounded(t *testing.T) {
	c := newTestClient(nowhere{}, true)
	exchange(t, c)
	hello := aRecord(handshakeRecord, 0, 1)
	for range maxRecords + 7 {
		c.receiveRecords(hello)
	}
	if got := c.demux.dropped.Load(); got != 7 || len(c.incoming) != maxRecords {
		t.Errorf("%d records wait, %d were dropped", len(c.incoming), got)
	}
	if err := c.establish(); err != nil {
		t.Fatal(err)
	}
	c.hear(rigAt)
	for range 3 {
		c.receiveRecords(aRecord(handshakeRecord, 1, 1))
	}
	if got := c.demux.dropped.Load(); got != 7 {
		t.Errorf("%d records were dropped", got)
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
		r.at.receiveMedia(datagrams[n], rigAt)
		r.at.demux.flush()
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
				r.at.receiveMedia(sealed[n%len(sealed)], rigAt)
				if n%16 == 15 {
					r.at.demux.flush()
				}
			}
		})
	}
}
