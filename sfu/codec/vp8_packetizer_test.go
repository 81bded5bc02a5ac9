package codec

import (
	"bytes"
	"math/rand"
	"testing"
	"time"

	"weir/sfu/media"
)

func TestVP8Packetize(t *testing.T) {
	rng := rand.New(rand.NewSource(1))
	sizes := []int{1, 2, 9, 10, 11, vp8MaxMedia - 1, vp8MaxMedia, vp8MaxMedia + 1, 2 * vp8MaxMedia,
		2*vp8MaxMedia + 1, 10*vp8MaxMedia - 1, 100_000, maxFrameBytes}
	z := newVP8Packetizer(77).(*vp8Packetizer)
	z.pictureID = 32760 // the ids wrap on the way
	seq, id := uint64(77), z.pictureID
	for i, size := range sizes {
		f := media.Frame{PTS: time.Duration(i) * 33 * ms, Data: vp8Frame(rng, size, size >= 10 && i%2 == 0)}
		var packets []media.Packet
		z.Packetize(&f, func(p media.Packet) { packets = append(packets, p) })
		smallest, largest := MaxPayload, 0
		var joined []byte
		for j, p := range packets {
			first, last := j == 0, j == len(packets)-1
			if p.Seq != seq || p.PTS != f.PTS || p.Time != uint64(timeBase+media.VP8.Ticks(f.PTS)) ||
				p.Start != first || p.Marker != last || p.Sync != (first && VP8Keyframe(f.Data)) {
				t.Fatalf("size %d, packet %d of %d: %+v", size, j, len(packets), p)
			}
			seq++
			want := VP8Descriptor{StartOfPart: first, HasPictureID: true, LongID: true, PictureID: id}
			d, n, ok := ParseVP8Descriptor(p.Payload)
			if !ok || d != want {
				t.Fatalf("size %d, packet %d: descriptor %+v, want %+v", size, j, d, want)
			}
			joined = append(joined, p.Payload[n:]...)
			smallest, largest = min(smallest, len(p.Payload)), max(largest, len(p.Payload))
		}
		if largest > MaxPayload || largest-smallest > 1 {
			t.Errorf("size %d: payloads of %d to %d bytes", size, smallest, largest)
		}
		if want := (size + vp8MaxMedia - 1) / vp8MaxMedia; len(packets) != want {
			t.Errorf("size %d: %d packets, want %d", size, len(packets), want)
		}
		if !bytes.Equal(joined, f.Data) {
			t.Errorf("size %d: bytes differ", size)
		}
		id = (id + 1) & 0x7fff
	}
}

func TestVP8PacketizeEdges(t *testing.T) {
	z := newVP8Packetizer(0).(*vp8Packetizer)
	before := *z
	z.Packetize(&media.Frame{}, func(media.Packet) { t.Error("a packet of an empty frame") })
	if *z != before {
		t.Error("an empty frame takes a picture id")
	}
	z.Packetize(&media.Frame{PTS: -time.Second, Data: []byte{1}}, func(p media.Packet) {
		if want := uint64(1<<32 - 90000); p.Time != want {
			t.Errorf("Time %d, want %d", p.Time, want)
		}
	})
	// Appending to one payload must not reach into the next.
	z.Packetize(&media.Frame{Data: make([]byte, 3000)}, func(p media.Packet) {
		if cap(p.Payload) != len(p.Payload) {
			t.Errorf("payload of %d bytes with capacity %d", len(p.Payload), cap(p.Payload))
		}
	})
	starts := map[uint16]bool{}
	for range 50 {
		starts[newVP8Packetizer(0).(*vp8Packetizer).pictureID] = true
	}
	if len(starts) < 25 {
		t.Errorf("%d different first picture ids of 50", len(starts))
	}
}
