package forward

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// introduced is source with two payloads Ahead of each keyframe, a packet each 40 ms.
func introduced(n, group int) []*media.Packet {
	packets := source(n, group)
	for i, p := range packets {
		p.Arrival = time.Duration(i) * 40 * time.Millisecond
		if p.Sync {
			p.Ahead = [][]byte{{0x67, byte(i)}, {0x68, byte(i)}}
		}
	}
	return packets
}

// wire is what a viewer gets: payloads by the number that they have there.
type wire struct {
	f     *Forwarder
	got   map[uint16][]byte
	first uint16
	edge  uint64
	clash bool
}

func (w *wire) put(seq uint16, payload []byte) {
	_, there := w.got[seq]
	w.clash = w.clash || there
	w.got[seq] = payload
}

func (w *wire) forward(p *media.Packet) Verdict {
	h, verdict := w.f.Forward(p, max(w.edge, p.Time))
	switch verdict {
	case SendAhead:
		for i, payload := range p.Ahead {
			a := w.f.Ahead(p, i)
			if a.Timestamp != h.Timestamp || a.SSRC != h.SSRC || a.Marker {
				panic("what is ahead of a packet is of another frame")
			}
			w.put(a.SequenceNumber, payload)
		}
		w.put(h.SequenceNumber, p.Payload)
	case Send:
		w.put(h.SequenceNumber, p.Payload)
	}
	return verdict
}

func newWire() *wire { return &wire{f: newTest(), got: map[uint16][]byte{}, first: 65534} }

// all returns what came, in the order of its numbers, and whether there is a hole.
func (w *wire) all() (payloads [][]byte, hole bool) {
	for seq := w.first; len(payloads) < len(w.got); seq++ {
		p, ok := w.got[seq]
		if !ok {
			return payloads, true
		}
		payloads = append(payloads, p)
	}
	return payloads, false
}

// again checks that every packet is sent again as it was.
func (w *wire) again(t *testing.T, packets []*media.Packet) {
	t.Helper()
	for seq, payload := range w.got {
		source, ok := w.f.Source(seq)
		if !ok {
			t.Errorf("packet %d is not known any more", seq)
			continue
		}
		h, again, ok := w.f.Resend(seq, packets[source-sourceStart])
		if !ok || h.SequenceNumber != seq || string(again) != string(payload) {
			t.Errorf("packet %d: % x is sent again as % x, %d, %v", seq, payload, again, h.SequenceNumber, ok)
		}
	}
}

// TestAhead: what is Ahead of a keyframe is sent to who begins there, and to all
// others when it comes; numbers have no hole, and all of it can be sent again.
func TestAhead(t *testing.T) {
	w, packets := newWire(), introduced(60, 20)
	for _, p := range packets[10:] { // 20 is the first keyframe
		w.forward(p)
	}
	payloads, hole := w.all()
	if hole || w.clash || len(payloads) != 40+2*2 {
		t.Fatalf("%d packets, hole %v, clash %v", len(payloads), hole, w.clash)
	}
	for i, want := range map[int]byte{0: 0x67, 1: 0x68, 2: 20, 22: 0x67, 23: 0x68, 24: 40, 43: 59} {
		if payloads[i][0] != want {
			t.Errorf("packet %d is % x, want %x", i, payloads[i], want)
		}
	}
	w.again(t, packets)
	if _, ok := w.f.Source(65533); ok {
		t.Error("a number from before the start is known")
	}
}

// TestAheadReordered: packets that are late find their place on either side of what was
// put in. Of a keyframe that comes behind its successors nothing is sent ahead.
func TestAheadReordered(t *testing.T) {
	for name, order := range map[string][]int{
		"before the keyframe": {0, 1, 3, 20, 21, 2, 22, 19},
		"the keyframe":        {0, 1, 21, 20, 22},
	} {
		w, packets := newWire(), introduced(60, 20)
		for _, i := range order {
			w.forward(packets[i])
		}
		want := 2 + len(order)
		if name == "before the keyframe" {
			want += 2
		}
		if w.clash || len(w.got) != want {
			t.Errorf("%s: %d packets, want %d; clash %v", name, len(w.got), want, w.clash)
		}
		w.again(t, packets)
		for _, i := range order { // the viewer sees the order of the source
			for _, j := range order {
				if a, b := w.numberOf(byte(i)), w.numberOf(byte(j)); i < j && int16(b-a) < int16(j-i) {
					t.Errorf("%s: packet %d is %d, packet %d is %d", name, i, a, j, b)
				}
			}
		}
	}
}

func (w *wire) numberOf(i byte) uint16 {
	for seq, payload := range w.got {
		if payload[0] == i && len(payload) == 1 {
			return seq
		}
	}
	return 0
}

// TestAheadOfEachPicture: where each picture is a keyframe, it is told now and then,
// and packets of the last second can still be sent again.
func TestAheadOfEachPicture(t *testing.T) {
	w, packets := newWire(), introduced(100, 1)
	told := 0
	for _, p := range packets {
		if w.forward(p) == SendAhead {
			told++
		}
	}
	if _, hole := w.all(); hole || told < 5 || told > 9 { // of 4 s
		t.Errorf("told %d times, hole %v", told, hole)
	}
	w.f.Lagged()
	if w.forward(introduced(101, 1)[100]) != SendAhead {
		t.Error("who begins anew is not told")
	}
	for i := range 25 {
		seq := uint16(w.f.newest()) - uint16(i)
		if _, ok := w.f.Source(seq); !ok {
			t.Errorf("the packet %d before the newest is not known any more", i)
		}
	}
}

// TestAheadAfterLag: what was skipped stays skipped.
func TestAheadAfterLag(t *testing.T) {
	w, packets := newWire(), introduced(60, 20)
	for _, p := range packets[:10] {
		w.forward(p)
	}
	w.f.Lagged()
	w.forward(packets[20])
	if verdict := w.forward(packets[19]); verdict != Old {
		t.Errorf("a packet that was skipped: verdict %d, want Old", verdict)
	}
	if _, hole := w.all(); hole {
		t.Error("there is a hole")
	}
}
