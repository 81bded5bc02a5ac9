package peer

import (
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"

	"weir/sfu/media"
	"weir/sfu/peer/transport"
)

// TestRoutes: what packets belong to whose SSRC nobody has seen yet (RFC 9143 section
// 9.2, RFC 8852).
func TestRoutes(t *testing.T) {
	const other = 0x9999
	undeclared := rigVideo()
	undeclared.declared = nil
	layered := undeclared
	layered.rids = []string{"q", "f"}
	grouped := rigVideo()
	grouped.layers = []uint32{rigSSRC, other}
	grouped.declared = map[uint32]uint32{rigSSRC: 0, other: 0, rigRTX: other}
	sameType := rigAudio()
	sameType.payload, sameType.repair = rigPayload, noType
	noRepair := rigVideo()
	noRepair.repair = noType
	for _, tt := range []struct {
		name     string
		sections []section
		ssrc     uint32
		pt       uint8
		names    map[uint8]string
		want     string // MID, number of the encoding, and whether it is a retransmission
	}{
		{"named by the offer", []section{rigVideo(), rigAudio()}, rigSSRC, rigPayload, nil, "v 0 false"},
		{"retransmission named by the offer", []section{rigVideo(), rigAudio()}, rigRTX, rigRepair, nil, "v 0 true"},
		{"media under the SSRC of retransmissions", []section{rigVideo(), rigAudio()}, rigRTX, rigPayload, nil, ""},
		{"retransmission that was not negotiated", []section{noRepair}, rigRTX, rigRepair, nil, ""},
		{"by MID", []section{rigVideo(), rigAudio()}, other, rigPayload, map[uint8]string{rigMID: "v"}, "v 0 false"},
		{"by MID, retransmission", []section{rigVideo(), rigAudio()}, other, rigRepair, map[uint8]string{rigMID: "v"}, "v 0 true"},
		{"by MID, same types", []section{rigVideo(), sameType}, other, rigPayload, map[uint8]string{rigMID: "a"}, "a 0 false"},
		{"MID wins over the offer", []section{rigVideo(), sameType}, rigSSRC, rigPayload, map[uint8]string{rigMID: "a"}, "a 0 false"},
		{"unknown MID", []section{rigVideo(), rigAudio()}, rigSSRC, rigPayload, map[uint8]string{rigMID: "x"}, ""},
		{"MID and type disagree", []section{rigVideo(), rigAudio()}, other, 111, map[uint8]string{rigMID: "v"}, ""},
		{"another type by MID", []section{rigVideo(), rigAudio()}, other, 110, map[uint8]string{rigMID: "a"}, "a 0 false"},
		{"another type", []section{rigVideo(), rigAudio()}, other, 110, nil, ""},
		{"another type, named by the offer", []section{rigVideo(), rigAudio()}, rigSSRC, 110, nil, "v 0 false"},
		{"by type", []section{undeclared, rigAudio()}, other, 111, nil, "a 0 false"},
		{"by type, retransmission", []section{undeclared, rigAudio()}, other, rigRepair, nil, "v 0 true"},
		{"by a type of two sections", []section{undeclared, sameType}, other, rigPayload, nil, ""},
		{"by RID", []section{layered, rigAudio()}, other, rigPayload, map[uint8]string{rigMID: "v", rigRID: "f"}, "v 1 false"},
		{"by RID alone", []section{layered, rigAudio()}, other, rigPayload, map[uint8]string{rigRID: "q"}, "v 0 false"},
		{"by repaired RID", []section{layered, rigAudio()}, other, rigRepair, map[uint8]string{rigMID: "v", rigRepaired: "f"}, "v 1 true"},
		{"unknown RID", []section{layered}, other, rigPayload, map[uint8]string{rigRID: "x"}, ""},
		{"layer without a RID", []section{layered}, other, rigPayload, map[uint8]string{rigMID: "v"}, ""},
		{"retransmission without a RID", []section{layered}, other, rigRepair, map[uint8]string{rigMID: "v"}, ""},
		{"layers by a=ssrc-group", []section{grouped}, other, rigPayload, nil, "v 1 false"},
		{"their retransmissions", []section{grouped}, rigRTX, rigRepair, nil, "v 1 true"},
		{"a RID that was not negotiated", []section{rigVideo()}, other, rigPayload, map[uint8]string{rigRID: "f"}, "v 0 false"},
	} {
		r := newRigOf(t, tt.sections...).router.Load()
		h := named(rtp.Header{SSRC: tt.ssrc, PayloadType: tt.pt}, tt.names)
		got := ""
		if to, again := r.find(&h); to != nil {
			number := 0
			for i, e := range to.of.encodings {
				if e == to {
					number = i
				}
			}
			got = fmt.Sprint(to.of.section.mid, " ", number, " ", again)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestRoutesAreFew: a client that goes from one SSRC to the other, or opens ever new
// ones, costs no memory, and the routes in use stay.
func TestRoutesAreFew(t *testing.T) {
	r := newRigOf(t, rigVideo(), rigAudio())
	sound := rtp.Header{PayloadType: 111, SSRC: 5, Marker: true}
	before := uint32(0)
	for n := range uint32(2 * transport.MaxSources) {
		h := mediaHeader(uint16(n))
		h.SSRC = 1000 + n
		r.put(t, h, frame(1))
		h.PayloadType, h.SSRC = 99, 1e6+n // of no section
		r.put(t, h, frame(1))
		sound.SequenceNumber++
		sound.Timestamp += 960
		r.put(t, sound, []byte{0xf8, 1})
		if len(r.routes()) > maxRoutes || r.at.Keys().Sources() > transport.MaxSources || len(r.in.encodings[0].former) > maxRoutes {
			t.Fatalf("there are %d routes for %d SSRCs", len(r.routes()), r.at.Keys().Sources())
		}
		if n == 100 {
			before = r.in.encodings[0].ssrc
		}
	}
	if before != 1100 {
		t.Errorf("the picture goes on by SSRC %d", before)
	}
	if got := r.pub.Info().Tracks[1].Packets; got != 2*transport.MaxSources {
		t.Errorf("of the sound %d packets got through", got)
	}
}

// TestAnotherSSRC: a track goes on where it was under another SSRC, whatever numbers
// that has, and a keyframe is asked for unless it begins with one.
func TestAnotherSSRC(t *testing.T) {
	for _, first := range []uint16{40000, 102, 101, 65535} {
		r := newRig(t)
		for seq := range uint16(3) {
			r.send(t, 99+seq)
		}
		for seq := range uint16(3) {
			h := mediaHeader(first + seq)
			h.SSRC = rigSSRC + 1
			r.put(t, h, frame(1))
		}
		if got := r.counted(); got.Packets != 6 || got.Late+got.Duplicates != 0 || !r.has(0, 103) || !r.has(0, 105) {
			t.Errorf("the track has %+v", got)
		}
		select {
		case <-r.pub.KeyframeRequests():
			t.Error("a keyframe is asked for when there is one")
		default:
		}
		h := mediaHeader(7)
		h.SSRC = rigSSRC + 2
		inter := frame(1)
		inter[1] |= 1 // no keyframe (RFC 6386 section 9.1)
		r.put(t, h, inter)
		select {
		case id := <-r.pub.KeyframeRequests():
			if id != "v" {
				t.Errorf("a keyframe of %q is asked for", id)
			}
		default:
			t.Error("no keyframe is asked for")
		}
		if !r.has(0, 107) {
			t.Error("what comes before the keyframe is not passed on")
		}
	}
}

// TestFormerSSRC: packets of the SSRC before that come late change nothing; if it is
// sent again for good, the track goes on with it.
func TestFormerSSRC(t *testing.T) {
	r := newRig(t)
	for seq := range uint16(10) {
		r.send(t, seq)
	}
	next := func(seq uint16) {
		h := mediaHeader(seq)
		h.SSRC = rigSSRC + 1
		r.put(t, h, frame(1))
	}
	e := r.in.encodings[0]
	for n := range uint16(40) { // both are sent
		next(500 + n)
		r.send(t, 10+n)
	}
	if got := r.counted(); got.Packets != 50 || e.ssrc != rigSSRC+1 {
		t.Fatalf("of both SSRCs %d packets got through, and that in use is %x", got.Packets, e.ssrc)
	}
	for n := range uint16(2 * returnRun) {
		r.send(t, 50+n)
	}
	if e.ssrc != rigSSRC+1 {
		t.Error("a burst of late packets takes the track back")
	}
	next(540)
	e.newest -= 2 * returnAfter
	for n := range uint16(returnRun) {
		r.send(t, 70+n)
	}
	if e.ssrc != rigSSRC || r.counted().Packets != 52 {
		t.Errorf("the track goes on with %x, and has %d packets", e.ssrc, r.counted().Packets)
	}
}

// TestFormerRetransmissions: of the SSRC before, they are no packets of the new one,
// though they may have its numbers.
func TestFormerRetransmissions(t *testing.T) {
	r := newRig(t)
	for _, seq := range []uint16{1, 2, 4} {
		r.send(t, seq)
	}
	r.again(t, 1, 3)
	h := mediaHeader(100)
	h.SSRC = rigSSRC + 1
	r.put(t, h, frame(1))
	r.again(t, 2, 102) // sent again before there is such a packet
	r.again(t, 3, 99)
	if got := r.counted(); got.Packets != 5 || got.Repaired != 1 {
		t.Errorf("the track has %+v", got)
	}
	h.SequenceNumber = 102
	r.put(t, h, frame(1))
	r.again(t, 4, 101) // the same stream may go on for the new one
	if got := r.counted(); got.Packets != 7 || got.Repaired != 2 {
		t.Errorf("the track has %+v", got)
	}
}

// TestOtherTypes: packets of types that were not negotiated take numbers and are
// nothing else; what was there before the first media is nothing at all.
func TestOtherTypes(t *testing.T) {
	r := newRigOf(t, rigAudio())
	seq := uint16(65530)
	event := func() {
		r.put(t, rtp.Header{PayloadType: 110, SSRC: 5, SequenceNumber: seq, Timestamp: 7}, []byte{1, 0x8a, 0, 160})
		seq++
	}
	sound := func() {
		r.put(t, rtp.Header{PayloadType: 111, SSRC: 5, SequenceNumber: seq, Timestamp: uint32(seq) * 960}, []byte{0xf8, 1})
		seq++
	}
	event()
	if r.pub.Info().Live {
		t.Error("the stream is live without media")
	}
	for range 20 {
		sound()
		event()
	}
	got := r.counted()
	if got.Packets != 40 || got.Bytes != 40 {
		t.Errorf("the track has %+v", got)
	}
	if requests, waiting := r.in.due(); requests != nil || waiting || len(r.asks) > 0 {
		t.Error("something is asked for")
	}
	frames := r.track.AllFrames()
	defer frames.Close()
	batch := make([]*media.Frame, 64)
	n, _, err := frames.Take(batch)
	if err != nil || n != 20 {
		t.Fatalf("%d frames, %v", n, err)
	}
	for i, f := range batch[:n] {
		if f.Gap || i > 0 && f.PTS <= batch[i-1].PTS {
			t.Errorf("frame %d at %v: gap %v", i, f.PTS, f.Gap)
		}
	}
	if got := r.counted(); got.Lost != 0 {
		t.Errorf("%d packets were lost", got.Lost)
	}
}

// TestInVain: a client that sends what can be used for nothing is told from one that
// sends nothing, or padding, or something of use.
func TestInVain(t *testing.T) {
	same := rigAudio()
	same.payload = rigPayload
	undeclared := rigVideo()
	undeclared.declared = nil
	for _, tt := range []struct {
		name string
		send func(r *rig, seq uint16)
		vain bool
	}{
		{"nothing", func(*rig, uint16) {}, false},
		{"cannot be told", func(r *rig, seq uint16) { r.send(t, seq) }, true},
		{"retransmissions alone", func(r *rig, seq uint16) { r.again(t, seq, 1) }, false},
		{"forged", func(r *rig, seq uint16) {
			datagram := r.seal(t, mediaHeader(seq), frame(1))
			datagram[len(datagram)-1] ^= 1
			r.at.ReceiveMedia(datagram, rigAt)
		}, false},
		{"padding", func(r *rig, seq uint16) {
			h := named(mediaHeader(seq), map[uint8]string{rigMID: "v"})
			h.Padding = true
			r.put(t, h, append(make([]byte, 99), 100))
		}, false},
		{"a type that nobody knows", func(r *rig, seq uint16) {
			h := named(mediaHeader(seq), map[uint8]string{rigMID: "v"})
			h.PayloadType = 50
			r.put(t, h, frame(1))
		}, true},
		{"media, then what cannot be told", func(r *rig, seq uint16) {
			if seq == 1 {
				r.put(t, named(mediaHeader(seq), map[uint8]string{rigMID: "v"}), frame(1))
			}
			h := mediaHeader(seq + 1)
			h.SSRC++
			r.put(t, h, frame(1))
		}, true},
		{"once what cannot be told, then nothing", func(r *rig, seq uint16) {
			if seq == 1 {
				r.send(t, seq)
			}
		}, false},
		{"what cannot be told, then media", func(r *rig, seq uint16) {
			r.send(t, seq)
			r.put(t, named(mediaHeader(seq+1), map[uint8]string{rigMID: "v"}), frame(1))
		}, false},
	} {
		r := newRigOf(t, undeclared, same)
		tt.send(r, 1)
		if r.useless.Load() != 0 { // an hour passes
			r.useless.Add(-int64(time.Hour))
			r.newest.Add(-int64(time.Hour))
		}
		tt.send(r, 11)
		if vain := r.inVain() > defaultMediaTimeout; vain != tt.vain {
			t.Errorf("%s: in vain: %v", tt.name, vain)
		}
	}
}
