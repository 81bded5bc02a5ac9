package codec

import (
	"bytes"
	"math/rand"
	"slices"
	"testing"
	"time"

	"weir/sfu/media"
)

// picture9 is a picture of a stream with layers, with those that it refers to.
type picture9 struct {
	d      VP9Descriptor
	key    bool
	refers []int
	layers int // spatial
}

// layered9 makes a stream with three temporal layers in the order 0 2 1 2 and one
// or two spatial ones. A picture refers to the last one of its own temporal layer
// and of each below; of the higher layers only to those behind the last switching
// point below.
func layered9(rng *rand.Rand, n int, flexible bool) []picture9 {
	pictures := make([]picture9, n)
	id, tl0 := uint16(rng.Intn(1<<15)), uint8(rng.Intn(256))
	newest := [3]int{-1, -1, -1}
	for i := range pictures {
		p := &pictures[i]
		p.key = i%60 == 0
		tid := [4]uint8{0, 2, 1, 2}[i%4]
		p.layers = 1 + rng.Intn(2)
		if tid == 0 {
			tl0++
		}
		p.d = VP9Descriptor{Inter: !p.key, Flexible: flexible, HasPictureID: true, LongID: true, PictureID: id,
			HasLayers: true, TID: tid, HasTL0PicIdx: !flexible}
		if !flexible {
			p.d.TL0PicIdx = tl0
		}
		id = (id + 1) & 0x7fff
		if p.key {
			newest = [3]int{i, -1, -1}
			continue
		}
		for _, j := range newest[:tid+1] {
			if j >= 0 && i-j <= vp9MaxDiff {
				p.refers = append(p.refers, j)
				if flexible {
					p.d.refs.add(uint8(i - j))
				}
			}
		}
		newest[tid] = i
		if rng.Intn(3) == 0 {
			p.d.SwitchUp = true
			for j := tid + 1; int(j) < len(newest); j++ {
				newest[j] = -1 // not referred to from here on
			}
		}
	}
	return pictures
}

// packets returns the payloads of a picture: one to three for each spatial layer.
func (p *picture9) packets(rng *rand.Rand, n int) (payloads [][]byte, frame []byte) {
	var sizes []int
	for sid := range p.layers {
		body := append(bytes.Clone(vp9InterHeader), byte(n), byte(n>>8), byte(sid))
		if p.key && sid == 0 {
			body = append(bytes.Clone(vp9KeyHeader), byte(n), byte(n>>8))
		}
		sizes = append(sizes, len(body))
		frame = append(frame, body...)
		for first := true; len(body) > 0; first = false {
			size := min(len(body), 8+rng.Intn(8))
			d := p.d
			d.SID, d.Start, d.End = uint8(sid), first, size == len(body)
			payloads = append(payloads, append(d.encode(), body[:size]...))
			body = body[size:]
		}
	}
	if p.layers > 1 {
		frame = appendVP9Index(frame, sizes)
	}
	return payloads, frame
}

// TestVP9GateLayers drops packets of a layered stream at random: whatever comes
// out refers only to pictures that came out, is the picture that was sent, and
// the proofs save something.
func TestVP9GateLayers(t *testing.T) {
	for _, flexible := range []bool{false, true} {
		emitted, decodable := 0, 0
		for seed := range int64(300) {
			rng := rand.New(rand.NewSource(seed))
			pictures := layered9(rng, 240, flexible)
			d := newVP9Depacketizer(Config{Window: 50 * ms})
			loss := rng.Float64() * 0.1
			out, whole := make([]bool, len(pictures)), make([]bool, len(pictures))
			sent := make([][]byte, len(pictures))
			emit := func(f media.Frame) {
				i := int(f.PTS / (33 * ms))
				out[i] = true
				if !bytes.Equal(f.Data, sent[i]) || f.Sync != pictures[i].key {
					t.Fatalf("seed %d: picture %d is not what was sent", seed, i)
				}
				for _, j := range pictures[i].refers {
					if !out[j] {
						t.Fatalf("flexible %v, seed %d: picture %d came out and refers to %d, which did not", flexible, seed, i, j)
					}
				}
				emitted++
			}
			seq := uint64(0)
			for i := range pictures {
				p := &pictures[i]
				at := time.Duration(i) * 33 * ms
				payloads, frame := p.packets(rng, i)
				sent[i] = frame
				whole[i] = !slices.ContainsFunc(p.refers, func(j int) bool { return !whole[j] })
				for j, payload := range payloads {
					packet := media.Packet{Seq: seq, Time: uint64(i), PTS: at, Arrival: at, Marker: j == len(payloads)-1, Payload: payload}
					seq++
					if seq == 1 || rng.Float64() >= loss {
						d.Depacketize(&packet, emit)
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
		t.Logf("flexible %v: %d pictures out of %d that could be decoded", flexible, emitted, decodable)
		if emitted < decodable*7/10 {
			t.Errorf("flexible %v: %d pictures out of %d that could be decoded: the gate is too shy", flexible, emitted, decodable)
		}
	}
}

// shot9 is a picture of one packet.
type shot9 struct {
	lost   uint64 // packets lost right before it
	id     uint16
	diffs  []uint8 // nil: P is clear
	tid    int     // -1: no layers
	key    bool
	want   string // - dropped, + out, ! out with Gap
	closed bool   // NeedsSync afterwards
}

func TestVP9GateFlexible(t *testing.T) {
	tests := []struct {
		name  string
		shots []shot9
	}{
		{"the lost one is not referred to", []shot9{{0, 10, nil, -1, true, "+", false}, {1, 12, []uint8{2}, -1, false, "!", false},
			{0, 13, []uint8{1}, -1, false, "+", false}}},
		{"the lost one is referred to", []shot9{{0, 10, nil, -1, true, "+", false}, {1, 12, []uint8{1}, -1, false, "-", true},
			{0, 13, []uint8{3}, -1, false, "-", true}, {0, 14, nil, -1, true, "!", false}}},
		{"one of two is lost", []shot9{{0, 10, nil, -1, true, "+", false}, {1, 12, []uint8{1, 2}, -1, false, "-", true}}},
		{"an upper layer is lost", []shot9{{0, 10, nil, 0, true, "+", false}, {1, 12, []uint8{2}, 0, false, "!", false},
			{0, 13, []uint8{2}, 1, false, "-", false}, {0, 14, []uint8{2}, 0, false, "!", false}}},
		{"padding is lost", []shot9{{0, 10, nil, -1, true, "+", false}, {3, 11, []uint8{1}, -1, false, "+", false}}},
		{"ids wrap", []shot9{{0, 32767, nil, -1, true, "+", false}, {1, 1, []uint8{2}, -1, false, "!", false},
			{0, 2, []uint8{1}, -1, false, "+", false}}},
		{"ids do not agree with the hole", []shot9{{0, 10, nil, -1, true, "+", false}, {1, 20, []uint8{10}, -1, false, "-", true}}},
		{"to before the keyframe", []shot9{{0, 10, nil, -1, true, "+", false}, {0, 11, []uint8{2}, -1, false, "-", true}}},
		{"to itself", []shot9{{0, 10, nil, -1, true, "+", false}, {0, 11, []uint8{0}, -1, false, "-", true}}},
		{"F without P", []shot9{{0, 10, nil, -1, true, "+", false}, {0, 11, nil, -1, false, "+", false}, {1, 13, nil, -1, false, "-", true}}},
	}
	for _, tt := range tests {
		d := newVP9Depacketizer(Config{Window: 100 * ms})
		seq, now := uint64(1<<32), time.Duration(0)
		for i, s := range tt.shots {
			var got sink
			seq += s.lost
			desc := VP9Descriptor{Inter: s.diffs != nil, Flexible: true, Start: true, End: true, HasPictureID: true, LongID: true,
				PictureID: s.id, HasLayers: s.tid >= 0, TID: uint8(max(s.tid, 0)), refs: refsTo(s.diffs...)}
			body := vp9InterHeader
			if s.key {
				body = vp9KeyHeader
			}
			p := media.Packet{Seq: seq, Time: uint64(i), PTS: now, Arrival: now, Marker: true, Payload: append(desc.encode(), body...)}
			d.Depacketize(&p, got.emit)
			seq++
			now += 33 * ms
			d.Flush(got.emit)
			name := "-"
			if len(got.frames) > 0 {
				name = map[bool]string{true: "!", false: "+"}[got.frames[0].Gap]
			}
			if name != s.want || d.NeedsSync() != s.closed {
				t.Errorf("%s, picture %d: %s, NeedsSync %v; want %s, %v", tt.name, i, name, d.NeedsSync(), s.want, s.closed)
			}
		}
	}
}
