package sfu

import (
	"sync"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// conversion derives a track's other form. It has no goroutine: a reader of that
// form has what is new of the source's form converted first, so a reader that looks
// now and then costs no more than that, and one that waits is woken by the source.
type conversion struct {
	// set once
	from, to *wakers                  // of the ring that it reads, and of the one that it fills
	step     func() (more, last bool) // converts a batch
	flush    func()                   // converts what is held back
	end      func()                   // ends the ring that it fills

	// guarded by mu
	mu   sync.Mutex
	over bool
}

// convertBatch is how many items are converted at a time.
const convertBatch = 64

// wake implements reader: a reader that waits for the derived form is woken by the
// source.
func (c *conversion) wake(inline bool) { c.to.wake(inline) }

// pull converts what is there.
func (c *conversion) pull() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.convertAll()
}

// convertAll converts what is there. Called with mu held.
func (c *conversion) convertAll() {
	for more, last := true, false; more && !c.over; {
		if more, last = c.step(); last {
			c.over = true
			c.flush()
			c.end()
		}
	}
}

// finish converts what is there, and what is held back: a source writes what follows.
func (c *conversion) finish() {
	if c == nil {
		return
	}
	c.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.convertAll(); !c.over {
		c.over = true
		c.flush()
	}
}

// stop has the source not wake it any more.
func (c *conversion) stop() { c.from.remove(c) }

// newConversion returns one that fills the ring to: it runs feed for every batch that
// from yields, then flush once nothing follows. The items that are there are converted
// before it returns, so that the first reader of the derived form finds in it where to
// start.
func newConversion[T, U media.Packet | media.Frame](from *Cursor[T], to *ring[U], feed func(batch []*T, lagged bool), flush func()) *conversion {
	batch := make([]*T, convertBatch)
	c := &conversion{from: &from.ring.wakers, to: &to.wakers, flush: flush, end: to.end, step: func() (more, last bool) {
		n, lagged, err := from.Take(batch)
		if err != nil { // io.EOF
			return false, true
		}
		if n == 0 {
			return false, false
		}
		feed(batch[:n], lagged)
		clear(batch[:n]) // hold no item longer than the ring does
		return true, false
	}}
	c.from.add(c)
	to.from.Store(c)
	c.pull()
	return c
}

// startDepacketizing derives frames from packets, from where place puts the cursor on:
// behind last, if the track had frames before. Called with t.mu held.
func (t *Track) startDepacketizing(place func(*Cursor[media.Packet]), last *media.Packet) *conversion {
	frames := t.frames
	depacketizer := t.format.NewDepacketizer(codec.Config{Marked: t.marked.Load()})
	before := t.counters.losses() // of earlier conversions
	emit := func(f media.Frame) {
		l := depacketizer.Losses()
		f.Lost = media.Losses{Packets: before.Packets + l.Packets, Frames: before.Frames + l.Frames, CutOff: before.CutOff + l.CutOff}
		if last != nil {
			f.Gap, f.PTS = true, max(f.PTS, last.PTS+time.Microsecond)
			last = nil
		}
		appendFrame(frames, &f)
	}
	gated, began := false, false // it waits for a keyframe; it has had one
	c := newPacketCursor(t, t.packets)
	place(c)
	within, newest := int64(0), uint64(0)
	return newConversion(c, frames, func(batch []*media.Packet, _ bool) { // the depacketizer sees what is missing
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
	})
}

// startPacketizing derives packets from frames, from where place puts the cursor on:
// behind last, if the track had packets before. Called with t.mu held.
func (t *Track) startPacketizing(place func(*Cursor[media.Frame]), last *media.Packet) *conversion {
	if t.packetizer == nil {
		t.packetizer = t.format.NewPacketizer(firstSeq)
	}
	packets := t.packets
	var slab slab[media.Packet]
	emit := func(p media.Packet) {
		if last != nil {
			// One number is left out, as where another RTP stream begins.
			t.seqShift = last.Seq + 2 - p.Seq
			t.timeShift = last.Time + uint64(max(1, t.info.Codec.Ticks(p.PTS-last.PTS))) - p.Time
			p.Discontinuity, last = true, nil
		}
		p.Seq += t.seqShift
		p.Time += t.timeShift
		p.Arrival = t.stream.now()
		t.appendPacket(packets, slab.add(&p))
	}
	c := newFrameCursor(t, t.frames)
	place(c)
	return newConversion(c, packets, func(batch []*media.Frame, lagged bool) {
		if lagged {
			t.seqShift++ // what the readers see of it is a packet that is lost
		}
		for _, f := range batch {
			t.packetizer.Packetize(f, emit)
		}
	}, func() {})
}
