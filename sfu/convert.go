package sfu

import (
	"sync"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// conversion derives a track's other form. It has no goroutine: whoever reads that
// form has what is new of the source's form converted first, so a reader that looks
// now and then costs no more than that, and one that waits is woken by the source.
type conversion struct {
	wakers *wakers // of the ring that it reads

	// guarded by mu
	mu   sync.Mutex
	step func() (more bool) // converts a batch
}

// convertBatch is how many items are converted at a time.
const convertBatch = 64

// pull converts what is there.
func (c *conversion) pull() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.step() {
	}
}

// wakersOr returns the wakers of the ring that c reads, or others if there is no c.
func (c *conversion) wakersOr(others *wakers) *wakers {
	if c == nil {
		return others
	}
	return c.wakers
}

// newConversion returns one that runs feed for every batch that from yields, then
// flush once the track has ended. What from yields at once is converted before it
// returns, so that whoever opens the derived form finds in it where to start.
func newConversion[T media.Packet | media.Frame](from *Cursor[T], feed func(batch []*T, lagged bool), flush func()) *conversion {
	batch := make([]*T, convertBatch)
	ended := false
	c := &conversion{wakers: &from.ring.wakers, step: func() bool {
		if ended {
			return false
		}
		n, lagged, err := from.Take(batch)
		if err != nil { // io.EOF
			ended = true
			flush()
			return false
		}
		if n == 0 {
			return false
		}
		feed(batch[:n], lagged)
		clear(batch[:n]) // hold no item longer than the ring does
		return true
	}}
	c.pull()
	return c
}

// startDepacketizing derives frames from packets, from the newest keyframe on or
// from all that is in the ring. Called with t.mu held.
func (t *Track) startDepacketizing(all bool) *conversion {
	frames := t.frames
	depacketizer := t.format.NewDepacketizer(codec.Config{Marked: t.marked.Load()})
	before := t.counters.losses() // of earlier conversions
	emit := func(f media.Frame) {
		l := depacketizer.Losses()
		f.Lost = media.Losses{Packets: before.Packets + l.Packets, Frames: before.Frames + l.Frames, CutOff: before.CutOff + l.CutOff}
		appendFrame(frames, &f)
	}
	gated, began := false, false // it waits for a keyframe; it has had one
	c := newPacketCursor(t, t.packets, nil)
	if all {
		c.startOldest()
	} else {
		c.start()
	}
	within, newest := int64(0), uint64(0)
	return newConversion(c, func(batch []*media.Packet, _ bool) { // the depacketizer sees what is missing
		if told := t.repair.Load(); told != within {
			within = told
			depacketizer.SetWindow(time.Duration(told))
		}
		for _, p := range batch {
			depacketizer.Depacketize(p, emit)
			newest = max(newest, p.Seq) // that it knows of
		}
		needs := depacketizer.NeedsSync()
		if needs && t.info.Kind() == media.Video {
			t.keyframe.requestBehind(newest)
		}
		if needs && !gated && began {
			t.counters.gates.Add(1)
		}
		gated, began = needs, began || !needs
		t.counters.setLosses(before, depacketizer.Losses())
	}, func() {
		depacketizer.Flush(emit)
		t.counters.setLosses(before, depacketizer.Losses())
		frames.end()
	})
}

// startPacketizing derives packets from frames. Called with t.mu held.
func (t *Track) startPacketizing() *conversion {
	if t.packetizer == nil {
		t.packetizer = t.format.NewPacketizer(firstSeq)
	}
	packets := t.packets
	var slab slab[media.Packet]
	emit := func(p media.Packet) {
		p.Seq += t.skipped
		p.Arrival = t.stream.now()
		t.appendPacket(packets, slab.put(&p))
	}
	c := newFrameCursor(t, t.frames, nil)
	c.start()
	return newConversion(c, func(batch []*media.Frame, lagged bool) {
		if lagged {
			t.skipped++ // what the readers see of it is a packet that is lost
		}
		for _, f := range batch {
			t.packetizer.Packetize(f, emit)
		}
	}, packets.end)
}
