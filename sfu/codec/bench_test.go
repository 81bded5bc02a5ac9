package codec

import (
	"math/rand"
	"testing"
	"time"

	"weir/sfu/media"
)

// benchFrames is one second of video at 30 frames/s and about 2.4 Mbit/s.
func benchFrames() (frames []media.Frame, bytes int) {
	rng := rand.New(rand.NewSource(6))
	for i := range 30 {
		size := 9_000
		if i == 0 {
			size = 40_000
		}
		frames = append(frames, media.Frame{PTS: time.Duration(i) * 33 * ms, Data: vp8Frame(rng, size, i == 0)})
		bytes += size
	}
	return frames, bytes
}

func BenchmarkVP8Packetize(b *testing.B) {
	frames, bytes := benchFrames()
	z := newVP8Packetizer(0)
	emit := func(media.Packet) {}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		for i := range frames {
			z.Packetize(&frames[i], emit)
		}
	}
}

func BenchmarkVP8Depacketize(b *testing.B) {
	frames, bytes := benchFrames()
	var packets []media.Packet
	for _, p := range packetizeAll(newVP8Packetizer(0), frames) {
		packets = append(packets, p...)
	}
	for _, order := range []string{"in order", "swapped"} {
		b.Run(order, func(b *testing.B) {
			d := newVP8Depacketizer(Config{})
			emitted := 0
			emit := func(media.Frame) { emitted++ }
			seq, rounds := uint64(0), 0
			var p media.Packet
			b.SetBytes(int64(bytes))
			b.ReportAllocs()
			for b.Loop() {
				for i := range packets {
					j := i
					if order == "swapped" && i > 0 && i < len(packets)-len(packets)%2-1 {
						j = (i - 1) ^ 1 + 1
					}
					p = packets[j]
					p.Seq = seq + uint64(j)
					p.Time += uint64(rounds) * 90_000
					d.Depacketize(&p, emit)
				}
				seq += uint64(len(packets))
				rounds++
			}
			if emitted != rounds*len(frames) {
				b.Fatalf("%d frames, want %d", emitted, rounds*len(frames))
			}
		})
	}
}

func TestAllocs(t *testing.T) {
	emit := func(media.Frame) {}
	for _, tt := range []struct {
		name    string
		codec   media.Codec
		payload []byte
	}{
		{"opus", media.Opus, make([]byte, 160)},
		{"vp8, one packet", media.VP8, append([]byte{0x10}, keyHeader...)},
	} {
		format, _ := For(tt.codec)
		d := format.NewDepacketizer(Config{})
		p := &media.Packet{Marker: true, Payload: tt.payload}
		if n := testing.AllocsPerRun(1000, func() {
			p.Seq++
			p.Time += 960
			p.PTS += 20 * ms
			p.Arrival += 20 * ms
			d.Depacketize(p, emit)
		}); n != 0 {
			t.Errorf("%s: Depacketize allocates %v times", tt.name, n)
		}
		if n := testing.AllocsPerRun(1000, func() { format.Inspect(tt.payload) }); n != 0 {
			t.Errorf("%s: Inspect allocates %v times", tt.name, n)
		}
	}
	z := newOpusPacketizer(0)
	f := &media.Frame{Data: make([]byte, 160)}
	if n := testing.AllocsPerRun(1000, func() { z.Packetize(f, func(media.Packet) {}) }); n != 0 {
		t.Errorf("opus: Packetize allocates %v times", n)
	}
}

// TestVP8FrameAllocs: a frame of several packets is one allocation, its Data.
func TestVP8FrameAllocs(t *testing.T) {
	d := newVP8Depacketizer(Config{})
	emit := func(media.Frame) {}
	key := append([]byte{0x10}, keyHeader...)
	rest := append([]byte{0x00}, make([]byte, 1000)...)
	p := &media.Packet{}
	if n := testing.AllocsPerRun(1000, func() {
		p.Time += 3000
		for i := range 8 {
			p.Seq++
			p.Marker, p.Payload = i == 7, rest
			if i == 0 {
				p.Payload = key
			}
			d.Depacketize(p, emit)
		}
	}); n != 1 {
		t.Errorf("%v allocations in a frame", n)
	}
}
