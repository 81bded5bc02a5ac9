package sfu

import (
	"runtime"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// counter is a PacketWriter that costs next to nothing. The shard's goroutine
// owns it.
type counter struct{ packets int }

func (c *counter) WritePackets(_ *Track, batch []*media.Packet, _ bool) { c.packets += len(batch) }

// loneShard is a shard without a goroutine, for measuring: the caller runs its
// rounds.
func loneShard(b *broadcast, viewers int) (*shard, []counter) {
	sh := &shard{stream: b.stream(), waker: newWaker(), quit: make(chan struct{}), done: make(chan struct{})}
	counters := make([]counter, viewers)
	for i := range counters {
		sh.add(&Attachment{shard: sh, writer: &counters[i]}, b.audio.track)
	}
	return sh, counters
}

// fanOut writes n packets and has the shard forward them.
func fanOut(sh *shard, write func(n int), n int) {
	write(n)
	for sh.round() == 0 {
	}
}

// soundWriter returns a function that writes packets of sound, 20 ms apart.
func soundWriter(b *broadcast) func(n int) {
	payload, at := sfutest.OpusFrame(0, 100), 0
	return func(n int) {
		for range n {
			b.audio.writer.WritePacket(RTP{
				Seq: uint16(at), Time: uint32(at) * 960, Arrival: time.Duration(at) * 20 * ms, Payload: payload,
			})
			at++
		}
	}
}

// TestFanOutAllocatesNothing: neither reading the ring nor calling the viewers
// does. The packets are put into the ring beforehand, so that only that counts.
func TestFanOutAllocatesNothing(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	sh, counters := loneShard(b, 100)
	write := soundWriter(b)
	r := b.audio.track.packets
	const rounds, each = 40, 3 // no more than the ring holds: 3 s
	fanOut(sh, write, 10)
	write((rounds + 1) * each) // AllocsPerRun runs once more
	end := sh.lanes[0].pos
	batch := sh.lanes[0].batch
	allocs := testing.AllocsPerRun(rounds, func() {
		// The lane's batch as short as what comes between two rounds in real life.
		sh.lanes[0].batch = batch[:each]
		sh.round()
	})
	if allocs != 0 {
		t.Errorf("a round of %d packets to %d viewers allocates %v times", each, len(counters), allocs)
	}
	if got := sh.lanes[0].pos - end; got != (rounds+1)*each || r.head.Load() != sh.lanes[0].pos {
		t.Errorf("%d packets were forwarded, want %d", got, (rounds+1)*each)
	}
	for i, c := range counters {
		if c.packets != 10+(rounds+1)*each {
			t.Fatalf("viewer %d got %d packets", i, c.packets)
		}
	}
}

// TestCursorAllocatesNothing: nor does a cursor that reads what is there.
func TestCursorAllocatesNothing(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	c := b.audio.track.Packets()
	defer c.Close()
	soundWriter(b)(140)
	batch := make([]*media.Packet, 1)
	allocs := testing.AllocsPerRun(100, func() {
		if n, _, err := c.Take(batch); n != 1 || err != nil {
			t.Fatal(n, err)
		}
	})
	if allocs != 0 {
		t.Errorf("a read allocates %v times", allocs)
	}
}

// TestWritePacketAllocatesSlabs: a slab of packets at a time and nothing else,
// whatever is read meanwhile.
func TestWritePacketAllocatesSlabs(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	sh, _ := loneShard(b, 10)
	write := soundWriter(b)
	fanOut(sh, write, 2000) // the ring is full, so that writing trims it
	allocs := testing.AllocsPerRun(10, func() { fanOut(sh, write, 10*slabSize) })
	if perSlab := allocs / 10; perSlab > 1 {
		t.Errorf("%v allocations for each %d packets, want 1 slab", perSlab, slabSize)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	const n = 100 * slabSize
	write(n)
	runtime.ReadMemStats(&after)
	if perPacket := (after.TotalAlloc - before.TotalAlloc) / n; perPacket > 150 {
		t.Errorf("%d bytes are allocated for each packet", perPacket)
	}
}
