package sfu

import (
	"fmt"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// BenchmarkRing is one item through a ring: written, and read by one reader.
func BenchmarkRing(b *testing.B) {
	r := newRing[media.Packet](audioPackets)
	p := &media.Packet{}
	dst := make([]*media.Packet, shardBatch)
	b.ReportAllocs()
	for pos := uint64(0); b.Loop(); pos++ {
		r.append(p, false)
		r.read(pos, dst)
	}
}

// BenchmarkWritePacket is one packet into a track, without readers: sound, and
// picture, which is looked into more closely.
func BenchmarkWritePacket(b *testing.B) {
	b.Run("opus", func(b *testing.B) {
		write := soundWriter(newBroadcast(b, Config{}, Packets))
		b.ReportAllocs()
		for b.Loop() {
			write(1)
		}
	})
	b.Run("vp8", func(b *testing.B) {
		c := newBroadcast(b, Config{}, Packets)
		clip := sfutest.Clip{KeyEvery: 50, Size: 11000}
		key, inter := c.video.packets(clip.Video(0).Frame, 0), c.video.packets(clip.Video(1).Frame, 0)
		b.ReportAllocs()
		for n := 0; b.Loop(); n++ {
			frame := n / len(key)
			packets := inter
			if frame%50 == 0 {
				packets = key
			}
			r := packets[n%len(packets)]
			r.Seq, r.Time = uint16(n), uint32(frame*3600)
			r.Arrival = time.Duration(frame) * sfutest.VideoInterval
			c.video.writer.WritePacket(r)
		}
	})
}

// BenchmarkShard forwards a packet to all viewers of one shard: three packets a
// round, as a stream of 2 Mbit/s has when the shard wakes for each frame. What a
// viewer does with it is not in it.
func BenchmarkShard(b *testing.B) {
	const each = 3
	for _, viewers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("viewers=%d", viewers), func(b *testing.B) {
			c := newBroadcast(b, Config{}, Packets)
			sh, _ := loneShard(c, viewers)
			write := soundWriter(c)
			b.ReportAllocs()
			for b.Loop() {
				fanOut(sh, write, each)
			}
			forwarded := float64(b.N) * each * float64(viewers)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/forwarded, "ns/forwarded")
		})
	}
}
