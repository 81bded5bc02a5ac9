package peer

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/peer/sdp"
	"weir/sfu/peer/transport"
	"weir/sfu/rtp/rtptest"
	"weir/sfu/sfutest"
)

// discard is where datagrams would leave. It keeps the last ones if it is to.
type discard struct {
	buf       []byte
	datagrams int
	keep      bool
	kept      [][]byte
}

func (d *discard) Reserve(n int) []byte {
	if cap(d.buf) < n {
		d.buf = make([]byte, 0, 2*n)
	}
	return d.buf[:0]
}

func (d *discard) Commit(n int, _ netip.AddrPort) {
	d.datagrams++
	if d.keep {
		d.kept = append(d.kept, append([]byte(nil), d.buf[:n]...))
	}
}

func (d *discard) Flush() {}

// packetsOf returns the packets of a keyframe.
func packetsOf(size int) []*media.Packet {
	var batch []*media.Packet
	format, _ := codec.For(media.VP8)
	format.NewPacketizer(1<<32).Packetize(&media.Frame{Sync: true, Data: sfutest.VP8Frame(0, true, size)},
		func(p media.Packet) { batch = append(batch, &p) })
	return batch
}

// TestSenderAllocatesNothing: from the shard to the socket a packet costs no
// allocation per viewer.
func TestSenderAllocatesNothing(t *testing.T) {
	to := &discard{}
	out := newSender(liveTracks(t, media.VP8)[0], sdp.Media{PayloadType: 96}, sdp.Source{SSRC: 1}, make(chan struct{}, 1))
	w := &egress{sealerOf(t, srtp.ProtectionProfileAeadAes128Gcm), to, netip.MustParseAddrPort("192.0.2.1:1")}
	batch := packetsOf(20_000)
	out.write(w, batch, false)
	if n := testing.AllocsPerRun(100, func() { out.write(w, batch, false) }); n != 0 {
		t.Errorf("%v allocations for a batch of %d packets", n, len(batch))
	}
	if to.datagrams < 100*len(batch) {
		t.Errorf("%d packets were written, want at least %d", to.datagrams, 100*len(batch))
	}
}

// TestSenderEvens: packets that an encoder has cut into pieces of nearly one size leave
// as ones of one size, but for the last; unless they may have to be sent again under
// their own numbers.
func TestSenderEvens(t *testing.T) {
	for _, tt := range []struct {
		rtx         bool
		sizes, want []int
	}{
		{true, []int{1000, 1000, 1001, 1001}, []int{1001, 1001, 1001, 1001}},
		{true, []int{1001, 1001, 1000, 1000}, []int{1001, 1001, 1001, 1000}},
		{true, []int{996, 1000, 300}, []int{1000, 1000, 300}},
		{true, []int{995, 1000, 300}, []int{995, 1000, 300}},
		{true, []int{300}, []int{300}},
		{false, []int{1000, 1000, 1001, 1001}, []int{1000, 1000, 1001, 1001}},
	} {
		to := &discard{keep: true}
		m, s := sdp.Media{PayloadType: 96}, sdp.Source{SSRC: 1}
		if tt.rtx {
			m.RepairType, s.RepairSSRC = 97, 2
		}
		out := newSender(liveTracks(t, media.VP8)[0], m, s, make(chan struct{}, 1))
		var batch []*media.Packet
		for i, size := range tt.sizes {
			batch = append(batch, &media.Packet{Seq: 1<<32 + uint64(i), Time: 1 << 32, Sync: i == 0, Start: i == 0, Payload: bytes.Repeat([]byte{byte(i)}, size)})
		}
		out.write(&egress{sealerOf(t, srtp.ProtectionProfileAeadAes128Gcm), to, netip.MustParseAddrPort("192.0.2.1:1")}, batch, false)
		client := opening(t, srtp.ProtectionProfileAeadAes128Gcm)
		for i, datagram := range to.kept {
			var p rtp.Packet
			plain, err := client.DecryptRTP(nil, datagram, nil)
			if err != nil || p.Unmarshal(plain) != nil || len(p.Payload) != tt.sizes[i] || len(plain) != transport.RTPHeader+tt.want[i] {
				t.Errorf("%v, RTX %v: packet %d has %d bytes of %d: %v", tt.sizes, tt.rtx, i, len(p.Payload), len(plain)-transport.RTPHeader, err)
			}
		}
		if len(to.kept) != len(tt.sizes) {
			t.Errorf("%v: %d packets were sent", tt.sizes, len(to.kept))
		}
	}
}

// TestSenderResends: what is sent again is, without a retransmission stream, the
// very datagram that was lost, and in one a packet that the client can open.
func TestSenderResends(t *testing.T) {
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer pub.Close()
	writers, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "video", Codec: media.VP8})
	if err != nil {
		t.Fatal(err)
	}
	writer := writers[0]
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cursor := tracks[0].Packets()
	defer cursor.Close()
	in := rtptest.NewWriter(media.VP8, writer, nil)
	for i, p := range packetsOf(20_000) {
		in.WritePacket(rtptest.Packet{Seq: uint16(i), Payload: p.Payload, Marker: p.Marker})
	}
	batch := make([]*media.Packet, 64)
	n, _, err := cursor.Next(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for _, rtx := range []bool{false, true} {
		to := &discard{keep: true}
		m, s := sdp.Media{PayloadType: 96}, sdp.Source{SSRC: 1}
		if rtx {
			m.RepairType, s.RepairSSRC = 97, 2
		}
		out := newSender(tracks[0], m, s, make(chan struct{}, 1))
		w := &egress{sealerOf(t, srtp.ProtectionProfileAeadAes128Gcm), to, netip.MustParseAddrPort("192.0.2.1:1")}
		out.write(w, batch[:n], false)
		client := opening(t, srtp.ProtectionProfileAeadAes128Gcm)
		first := to.kept[3]
		var lost rtp.Header
		if _, err := lost.Unmarshal(first); err != nil {
			t.Fatal(err)
		}
		v := &Viewer{}
		v.senders = []*sender{out}
		for range 3 {
			pairs := []rtcp.NackPair{{PacketID: lost.SequenceNumber}}
			pairs[0].Range(func(seq uint16) bool { out.resendPacket(w, seq); return true })
		}
		again := to.kept[n:]
		if len(again) != 3 {
			t.Fatalf("RTX %v: %d packets were sent again", rtx, len(again))
		}
		for _, datagram := range again {
			if !rtx {
				if string(datagram) != string(first) {
					t.Error("a packet that is sent again differs")
				}
				continue
			}
			plain, err := client.DecryptRTP(nil, datagram, nil)
			var p rtp.Packet
			if err != nil || p.Unmarshal(plain) != nil || p.SSRC != 2 || p.PayloadType != 97 ||
				uint16(p.Payload[0])<<8|uint16(p.Payload[1]) != lost.SequenceNumber {
				t.Errorf("retransmission %v: %v", p, err)
			}
		}
		out.resendPacket(w, lost.SequenceNumber+uint16(maxBehind)+uint16(n))
		if len(to.kept) != n+3 || out.counters.missing.Load() != 1 {
			t.Errorf("RTX %v: a packet that never was is sent again", rtx)
		}
	}
}

// TestSenderSendsWhatIsAhead: a viewer gets the parameter sets of a keyframe in front of
// it, as packets of their own, and again when it has lost them.
func TestSenderSendsWhatIsAhead(t *testing.T) {
	for _, rtx := range []bool{false, true} {
		to := &discard{keep: true}
		m, s := sdp.Media{PayloadType: 96}, sdp.Source{SSRC: 1}
		if rtx {
			m.RepairType, s.RepairSSRC = 97, 2
		}
		writer, track := h264Track(t)
		out := newSender(track, m, s, make(chan struct{}, 1))
		w := &egress{sealerOf(t, srtp.ProtectionProfileAeadAes128Gcm), to, netip.MustParseAddrPort("192.0.2.1:1")}
		sets := [][]byte{{0x67, 0x42, 0xc0, 0x1e, 0xda, 0x02, 0x80, 0xbf, 0xe5, 0xc0}, {0x68, 0xce, 0x0f, 0xc8}}
		in := rtptest.NewWriter(media.H264, writer, nil)
		in.TellSets(sets...)
		idr := bytes.Repeat([]byte{0x65, 0x88}, 100)
		in.WritePacket(rtptest.Packet{Seq: 1, Marker: true, Payload: idr})
		cursor := track.Packets()
		defer cursor.Close()
		batch := make([]*media.Packet, 8)
		n, _, err := cursor.Next(t.Context(), batch)
		if err != nil {
			t.Fatal(err)
		}
		out.write(w, batch[:n], false)
		client := opening(t, srtp.ProtectionProfileAeadAes128Gcm)
		var got []rtp.Packet
		open := func(datagram []byte) (p rtp.Packet) {
			plain, err := client.DecryptRTP(nil, datagram, nil)
			if err != nil || p.Unmarshal(plain) != nil {
				t.Fatalf("RTX %v: %v", rtx, err)
			}
			return p
		}
		lost := to.kept[1]
		for i, datagram := range to.kept {
			if !rtx && i == 1 {
				continue // a receiver takes each number once
			}
			got = append(got, open(datagram))
		}
		var h rtp.Header
		if _, err := h.Unmarshal(lost); err != nil {
			t.Fatal(err)
		}
		out.resendPacket(w, h.SequenceNumber)
		again := open(to.kept[3])
		if rtx {
			again.Payload = again.Payload[originalNumber:]
		} else {
			got = []rtp.Packet{got[0], again, got[1]}
		}
		if len(got) != 3 || !bytes.Equal(got[0].Payload, sets[0]) || !bytes.Equal(got[1].Payload, sets[1]) || !bytes.Equal(got[2].Payload, idr) ||
			got[1].SequenceNumber != got[0].SequenceNumber+1 || got[2].SequenceNumber != got[1].SequenceNumber+1 || got[0].Marker || !got[2].Marker {
			t.Errorf("RTX %v: %v", rtx, got)
		}
		if !bytes.Equal(again.Payload, sets[1]) {
			t.Errorf("RTX %v: sent again as % x", rtx, again.Payload)
		}
	}
}

// h264Track returns a track of H.264 and its writer.
func h264Track(t *testing.T) (*sfu.TrackWriter, *sfu.Track) {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("s", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pub.Close() })
	writers, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "video", Codec: media.H264})
	if err != nil {
		t.Fatal(err)
	}
	writer := writers[0]
	sub, err := hub.Subscribe("s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sub.Close() })
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return writer, tracks[0]
}
