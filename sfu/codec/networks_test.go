package codec

import (
	"math/rand"
	"testing"

	"weir/sfu/media"
)

// TestNetworks is TestVP8Networks for the other codecs of pictures: what comes out
// under loss, reordering and duplication is exactly what has to come out. Padding
// that is lost is no matter to VP9 only, which tells how many pictures there are.
func TestNetworks(t *testing.T) {
	const window = 100 * ms
	networks := []network{
		{},
		{padding: 0.3},
		{delay: window},
		{twice: 0.3},
		{loss: 0.01},
		{loss: 0.2, delay: window / 2},
		{loss: 0.02, twice: 0.2, delay: window},
		{loss: 0.6, twice: 0.2, delay: window},
	}
	for _, c := range newCodecs {
		format, _ := For(c)
		for _, n := range networks {
			for seed := range int64(60) {
				rng := rand.New(rand.NewSource(seed))
				frames := synthFrames(rng, c, 100)
				sent := sendWith(rng, format.NewPacketizer(0), frames, n)
				want, losses := expect(frames, sent)
				d := format.NewDepacketizer(Config{Window: window})
				var got sink
				for _, p := range arrivals(rng, sent, n) {
					d.Depacketize(&p, got.emit)
				}
				d.Flush(got.emit)
				if len(got.frames) != len(want) || d.Losses() != losses {
					t.Fatalf("%v, %+v, seed %d: %d frames, %+v; want %d, %+v", c, n, seed, len(got.frames), d.Losses(), len(want), losses)
				}
				for i := range want {
					if wantFrame(t, got.frames[i], want[i]); t.Failed() {
						t.Fatalf("%v, %+v, seed %d, frame %d", c, n, seed, i)
					}
				}
			}
		}
	}
}

// TestRoundTrip: frames of all sizes, cut and put together again, each as soon as
// its last packet is there.
func TestRoundTrip(t *testing.T) {
	for _, c := range newCodecs {
		rng := rand.New(rand.NewSource(3))
		format, _ := For(c)
		z, d := format.NewPacketizer(1<<32), format.NewDepacketizer(Config{})
		var got sink
		seq, i := uint64(1<<32), 0
		round := func(size int) {
			f := media.Frame{PTS: c.Duration(int64(i) * 3000), Sync: i%40 == 0, Data: synthFrame(rng, c, size, i%40, i%40 == 0)}
			packets := 0
			z.Packetize(&f, func(p media.Packet) {
				where := format.Inspect(p.Payload)
				first := packets == 0
				if p.Seq != seq || p.PTS != f.PTS || p.Time != uint64(timeBase+c.Ticks(f.PTS)) || p.Start != first ||
					p.Sync != (first && f.Sync) || where.Sync != p.Sync || where.Start != p.Start || len(p.Payload) > MaxPayload ||
					cap(p.Payload) != len(p.Payload) || p.Sync && (where.Width == 0 || where.Height == 0) {
					t.Fatalf("%v, frame of %d bytes, packet %d: %+v with %d of %d bytes, Inspect says %+v", c, size, packets, p.Seq-seq,
						len(p.Payload), cap(p.Payload), where)
				}
				if len(got.frames) > i {
					t.Fatalf("%v, frame of %d bytes: a packet follows the marker", c, size)
				}
				d.Depacketize(&p, got.emit)
				packets++
				seq++
			})
			if len(got.frames) != i+1 {
				t.Fatalf("%v, frame of %d bytes: %d frames out after %d", c, size, len(got.frames), i+1)
			}
			wantFrame(t, got.frames[i], f)
			i++
		}
		for size := 1; size < 40_000; size += 1 + size/7 + rng.Intn(3) {
			round(size)
		}
		for near := MaxPayload - 60; near < MaxPayload+60; near++ {
			round(near)
			round(2*near - 20)
		}
		round(1 << 20)
		if d.Losses() != (Losses{}) {
			t.Errorf("%v: %+v", c, d.Losses())
		}
	}
}

// TestInspectAllocs: nothing is allocated for a packet.
func TestInspectAllocs(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for _, c := range newCodecs {
		format, _ := For(c)
		for _, key := range []bool{true, false} {
			f := media.Frame{Data: synthFrame(rng, c, 4000, 1, key)}
			format.NewPacketizer(0).Packetize(&f, func(p media.Packet) {
				if n := testing.AllocsPerRun(100, func() { format.Inspect(p.Payload) }); n != 0 {
					t.Errorf("%v: Inspect allocates %v times", c, n)
				}
			})
		}
	}
}

// TestFrameAllocs: a frame of many packets costs its own memory, and no more.
func TestFrameAllocs(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for _, c := range newCodecs {
		format, _ := For(c)
		d := format.NewDepacketizer(Config{})
		z := format.NewPacketizer(0)
		var packets []media.Packet
		z.Packetize(&media.Frame{Data: synthFrame(rng, c, 8000, 0, true)}, func(p media.Packet) { packets = append(packets, p) })
		emit := func(media.Frame) {}
		var p media.Packet
		seq, at := uint64(0), uint64(0)
		if n := testing.AllocsPerRun(200, func() {
			at += 3000
			for i := range packets {
				p = packets[i]
				p.Seq, p.Time = seq, at
				seq++
				d.Depacketize(&p, emit)
			}
		}); n != 1 {
			t.Errorf("%v: %v allocations in a frame", c, n)
		}
	}
}

// TestSizes holds what keyframes tell against what is known of them.
func TestSizes(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	for _, c := range newCodecs {
		format, _ := For(c)
		key := synthFrame(rng, c, 100, 0, true)
		if w, h, ok := format.FrameSize(key); w != 640 || h != 360 || !ok {
			t.Errorf("%v: %dx%d, %v", c, w, h, ok)
		}
		for _, data := range [][]byte{nil, {0}, synthFrame(rng, c, 100, 1, false)} {
			if w, h, ok := format.FrameSize(data); ok {
				t.Errorf("%v: %dx%d of what is no keyframe", c, w, h)
			}
			if private, ok := format.CodecPrivate(data); ok {
				t.Errorf("%v: CodecPrivate % x of what is no keyframe", c, private)
			}
		}
	}
}
