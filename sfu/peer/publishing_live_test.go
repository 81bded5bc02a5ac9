package peer

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/stats"
	"github.com/pion/rtp"
	pion "github.com/pion/sdp/v3"
	"github.com/pion/stun/v4"
	"github.com/pion/webrtc/v4"

	"weir/sfu"
	"weir/sfu/peer/peertest"
	"weir/sfu/peer/transport"
)

// TestFirstPacket: of a publisher that sends from the first moment on nothing is
// missing, nothing comes twice, and all of it in its order.
func TestFirstPacket(t *testing.T) {
	for range 3 {
		sent := &sentBy{}
		p := publish(t, peertest.Options{NoRTX: true, Interceptors: []interceptor.Factory{sent}})
		came := p.watchAll(t)
		go p.connect(t)
		seq := uint16(65534) // the numbers wrap with the third packet
		for len(sent.all()) < 300 {
			before := len(sent.all())
			if p.write(t, seq); len(sent.all()) > before {
				seq++
			}
			time.Sleep(100 * time.Microsecond) // a client has a pace
		}
		all := sent.all()
		until(t, "the last packet", func() bool { return len(came()) >= len(all) })
		for i, number := range came() {
			if want := 1<<32 + 65534 + uint64(i); number != want || uint16(number) != all[i] {
				t.Fatalf("packet %d of %d has the number %d, want %d", i, len(all), number, want)
			}
		}
	}
}

// TestLastFlight: the keys are there when our last flight leaves, for what the client
// sends next; and if it gets lost, the client gets it again.
func TestLastFlight(t *testing.T) {
	p := publish(t, peertest.Options{})
	i := p.publisher.client
	var early, lost atomic.Int64
	leaves := func(datagram []byte, _ net.Addr) bool {
		if datagram[0] != changeCipherSpec {
			return true
		}
		if i.Keys() == nil {
			early.Add(1)
		}
		if i.Established() {
			return true
		}
		lost.Add(1)
		return false
	}
	p.socket.leaves.Store(&leaves)
	p.connect(t)
	if early.Load() > 0 || lost.Load() == 0 {
		t.Errorf("our last flight was lost %d times, and left %d times before there were keys", lost.Load(), early.Load())
	}
	p.alive(t, p.begin(t, 0))
}

// TestForgedAtPublishers: what others send in a publisher's name, or repeat of what it
// sent, does not disturb it.
func TestForgedAtPublishers(t *testing.T) {
	p := publish(t, peertest.Options{NoRTX: true})
	p.connect(t)
	var mu sync.Mutex
	var heard [][]byte // the client's media
	hears := func(datagram []byte) bool {
		mu.Lock()
		defer mu.Unlock()
		if len(heard) < 100 {
			heard = append(heard, bytes.Clone(datagram))
		}
		return false
	}
	p.tap.loses.Store(&hears)
	seq := p.alive(t, p.begin(t, 0))
	mu.Lock()
	replayed := slices.Clone(heard)
	mu.Unlock()
	p.tap.loses.Store(nil)
	before := p.pub.Info().Tracks[0]
	at := *p.publisher.client.Path()
	for round := range 20 {
		forged := [][]byte{
			aRecord(alertRecord, 0, 2, 40), aRecord(alertRecord, 0, 1, 0), aRecord(alertRecord, 1, 2, 40),
			aRecord(alertRecord, 1, bytes.Repeat([]byte{1}, 40)...), aRecord(alertRecord, 2, bytes.Repeat([]byte{1}, 40)...),
			aRecord(handshakeRecord, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), aRecord(handshakeRecord, 1, bytes.Repeat([]byte{1}, 60)...),
			aRecord(changeCipherSpec, 0, 1), {22}, bytes.Repeat([]byte{20}, 100), bytes.Repeat([]byte{63}, 1400),
			append([]byte{0x80, 200, 0, 6}, make([]byte, 60)...), append([]byte{0x81, 206, 0, 2}, make([]byte, 60)...), {0x80, 203, 0, 0}, {0x80}, {0x80, 96},
			{0}, bytes.Repeat([]byte{1}, 60), controlling(), controlling(ice.UseCandidate()), bytes.Repeat([]byte{200}, 60), {},
		}
		for i, datagram := range replayed {
			damaged := bytes.Clone(datagram)
			damaged[(round+i)%len(damaged)] ^= 0x11
			if damaged[0]>>6 == 2 { // else it is none of these
				forged = append(forged, damaged)
			}
			other := bytes.Clone(datagram)
			other[8]++ // the SSRC
			forged = append(forged, datagram, other)
		}
		for _, from := range []netip.AddrPort{at.Address, netip.MustParseAddrPort("192.0.2.99:9")} {
			for _, datagram := range forged {
				p.socket.put(datagram, from)
			}
		}
		seq = p.alive(t, seq)
	}
	i := p.publisher.client
	if after := p.pub.Info().Tracks[0]; after.Duplicates != before.Duplicates || after.Late != before.Late {
		t.Errorf("the track has %+v, before %+v", after, before)
	}
	if got := *i.Path(); got != at {
		t.Errorf("the client is at %v, was at %v", got, at)
	}
	p.client.Close()
	if err := p.end(t); !errors.Is(err, ErrClosed) {
		t.Errorf("the publisher ended with %v", err)
	}
	p.forgotten(t)
	if n := i.Keys().Sources(); n != 1 {
		t.Errorf("the client has %d SSRCs", n)
	}
}

func (p *publishing) end(t testing.TB) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(30 * time.Second):
		t.Fatal("the publisher does not end")
		return nil
	}
}

// TestReports: a client learns from our reports what it has lost on the way, though it
// was sent again, and how long the way is.
func TestReports(t *testing.T) {
	told := make(chan stats.Getter, 1)
	factory, err := stats.NewInterceptor()
	if err != nil {
		t.Fatal(err)
	}
	factory.OnNewPeerConnection(func(_ string, g stats.Getter) { told <- g })
	p := publish(t, peertest.Options{Interceptors: []interceptor.Factory{factory}})
	p.connect(t)
	getter := <-told
	ssrc := uint32(p.client.PC.GetSenders()[0].GetParameters().Encodings[0].SSRC)
	seq := p.begin(t, 0)
	await := func(what string, ok func(stats.RemoteInboundRTPStreamStats) bool) {
		t.Helper()
		until(t, what, func() bool {
			p.write(t, seq)
			seq++
			s := getter.Get(ssrc)
			return s != nil && ok(s.RemoteInboundRTPStreamStats)
		})
	}
	const measured = 500 * time.Millisecond // on loopback
	await("a report of no loss and a short way", func(r stats.RemoteInboundRTPStreamStats) bool {
		return r.RoundTripTimeMeasurements > 0 && r.RoundTripTime > -ms && r.RoundTripTime < measured && r.FractionLost == 0 && r.PacketsReceived > 0
	})
	n := 0
	loses := func(datagram []byte) bool {
		if datagram[1]&0x7f != p.publisher.receivers[0].section.payload {
			return false
		}
		n++
		return n%4 == 0
	}
	p.tap.loses.Store(&loses)
	await("a report of loss", func(r stats.RemoteInboundRTPStreamStats) bool { return r.FractionLost > 0.1 && r.FractionLost < 0.5 })
	until(t, "what was lost", func() bool {
		p.write(t, seq)
		seq++
		return p.pub.Info().Tracks[0].Repaired >= 50
	})
}

// TestNothingOfUse: a client whose packets belong to nothing is told so by the end of
// its session, which is no loss of its connection.
func TestNothingOfUse(t *testing.T) {
	p := publish(t, peertest.Options{})
	p.connect(t)
	i := p.publisher.intake
	until(t, "the end of the handshake", p.publisher.client.Established)
	r := &rig{client: clientContext(t, p.secrets())}
	h := mediaHeader(1)
	h.PayloadType = 50
	p.socket.put(r.seal(t, h, frame(1)), p.publisher.client.Path().Address)
	until(t, "the packet", func() bool { return i.useless.Load() != 0 })
	i.useless.Add(-int64(defaultMediaTimeout))
	h.SequenceNumber++
	p.socket.put(r.seal(t, h, frame(1)), p.publisher.client.Path().Address)
	if err := p.end(t); !errors.Is(err, ErrNoMedia) || errors.Is(err, sfu.ErrLost) || p.publisher.Failure() == nil {
		t.Errorf("the publisher ended with %v", err)
	}
	p.client.AwaitGone(t)
	p.forgotten(t)
}

// TestOnlyReports: a client that shows nothing for a while, but reports, is there; one
// of which nothing is heard is lost.
func TestOnlyReports(t *testing.T) {
	p := publish(t, peertest.Options{})
	p.connect(t)
	seq := p.begin(t, 0)
	c := p.publisher.client
	unchecked := func(datagram []byte) bool { return datagram[0] > 3 } // checks do not count any more
	p.socket.comes.Store(&unchecked)
	muted := make(chan struct{})
	var once sync.Once
	loses := func([]byte) bool {
		once.Do(func() { close(muted) })
		return true
	}
	p.tap.loses.Store(&loses)
	until(t, "the end of the media", func() bool {
		p.write(t, seq)
		seq++
		select {
		case <-muted:
			return true
		default:
			return false
		}
	})
	c.Heard(transport.DisconnectedTimeout)
	if !p.publisher.Silent() {
		t.Error("the client is not silent")
	}
	until(t, "a report", func() bool { return !p.publisher.Silent() })
	nothing := func([]byte) bool { return false }
	p.socket.comes.Store(&nothing)
	c.Heard(transport.DisconnectedTimeout + transport.FailedTimeout)
	if err := p.end(t); !errors.Is(err, ErrLost) {
		t.Errorf("the publisher ended with %v", err)
	}
}

// TestPublisherMoves: when the client chooses another path, or sends by another one as
// a NAT has it, what we tell it takes that. However often it moves.
func TestPublisherMoves(t *testing.T) {
	for _, chooses := range []bool{true, false} {
		testMoves(t, chooses, 0)
		testMoves(t, chooses, 2*8)
	}
}

func testMoves(t *testing.T, chooses bool, before uint16) {
	p := publish(t, peertest.Options{})
	p.connect(t)
	seq := p.begin(t, 0)
	moved := netip.MustParseAddrPort("127.0.0.1:9")
	told := make(chan struct{})
	var once sync.Once
	leaves := func(datagram []byte, to net.Addr) bool {
		if to.(*net.UDPAddr).AddrPort() != moved {
			return true
		}
		if datagram[0]>>6 == 2 {
			once.Do(func() { close(told) })
		}
		return false
	}
	p.socket.leaves.Store(&leaves)
	c := p.publisher.client
	user, pwd := peertest.Attribute(p.answer, "ice-ufrag")+":"+c.Remote(), peertest.Attribute(p.answer, "ice-pwd")
	check := []stun.Setter{ice.AttrControlling(7)}
	if chooses {
		check = append(check, ice.UseCandidate())
	}
	for port := uint16(20); port < 20+before; port++ {
		p.socket.put(checkBy(user, pwd, check...), netip.AddrPortFrom(moved.Addr(), port))
	}
	// A check of its own, by the old way, may come in between, on a slow machine.
	until(t, "feedback at the new address", func() bool {
		p.socket.put(checkBy(user, pwd, check...), moved)
		if !chooses { // as what it seals would
			c.Hear(transport.Path{Network: transport.UDP, Address: moved, Writer: c.Path().Writer})
		}
		p.write(t, seq)
		seq++
		select {
		case <-told:
			return true
		default:
			return false
		}
	})
	if before == 0 {
		p.alive(t, seq) // what it still sends from the old address is taken, too
	}
}

// TestLayers: of a client that names its streams by RID, as with simulcast, the SSRC of
// the retransmissions is known long after the first packets.
func TestLayers(t *testing.T) {
	layer := func(rid string) *webrtc.TrackLocalStaticRTP {
		local, err := webrtc.NewTrackLocalStaticRTP(webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8}, "v", "s", webrtc.WithRTPStreamID(rid))
		if err != nil {
			t.Fatal(err)
		}
		return local
	}
	p := publishTracks(t, peertest.Options{}, layer("f"), layer("h"))
	p.connect(t)
	i := p.publisher.intake
	until(t, "the end of the handshake", p.publisher.client.Established)
	names, section := i.router.Load().names, i.router.Load().receivers[0].section
	mid, rid, repaired := names.mid, names.rid, names.repaired
	for number, uri := range map[uint8]string{mid: pion.SDESMidURI, rid: pion.SDESRTPStreamIDURI, repaired: pion.SDESRepairRTPStreamIDURI} {
		if line := fmt.Sprintf("a=extmap:%d %s\r\n", number, uri); number == 0 || !strings.Contains(p.answer, line) {
			t.Fatalf("the answer lacks %q:\n%s", line, p.answer)
		}
	}
	// What the client sends: pion does not name a stream in its packets.
	r := &rig{client: clientContext(t, p.secrets())}
	send := func(h rtp.Header, names map[uint8]string, payload []byte) {
		h.Version, h.Timestamp = 2, 3000
		for id, name := range names {
			if err := h.SetExtension(id, []byte(name)); err != nil {
				t.Fatal(err)
			}
		}
		p.socket.put(r.seal(t, h, payload), p.publisher.client.Path().Address)
	}
	seq, again := uint16(0), uint16(0)
	next := func() { // every second packet is missing
		send(rtp.Header{PayloadType: section.payload, SSRC: rigSSRC, SequenceNumber: seq}, map[uint8]string{mid: "0", rid: "f"}, frame(int(seq)))
		seq += 2
	}
	until(t, "a retransmission", func() bool {
		next()
		lost := seq - 3
		send(rtp.Header{PayloadType: section.repair, SSRC: rigRTX, SequenceNumber: again}, map[uint8]string{mid: "0", repaired: "f"},
			append([]byte{byte(lost >> 8), byte(lost)}, frame(int(lost))...))
		again++
		return p.pub.Info().Tracks[0].Repaired >= 10
	})
}
