package sfu

import (
	"context"
	"errors"
	"io"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// conversion is the goroutine that derives a track's other form. It runs while
// somebody reads that form, or until the track has ended and all is converted.
type conversion struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// stop ends the conversion and waits for it.
func (c *conversion) stop() {
	c.cancel()
	<-c.done
}

// convertBatch is how many items a conversion takes at a time.
const convertBatch = 64

// startConversion runs feed for every batch that c yields, and wake after it; then
// flush once the track has ended. What c yields at once is converted before it returns, so that
// whoever opens the derived form finds in it where to start.
func startConversion[T media.Packet | media.Frame](c *Cursor[T], feed func(batch []*T, lagged bool), wake, flush func()) *conversion {
	ctx, cancel := context.WithCancel(context.Background())
	conv := &conversion{cancel: cancel, done: make(chan struct{})}
	batch := make([]*T, convertBatch)
	put := func(n int, lagged bool) {
		feed(batch[:n], lagged)
		clear(batch[:n]) // hold no item longer than the ring does
	}
	for {
		n, lagged, err := c.Take(batch)
		if n == 0 || err != nil {
			break // Next gets the same error
		}
		put(n, lagged)
	}
	go func() {
		defer close(conv.done)
		defer cancel()
		defer c.Close()
		for {
			n, lagged, err := c.Next(ctx, batch)
			if errors.Is(err, io.EOF) {
				flush()
				return
			}
			if err != nil {
				return
			}
			put(n, lagged)
			wake()
		}
	}()
	return conv
}

// startDepacketizing derives frames from packets, from the newest keyframe on or
// from all that is in the ring. Called with t.mu held.
func (t *Track) startDepacketizing(all bool) *conversion {
	frames := t.frames
	depacketizer := t.format.NewDepacketizer(codec.Config{})
	emit := func(f media.Frame) {
		if f.Sync && t.info.Kind() == media.Video {
			t.keyframe.satisfied()
		}
		appendFrame(frames, &f)
	}
	before := t.counters.losses() // of earlier conversions
	gated, began := false, false  // it waits for a keyframe; it has had one
	c := newPacketCursor(t.packets, t)
	if all {
		c.startOldest()
	} else {
		c.start()
	}
	within := int64(0)
	return startConversion(c, func(batch []*media.Packet, _ bool) { // the depacketizer sees what is missing
		if told := t.repair.Load(); told != within {
			within = told
			depacketizer.SetWindow(time.Duration(told))
		}
		for _, p := range batch {
			depacketizer.Depacketize(p, emit)
		}
		needs := depacketizer.NeedsSync()
		if needs {
			t.RequestKeyframe()
		}
		if needs && !gated && began {
			t.counters.gates.Add(1)
		}
		gated, began = needs, began || !needs
		t.counters.setLosses(before, depacketizer.Losses())
	}, frames.wake, func() {
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
		t.appendPacket(packets, slab.put(p))
	}
	c := newFrameCursor(t.frames, t)
	c.start()
	return startConversion(c, func(batch []*media.Frame, lagged bool) {
		if lagged {
			t.skipped++ // what the readers see of it is a packet that is lost
		}
		for _, f := range batch {
			t.packetizer.Packetize(f, emit)
		}
	}, packets.wake, packets.end)
}
