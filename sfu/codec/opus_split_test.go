package codec

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"weir/sfu/media"
)

// opusOf makes a code 3 packet of frames with the given sizes, each filled with
// its number.
func opusOf(config byte, sizes ...int) (packet []byte, frames [][]byte) {
	for i, size := range sizes {
		frames = append(frames, bytes.Repeat([]byte{byte(i + 1)}, size))
	}
	if len(frames) == 1 {
		return joinOpus(config<<3|4, frames), frames
	}
	return joinOpus(config<<3|4|3, frames), frames
}

func TestSplitOpus(t *testing.T) {
	repeat := func(n, size int) []int { return slices.Repeat([]int{size}, n) }
	for _, tt := range []struct {
		name   string
		config byte
		sizes  []int // of the frames
		want   []int // frames in each packet that comes out
	}{
		{"20 ms", 31, []int{80}, []int{1}},
		{"60 ms of 20, as MediaRecorder", 31, repeat(3, 320), []int{1, 1, 1}},
		{"60 ms of 20, of different sizes", 31, []int{1, 300, 80}, []int{1, 1, 1}},
		{"60 ms of silence", 31, repeat(3, 2), []int{1, 1, 1}},
		{"40 ms of 20", 15, repeat(2, 50), []int{1, 1}},
		{"120 ms of 20", 31, repeat(6, 320), []int{1, 1, 1, 1, 1, 1}},
		{"20 ms of 10", 30, repeat(2, 50), []int{2}},
		{"60 ms of 10", 14, repeat(6, 50), []int{2, 2, 2}},
		{"50 ms of 10", 14, repeat(5, 50), []int{2, 2, 1}},
		{"60 ms of 2.5", 28, repeat(24, 300), []int{3, 3, 3, 3, 3, 3, 3, 3}},
		{"60 ms of 2.5, small", 28, repeat(24, 10), []int{8, 8, 8}},
		{"20 ms of 10, too large for a datagram", 30, repeat(2, 1000), []int{1, 1}},
		{"60 ms in one frame", 11, []int{200}, []int{1}},
		{"120 ms of 60", 3, repeat(2, 200), []int{1, 1}},
		{"frame of no bytes", 31, []int{20, 0, 20}, []int{1, 1, 1}},
		{"largest frames", 31, repeat(3, maxOpusFrame), []int{1, 1, 1}},
	} {
		packet, frames := opusOf(tt.config, tt.sizes...)
		var counts []int
		var got [][]byte
		total := time.Duration(0)
		splitOpus(packet, func(payload []byte, d time.Duration) {
			inside := opusFrames(payload)
			counts = append(counts, len(inside))
			got = append(got, inside...)
			total += d
			if d != OpusDuration(payload) || len(inside) > 1 && (d > maxOpusPacket || len(payload) > MaxPayload) {
				t.Errorf("%s: a packet of %v, %d bytes", tt.name, d, len(payload))
			}
		})
		if !slices.Equal(counts, tt.want) || total != OpusDuration(packet) {
			t.Errorf("%s: packets of %v frames, %v; want %v, %v", tt.name, counts, total, tt.want, OpusDuration(packet))
		}
		if !slices.EqualFunc(got, frames, bytes.Equal) {
			t.Errorf("%s: other frames come out", tt.name)
		}
	}
}

// TestSplitOpusMalformed: what cannot be taken apart is left to the decoder.
func TestSplitOpusMalformed(t *testing.T) {
	for _, packet := range [][]byte{{0xff}, {0xff, 0}, {0xff, 3, 1, 2}, append([]byte{0xfd}, make([]byte, 99)...)} {
		n := 0
		splitOpus(packet, func(payload []byte, _ time.Duration) {
			n++
			if !bytes.Equal(payload, packet) {
				t.Errorf("%x became %x", packet, payload)
			}
		})
		if n != 1 {
			t.Errorf("%x became %d packets", packet, n)
		}
	}
	splitOpus(append([]byte{0xfd}, make([]byte, 3001)...), func([]byte, time.Duration) {
		t.Error("what fits in no datagram came out")
	})
}

// TestOpusTimesFollow: times that are rounded to milliseconds become a clock
// without gaps and overlaps; real gaps stay.
func TestOpusTimesFollow(t *testing.T) {
	packet, _ := opusOf(31, 80, 80, 80)
	z := newOpusPacketizer(1)
	seq, next := uint64(1), uint64(0)
	send := func(pts time.Duration, gap int64) {
		t.Helper()
		part := 0
		z.Packetize(&media.Frame{PTS: pts, Data: packet}, func(p media.Packet) {
			if next != 0 && part == 0 {
				next = uint64(int64(next) + gap)
			}
			if next != 0 && p.Time != next {
				t.Errorf("the packet for %v has the time %d, want %d", pts, p.Time, next)
			}
			if p.Seq != seq || p.PTS != pts+time.Duration(part)*20*ms {
				t.Errorf("Seq %d, PTS %v", p.Seq, p.PTS)
			}
			next = p.Time + 960
			seq++
			part++
		})
		if part != 3 {
			t.Errorf("%d packets", part)
		}
	}
	for _, at := range []time.Duration{0, 59, 121, 180, 238, 302} {
		send(time.Second+at*ms, 0)
	}
	send(time.Second+512*ms, 152*48) // the sound before ends at 360 ms
}

func TestOpusTimesDrift(t *testing.T) {
	z := newOpusPacketizer(1)
	packet, _ := opusOf(31, 80)
	for i := range 100_000 { // the publisher's clock is 200 ppm fast
		pts := time.Duration(i) * (20*ms + 4*time.Microsecond)
		z.Packetize(&media.Frame{PTS: pts, Data: packet}, func(p media.Packet) {
			if off := int64(p.Time) - timeBase - media.Opus.Ticks(pts); max(off, -off) > media.Opus.Ticks(opusTolerance) {
				t.Fatalf("at %v the time is %d ticks off", pts, off)
			}
		})
	}
}
