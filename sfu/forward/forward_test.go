package forward

import (
	"bytes"
	"testing"

	"github.com/pion/rtp"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

const sourceStart = uint64(1)<<32 + 65530 // shortly before a wrap

// source returns n packets of a source that sends a keyframe every group packets.
func source(n, group int) []*media.Packet {
	packets := make([]*media.Packet, n)
	for i := range packets {
		packets[i] = &media.Packet{
			Seq: sourceStart + uint64(i), Time: 1<<33 + uint64(i)*3000,
			Sync: i%group == 0, Start: true, Marker: true, Payload: []byte{byte(i)},
		}
	}
	return packets
}

func newTest() *Forwarder {
	return New(Config{SSRC: 7, PayloadType: 96, Seq: 65534, Time: 1<<32 - 5})
}

func TestForwardStartsAtSyncAndHasNoHole(t *testing.T) {
	f := newTest()
	packets := source(30, 10)
	edge := packets[29].Time
	want := uint16(65534)
	for i, p := range packets[5:] {
		h, verdict := f.Forward(p, edge)
		if i < 5 {
			if verdict != Waiting {
				t.Fatalf("packet %d before the keyframe: verdict %d, want Waiting", i, verdict)
			}
			continue
		}
		if verdict != Send || h.SequenceNumber != want || h.SSRC != 7 || h.PayloadType != 96 || !h.Marker {
			t.Fatalf("packet %d: verdict %d, header %+v, want sequence %d", i, verdict, h, want)
		}
		want++
	}
}

func TestForwardReordered(t *testing.T) {
	f := newTest()
	p := source(10, 100)
	for _, i := range []int{0, 2, 1, 4, 3} {
		h, verdict := f.Forward(p[i], p[9].Time)
		if verdict != Send || h.SequenceNumber != 65534+uint16(i) {
			t.Errorf("packet %d: verdict %d, sequence %d", i, verdict, h.SequenceNumber)
		}
	}
	early := *p[0]
	early.Seq--
	if _, verdict := f.Forward(&early, p[9].Time); verdict != Old {
		t.Errorf("packet from before the start: verdict %d, want Old", verdict)
	}
}

func TestForwardAfterLag(t *testing.T) {
	f := newTest()
	p := source(60, 10)
	var sent []rtp.Header
	forward := func(from, to int) {
		for _, q := range p[from:to] {
			if h, verdict := f.Forward(q, q.Time); verdict == Send {
				sent = append(sent, h)
			}
		}
	}
	forward(0, 13)
	f.Lagged()
	forward(35, 60) // 35..39 wait, 40 is a keyframe
	for i, h := range sent {
		if h.SequenceNumber != 65534+uint16(i) {
			t.Fatalf("packet %d has sequence %d: there is a hole", i, h.SequenceNumber)
		}
	}
	if got, want := sent[13].Timestamp-sent[12].Timestamp, uint32((40-12)*3000); got != want {
		t.Errorf("time went on by %d ticks over the lag, want %d", got, want)
	}
	for _, tt := range []struct{ sent, source int }{{12, 12}, {13, 40}, {32, 59}} {
		seq, ok := f.Source(sent[tt.sent].SequenceNumber)
		if !ok || seq != p[tt.source].Seq {
			t.Errorf("sent packet %d maps to %d, %v, want %d", tt.sent, seq, ok, p[tt.source].Seq)
		}
		h, _, ok := f.Resend(sent[tt.sent].SequenceNumber, p[tt.source])
		if !ok || h.SequenceNumber != sent[tt.sent].SequenceNumber || h.Timestamp != sent[tt.sent].Timestamp {
			t.Errorf("sent again, packet %d has header %+v, %v; want %+v", tt.sent, h, ok, sent[tt.sent])
		}
	}
	if _, ok := f.Source(65533); ok {
		t.Error("a sequence number from before the start is found")
	}
}

func TestForwardKeepsFewSegments(t *testing.T) {
	f := newTest()
	p := source(200, 10)
	for i := range 10 {
		f.Lagged()
		f.Forward(p[i*20], p[i*20].Time)
	}
	if _, ok := f.Source(65534); ok {
		t.Error("the first of ten segments is still remembered")
	}
	if seq, ok := f.Source(7); !ok || seq != p[180].Seq {
		t.Errorf("the last segment's packet maps to %d, %v", seq, ok)
	}
}

// TestCatchUpTimestamps: what is older than the live edge is squeezed towards
// it, in order, and what follows has its own time.
func TestCatchUpTimestamps(t *testing.T) {
	f := newTest()
	p := source(400, 300)
	edge := p[270].Time // the joiner starts 9 s behind
	last, first := uint32(0), uint32(0)
	for i, q := range p[:300] {
		h, _ := f.Forward(q, edge)
		ts := h.Timestamp + 5 // without the random offset
		if i == 0 {
			first = ts
		} else if step := ts - last; step == 0 || step > 3000 {
			t.Fatalf("packet %d: time steps by %d ticks", i, step)
		}
		last = ts
		if i >= 270 && ts != uint32(q.Time) {
			t.Fatalf("packet %d at the live edge has time %d, want %d", i, ts, uint32(q.Time))
		}
	}
	if behind := uint32(edge) - first; behind != 270*3000/squeeze {
		t.Errorf("the first frame is %d ticks behind the live edge, want %d", behind, 270*3000/squeeze)
	}
}

// TestCatchUpSlowly: a joiner that is sent a stream only some faster than it comes is
// told at each frame about the time of the live edge, ends there, and what is sent
// again has the time that it was sent with.
func TestCatchUpSlowly(t *testing.T) {
	f := newTest()
	const parts, behind, speed = 3, 60, 1.3 // packets of a frame; frames
	var packets []*media.Packet
	for i := range 500 * parts {
		packets = append(packets, &media.Packet{
			Seq: sourceStart + uint64(i), Time: 1<<33 + uint64(i/parts)*3000, Sync: i == 0, Start: i%parts == 0,
		})
	}
	sent := map[uint64]rtp.Header{}
	last := uint32(0)
	for i, p := range packets {
		frame := i / parts
		// The edge moves while a frame is being sent, too.
		edge := max(packets[parts*behind+int(float64(i)/speed)].Time, p.Time)
		h, _ := f.Forward(p, edge)
		sent[p.Seq] = h
		ts := h.Timestamp + 5
		off := uint32(edge) - ts
		if lag := uint32(edge - p.Time); lag > 3000 && off > lag/squeeze+1 && p.Start {
			t.Fatalf("frame %d, %d ticks behind, is labelled %d ticks behind", frame, lag, off)
		}
		if i > 0 && p.Start != (ts != last) || i > 0 && int32(ts-last) < 0 {
			t.Fatalf("packet %d has the time %d after %d", i, ts, last)
		}
		last = ts
		again := packets[max(0, i-30*parts)] // some 0.8 s
		if got, _, ok := f.Resend(sent[again.Seq].SequenceNumber, again); !ok || got.Timestamp != sent[again.Seq].Timestamp {
			t.Fatalf("sent again, packet %d has time %d, %v; want %d", again.Seq-sourceStart, got.Timestamp, ok, sent[again.Seq].Timestamp)
		}
	}
	if last != uint32(packets[len(packets)-1].Time) {
		t.Error("in the end it has not its own time")
	}
	if _, _, ok := f.Resend(sent[sourceStart].SequenceNumber, packets[0]); ok {
		t.Error("what is long ago is sent again, with a time that nobody remembers")
	}
}

// TestCatchUpOutOfOrder: packets of one frame have one time, whichever came first, and
// pictures that are shown before others have earlier ones.
func TestCatchUpOutOfOrder(t *testing.T) {
	f := newTest()
	at := func(seq, time uint64, sync bool) *media.Packet {
		return &media.Packet{Seq: sourceStart + seq, Time: 1<<33 + time, Sync: sync}
	}
	var got []uint32
	for i, p := range []*media.Packet{at(0, 0, true), at(3, 9000, false), at(2, 9000, false), at(4, 3000, false), at(5, 6000, false), at(6, 18000, false)} {
		h, verdict := f.Forward(p, 1<<33+90_000+uint64(i)*500)
		if verdict != Send {
			t.Fatal(verdict)
		}
		got = append(got, h.Timestamp)
	}
	if got[1] != got[2] || got[3] >= got[4] || got[4] >= got[1] || got[0] >= got[3] || got[5] <= got[1] {
		t.Errorf("the times are %d", got)
	}
}

func TestRTX(t *testing.T) {
	r := RTX{SSRC: 99, PayloadType: 97, Seq: 65535}
	buf := make([]byte, 0, 64)
	h, payload := r.Wrap(rtp.Header{SequenceNumber: 0x1234, SSRC: 7, PayloadType: 96, Timestamp: 5}, []byte{9, 8}, buf)
	if !bytes.Equal(payload, []byte{0x12, 0x34, 9, 8}) || h.SSRC != 99 || h.PayloadType != 97 || h.SequenceNumber != 65535 || h.Timestamp != 5 {
		t.Errorf("header %+v, payload %x", h, payload)
	}
	if r.Seq != 0 || !r.Negotiated() || (&RTX{}).Negotiated() {
		t.Errorf("state after: %+v", r)
	}
}

func TestForwardAllocatesNothing(t *testing.T) {
	f := newTest()
	p := source(2, 1)
	if n := testing.AllocsPerRun(100, func() { f.Forward(p[1], p[1].Time) }); n != 0 {
		t.Errorf("%v allocations per packet", n)
	}
}

// BenchmarkForward is the headers for viewers that are live.
func BenchmarkForward(b *testing.B) {
	sfutest.Forwarding(b, func(_ *testing.B, viewers, packets int) func() {
		forwarders, batch := make([]*Forwarder, viewers), source(packets, packets)
		for i := range forwarders {
			forwarders[i] = newTest()
			forwarders[i].Forward(batch[0], batch[0].Time) // nothing is behind
		}
		return func() {
			edge := batch[len(batch)-1].Time
			for _, f := range forwarders {
				for _, p := range batch {
					f.Forward(p, edge)
				}
			}
		}
	})
}

// TestIndex: over turns of the sequence numbers, no two packets have one index.
func TestIndex(t *testing.T) {
	f := newTest()
	p := source(200_000, 1)
	var last uint64
	for i, q := range p {
		h, verdict := f.Forward(q, q.Time)
		if verdict != Send {
			t.Fatalf("packet %d: verdict %v", i, verdict)
		}
		index := f.Index(h.SequenceNumber)
		if uint16(index) != h.SequenceNumber || i > 0 && index != last+1 {
			t.Fatalf("packet %d, sent as %d, has the index %d after %d", i, h.SequenceNumber, index, last)
		}
		if last = index; index > 70_000 && f.Index(h.SequenceNumber-5000) != index-5000 {
			t.Fatalf("packet %d: the index of an earlier one is %d", i, f.Index(h.SequenceNumber-5000))
		}
		if f.Behind(h.SequenceNumber) != 0 || f.Behind(h.SequenceNumber-7) != 7 {
			t.Fatalf("packet %d is not the newest one", i)
		}
	}
	if last>>16 == 0 {
		t.Error("the sequence numbers made no turn")
	}
}
