package codec

import (
	"math/rand"
	"slices"
	"testing"
	"time"

	"weir/sfu/media"
)

// network is what happens to packets on their way.
type network struct {
	loss, twice, padding float64
	delay                time.Duration // up to this, at random
}

// sentPacket is a packet on its way; frame is -1 for padding.
type sentPacket struct {
	media.Packet
	frame int
	lost  bool
}

// randomFrames makes n frames, 10 ms apart, keyframes among them at random.
func randomFrames(rng *rand.Rand, n int) []media.Frame {
	frames := make([]media.Frame, n)
	for i := range frames {
		key := i == 0 || rng.Intn(15) == 0
		size := 1 + rng.Intn(3)*rng.Intn(2000) + rng.Intn(50)
		frames[i] = media.Frame{PTS: time.Duration(i) * 10 * ms, Sync: key, Data: vp8Frame(rng, max(size, 10), key)}
	}
	return frames
}

// send packetizes frames, with padding in between, and decides what is lost. The
// first packet always comes first; the last frame always comes, since of what is
// lost behind the last packet nobody knows.
func send(rng *rand.Rand, frames []media.Frame, n network) []sentPacket {
	return sendWith(rng, newVP8Packetizer(0), frames, n)
}

func sendWith(rng *rand.Rand, z Packetizer, frames []media.Frame, n network) []sentPacket {
	seq := uint64(1<<32 + rng.Intn(1<<16))
	var sent []sentPacket
	add := func(p media.Packet, frame int) {
		p.Seq = seq
		p.Arrival = p.PTS
		seq++
		sent = append(sent, sentPacket{p, frame, len(sent) > 0 && rng.Float64() < n.loss && frame != len(frames)-1})
	}
	for i := range frames {
		z.Packetize(&frames[i], func(p media.Packet) { add(p, i) })
		for rng.Float64() < n.padding {
			last := sent[len(sent)-1].Packet
			add(media.Packet{Time: last.Time, PTS: last.PTS}, -1)
		}
	}
	return sent
}

// arrivals returns the packets that come, in the order in which they do.
func arrivals(rng *rand.Rand, sent []sentPacket, n network) []media.Packet {
	var come []media.Packet
	for i, s := range sent {
		if s.lost {
			continue
		}
		copies := 1
		for rng.Float64() < n.twice {
			copies++
		}
		for range copies {
			p := s.Packet
			if i > 0 && n.delay > 0 {
				p.Arrival += time.Duration(rng.Int63n(int64(n.delay)))
			}
			come = append(come, p)
		}
	}
	slices.SortStableFunc(come[1:], func(a, b media.Packet) int { return int(a.Arrival - b.Arrival) })
	return come
}

// expect works out, from what was lost, which frames have to come out and what
// has to be counted: a frame comes out when all of it came and, unless it is a
// keyframe, the frame before it came out.
func expect(frames []media.Frame, sent []sentPacket) (want []media.Frame, losses Losses) {
	seen, whole := make([]bool, len(frames)), make([]bool, len(frames))
	for i := range whole {
		whole[i] = true
	}
	pending := uint64(0) // lost since the last packet that came
	for _, s := range sent {
		if s.lost {
			pending++
		} else {
			losses.Packets += pending
			pending = 0
		}
		if s.frame >= 0 {
			seen[s.frame] = seen[s.frame] || !s.lost
			whole[s.frame] = whole[s.frame] && !s.lost
		}
	}
	out, gap, known := false, false, false
	for i, f := range frames {
		out = whole[i] && (f.Sync || out)
		if out {
			f.Gap = gap && len(want) > 0
			if f.Gap {
				losses.Gaps++
			}
			want = append(want, f)
			gap, known = false, false
			continue
		}
		gap = true
		if seen[i] {
			known = true
			losses.Frames++
		}
	}
	if known && len(want) > 0 {
		losses.Gaps++ // the one that no frame has ended yet
	}
	return want, losses
}

// TestVP8Networks compares what comes out under loss, reordering, duplication
// and padding, alone and together, with what has to come out: exactly that.
func TestVP8Networks(t *testing.T) {
	const window = 100 * ms
	networks := []network{
		{},
		{padding: 0.3},
		{delay: window},
		{twice: 0.3},
		{loss: 0.01},
		{loss: 0.05, padding: 0.5},
		{loss: 0.2, delay: window / 2},
		{loss: 0.02, twice: 0.2, padding: 0.2, delay: window},
		{loss: 0.6, twice: 0.2, padding: 0.6, delay: window},
	}
	for _, n := range networks {
		for seed := range int64(60) {
			rng := rand.New(rand.NewSource(seed))
			frames := randomFrames(rng, 100)
			sent := send(rng, frames, n)
			want, losses := expect(frames, sent)
			if n.loss == 0 && len(want) != len(frames) {
				t.Fatalf("%+v: %d frames expected of %d without loss", n, len(want), len(frames))
			}
			d := newVP8Depacketizer(Config{Window: window})
			var got sink
			for _, p := range arrivals(rng, sent, n) {
				d.Depacketize(&p, got.emit)
			}
			d.Flush(got.emit)
			if len(got.frames) != len(want) || d.Losses() != losses {
				t.Fatalf("%+v, seed %d: %d frames, %+v; want %d, %+v", n, seed, len(got.frames), d.Losses(), len(want), losses)
			}
			for i := range want {
				if wantFrame(t, got.frames[i], want[i]); t.Failed() {
					t.Fatalf("%+v, seed %d, frame %d", n, seed, i)
				}
			}
		}
	}
}

// TestVP8LateNetwork delays packets by more than the window: frames may be lost
// to that, but what comes out is what was sent, with its chain back to a
// keyframe, in order.
func TestVP8LateNetwork(t *testing.T) {
	for seed := range int64(200) {
		rng := rand.New(rand.NewSource(seed))
		frames := randomFrames(rng, 100)
		n := network{loss: 0.02, twice: 0.1, padding: 0.2, delay: 300 * ms}
		sent := send(rng, frames, n)
		d := newVP8Depacketizer(Config{Window: 50 * ms, MaxBytes: 60_000, MaxPackets: 60})
		next := 0 // index of the frame behind the last one that came out
		emit := func(f media.Frame) {
			i := int(f.PTS / (10 * ms))
			if i < next || !f.Sync && i != next {
				t.Fatalf("seed %d: frame %d comes out where %d is next", seed, i, next)
			}
			wantFrame(t, f, media.Frame{PTS: frames[i].PTS, Sync: frames[i].Sync, Gap: i != next && next > 0, Data: frames[i].Data})
			next = i + 1
		}
		for _, p := range arrivals(rng, sent, n) {
			d.Depacketize(&p, emit)
		}
		d.Flush(emit)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
