package codec

import (
	"math/rand"
	"testing"
	"time"

	"weir/sfu/media"
)

// shot is a frame of one packet, or of two of which the second is lost.
type shot struct {
	lost   uint64 // packets lost right before it
	id     int    // picture id modulo 1<<15, of 7 bits up to 127; -1 for none
	tl0    int    // TL0PICIDX, -1 for none
	layer  string // "" no TID, else TID and perhaps y: "0", "1y"; k in front: keyframe
	want   string // - dropped, + out, ! out with Gap
	closed bool   // NeedsSync afterwards
	broken bool   // the second half is lost
}

func (s shot) descriptor() (d VP8Descriptor, key bool) {
	d = VP8Descriptor{StartOfPart: true}
	if s.id >= 0 {
		d.HasPictureID, d.LongID, d.PictureID = true, s.id > 127, uint16(s.id)&0x7fff
	}
	if s.tl0 >= 0 {
		d.HasTL0PicIdx, d.TL0PicIdx = true, uint8(s.tl0)
	}
	for _, c := range s.layer {
		switch c {
		case 'k':
			key = true
		case 'y':
			d.LayerSync = true
		default:
			d.HasTID, d.TID = true, uint8(c-'0')
		}
	}
	return d, key
}

var gateTests = []struct {
	name  string
	shots []shot
}{
	{"no ids: gate to the keyframe", []shot{{0, -1, -1, "k", "+", false, false}, {1, -1, -1, "", "-", true, false},
		{0, -1, -1, "", "-", true, false}, {0, -1, -1, "k", "!", false, false}, {0, -1, -1, "", "+", false, false}}},
	{"padding lost", []shot{{0, 1000, -1, "k", "+", false, false}, {3, 1001, -1, "", "+", false, false}}},
	{"padding lost, before a keyframe", []shot{{0, 1000, -1, "k", "+", false, false}, {3, 1001, -1, "k", "+", false, false}}},
	{"padding lost, 15 bit wrap", []shot{{0, 32767, -1, "k", "+", false, false}, {127, 1 << 15, -1, "", "+", false, false}}},
	{"padding lost, 7 bit wrap", []shot{{0, 127, -1, "k", "+", false, false}, {127, 0, -1, "", "+", false, false}}},
	{"7 bit id: a whole turn may be lost", []shot{{0, 127, -1, "k", "+", false, false}, {128, 0, -1, "", "-", true, false}}},
	{"15 bit id: a whole turn may be lost", []shot{{0, 1000, -1, "k", "+", false, false}, {32768, 1001, -1, "", "-", true, false}}},
	{"id width changed", []shot{{0, 127, -1, "k", "+", false, false}, {1, 128, -1, "", "-", true, false}}},
	{"frame lost", []shot{{0, 1000, -1, "k", "+", false, false}, {1, 1002, -1, "", "-", true, false},
		{0, 1003, -1, "k", "!", false, false}}},
	{"same id after a hole", []shot{{0, 1000, -1, "k", "+", false, false}, {1, 1000, -1, "", "-", true, false}}},
	{"padding lost while closed proves nothing", []shot{{0, 1000, -1, "k", "+", false, false}, {1, 1002, -1, "", "-", true, false},
		{1, 1003, -1, "", "-", true, false}}},
	{"ids jump without a hole", []shot{{0, 1000, -1, "k", "+", false, false}, {0, 5000, -1, "", "+", false, false}}},

	{"upper layer lost", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 8, "0", "!", false, false},
		{0, 1003, 8, "1", "-", false, false}, {0, 1004, 9, "0", "!", false, false}, {0, 1005, 9, "1y", "+", false, false},
		{0, 1006, 10, "0", "+", false, false}, {0, 1007, 10, "1", "+", false, false}}},
	{"TL0PICIDX wraps", []shot{{0, 1000, 255, "k0", "+", false, false}, {1, 1002, 0, "0", "!", false, false}}},
	{"base lost", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 9, "0", "-", true, false},
		{0, 1003, 10, "0", "-", true, false}, {0, 1004, 11, "k0", "!", false, false}}},
	{"base lost, upper layer tells", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 8, "1y", "-", true, false}}},
	{"upper layer with Y first", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 7, "1y", "!", false, false},
		{0, 1003, 8, "0", "+", false, false}, {0, 1004, 8, "1", "+", false, false}}},
	{"upper layer without Y first", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 7, "2", "-", false, false},
		{0, 1003, 8, "0", "!", false, false}}},
	{"upper frame before the hole, base lost in it", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 7, "1y", "!", false, false},
		{0, 1003, 9, "0", "-", true, false}}},
	{"three layers open from below", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 7, "2y", "!", false, false},
		{0, 1003, 8, "0", "+", false, false}, {0, 1004, 8, "2", "-", false, false}, {0, 1005, 8, "1y", "!", false, false},
		{0, 1006, 8, "2", "-", false, false}, {0, 1007, 8, "2y", "!", false, false}, {0, 1008, 8, "2", "+", false, false}}},
	{"broken upper frame", []shot{{0, 1000, 7, "k0", "+", false, false}, {0, 1001, 7, "1", "-", false, true},
		{0, 1002, 8, "0", "!", false, false}}},
	{"broken base frame", []shot{{0, 1000, 7, "k0", "+", false, false}, {0, 1001, 8, "0", "-", false, true},
		{0, 1002, 8, "1y", "-", true, false}}},
	{"ids do not agree with the hole", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1003, 8, "0", "-", true, false}}},
	{"ids do not agree with the broken frame", []shot{{0, 1000, 7, "k0", "+", false, false}, {0, 1001, 7, "1", "-", false, true},
		{0, 1001, 8, "0", "-", true, false}}},
	{"TL0PICIDX without picture id", []shot{{0, -1, 7, "k0", "+", false, false}, {1, -1, 8, "0", "-", true, false}}},
	{"TL0PICIDX without TID", []shot{{0, 1000, 7, "k", "+", false, false}, {1, 1002, 8, "", "-", true, false}}},
	{"TID without TL0PICIDX", []shot{{0, 1000, -1, "k0", "+", false, false}, {1, 1002, -1, "0", "-", true, false}}},
	{"keyframe not layered", []shot{{0, 1000, -1, "k", "+", false, false}, {1, 1002, 8, "0", "-", true, false}}},
	{"keyframe not of layer 0", []shot{{0, 1000, 7, "k0", "+", false, false}, {0, 1001, 9, "k1", "+", false, false},
		{1, 1003, 8, "0", "-", true, false}}},
	{"TL0PICIDX: a whole turn may be lost", []shot{{0, 1000, 7, "k0", "+", false, false}, {256, 1257, 8, "0", "-", true, false}}},
	{"TL0PICIDX: almost a turn", []shot{{0, 1000, 7, "k0", "+", false, false}, {255, 1256, 8, "0", "!", false, false}}},
	{"TL0PICIDX: a turn in two holes", []shot{{0, 1000, 7, "k0", "+", false, false}, {200, 1201, 7, "1y", "!", false, false},
		{56, 1258, 8, "0", "-", true, false}}},
	{"descriptor changes while layers are dropped", []shot{{0, 1000, 7, "k0", "+", false, false}, {1, 1002, 8, "0", "!", false, false},
		{0, 1003, -1, "", "-", true, false}}},
}

func TestVP8Gate(t *testing.T) {
	for _, tt := range gateTests {
		d := newVP8Depacketizer(Config{Window: 100 * ms})
		seq, now := uint64(1<<32), time.Duration(0)
		for i, s := range tt.shots {
			var got sink
			seq += s.lost
			desc, key := s.descriptor()
			body := []byte{1, 2}
			if key {
				body = keyHeader
			}
			p := media.Packet{Seq: seq, Time: uint64(i), PTS: now, Arrival: now, Marker: !s.broken}
			p.Payload = append(desc.encode(), body...)
			d.Depacketize(&p, got.emit)
			seq++
			now += 33 * ms
			if s.broken {
				seq++
			} else {
				d.Flush(got.emit) // give up the hole in front, if there is one
			}
			name := "-"
			if len(got.frames) > 0 {
				name = "+"
				if got.frames[0].Gap {
					name = "!"
				}
			}
			if name != s.want || d.NeedsSync() != s.closed {
				t.Errorf("%s, frame %d: %s, NeedsSync %v; want %s, %v", tt.name, i, name, d.NeedsSync(), s.want, s.closed)
			}
		}
	}
}

// layeredFrame is a frame of a stream with three temporal layers, with the
// frames that it refers to.
type layeredFrame struct {
	d       VP8Descriptor
	key     bool
	refers  []int
	packets int
}

// layeredStream makes frames in the order of layers 0 2 1 2 with layer syncs at
// random. A frame refers to the last one of its own layer and of each below, or
// with layer sync to the last one of layer 0 only.
func layeredStream(rng *rand.Rand, n int) []layeredFrame {
	frames := make([]layeredFrame, n)
	id, tl0 := uint16(rng.Intn(1<<15)), uint8(rng.Intn(256))
	var newest [3]int // of each layer, -1 when the frame is none to refer to
	for i := range frames {
		f := &frames[i]
		f.key = i%60 == 0
		tid := [4]uint8{0, 2, 1, 2}[i%4]
		f.packets = 1 + rng.Intn(3)
		if tid == 0 {
			tl0++
		}
		f.d = VP8Descriptor{StartOfPart: true, HasPictureID: true, LongID: true, PictureID: id,
			HasTL0PicIdx: true, TL0PicIdx: tl0, HasTID: true, TID: tid}
		id = (id + 1) & 0x7fff
		switch {
		case f.key:
			newest = [3]int{i, -1, -1}
			continue
		case tid > 0 && rng.Intn(3) == 0:
			f.d.LayerSync = true
			f.refers = []int{newest[0]}
		default:
			for _, j := range newest[:tid+1] {
				if j >= 0 {
					f.refers = append(f.refers, j)
				}
			}
		}
		newest[tid] = i
	}
	return frames
}

// TestVP8GateLayers drops packets of a layered stream at random: whatever comes
// out refers only to frames that came out, and the proofs save something.
func TestVP8GateLayers(t *testing.T) {
	emitted, decodable := 0, 0
	for seed := range int64(400) {
		rng := rand.New(rand.NewSource(seed))
		frames := layeredStream(rng, 240)
		d := newVP8Depacketizer(Config{Window: 50 * ms})
		loss := rng.Float64() * 0.1
		out, whole := make([]bool, len(frames)), make([]bool, len(frames))
		emit := func(f media.Frame) {
			i := int(f.PTS / (33 * ms))
			out[i] = true
			for _, j := range frames[i].refers {
				if !out[j] {
					t.Fatalf("seed %d: frame %d came out and refers to %d, which did not", seed, i, j)
				}
			}
			emitted++
		}
		seq := uint64(0)
		for i, f := range frames {
			at := time.Duration(i) * 33 * ms
			whole[i] = true
			for _, j := range f.refers {
				whole[i] = whole[i] && whole[j]
			}
			for j := range f.packets {
				p := media.Packet{Seq: seq, Time: uint64(i), PTS: at, Arrival: at, Marker: j == f.packets-1}
				seq++
				f.d.StartOfPart = j == 0
				p.Payload = append(f.d.encode(), 1, byte(j))
				if f.key && j == 0 {
					p.Payload = append(f.d.encode(), keyHeader...)
				}
				if seq == 1 || rng.Float64() >= loss {
					d.Depacketize(&p, emit)
				} else {
					whole[i] = false
				}
			}
			if whole[i] {
				decodable++
			}
		}
		d.Flush(emit)
		if loss == 0 && d.Losses() != (Losses{}) {
			t.Errorf("seed %d: %+v", seed, d.Losses())
		}
	}
	t.Logf("%d frames out of %d that could be decoded", emitted, decodable)
	if emitted < decodable*8/10 {
		t.Errorf("%d frames out of %d that could be decoded: the gate is too shy", emitted, decodable)
	}
}
