package sfu

import (
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// BenchmarkRing is items through a ring: written, and read by so many readers, as
// if each viewer had a cursor.
func BenchmarkRing(b *testing.B) {
	sfutest.Forwarding(b, func(_ *testing.B, viewers, packets int) func() {
		r := newRing[media.Packet](audioPackets)
		p, dst, pos := &media.Packet{}, make([]*media.Packet, shardBatch), uint64(0)
		return func() {
			for range packets {
				r.append(p, false)
			}
			for range viewers {
				r.read(pos, dst)
			}
			pos += uint64(packets)
		}
	})
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

// BenchmarkShard is a shard's round, with the writing of its packets. What a viewer
// does with them is not in it, nor are the slabs, one for each 64 packets.
func BenchmarkShard(b *testing.B) {
	sfutest.Forwarding(b, func(b *testing.B, viewers, packets int) func() {
		c := newBroadcast(b, Config{}, Packets)
		sh, _ := loneShard(c, viewers)
		write := soundWriter(c)
		fanOut(sh, write, 2000) // the ring is full, so that writing trims it
		return func() { fanOut(sh, write, packets) }
	})
}
