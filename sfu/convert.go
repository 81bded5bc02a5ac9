package sfu

import (
	"context"
	"errors"
	"io"

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

// startConversion runs feed for every batch that c yields, then flush once the
// track has ended.
func startConversion[T media.Packet | media.Frame](c *Cursor[T], feed func(batch []*T), flush func()) *conversion {
	ctx, cancel := context.WithCancel(context.Background())
	conv := &conversion{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(conv.done)
		defer cancel()
		defer c.Close()
		batch := make([]*T, convertBatch)
		for {
			n, _, err := c.Next(ctx, batch)
			if errors.Is(err, io.EOF) {
				flush()
				return
			}
			if err != nil {
				return
			}
			feed(batch[:n])
			clear(batch[:n]) // hold no item longer than the ring does
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
	c := openCursor(t.packets, func(p *media.Packet) bool { return p.Sync }, t)
	if all {
		// The depacketizer finds the first keyframe itself, whatever the order in
		// which its packets came.
		c.pos, c.seeking = t.packets.tail.Load(), false
	} else {
		c.pos = stepBack(t.packets, c.pos)
	}
	return startConversion(c, func(batch []*media.Packet) {
		for _, p := range batch {
			depacketizer.Depacketize(p, emit)
		}
		if depacketizer.NeedsSync() {
			t.RequestKeyframe()
		}
		t.counters.setLosses(depacketizer.Losses())
	}, func() {
		depacketizer.Flush(emit)
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
		p.Arrival = t.stream.now()
		t.appendPacket(packets, slab.put(p))
	}
	c := openCursor(t.frames, func(f *media.Frame) bool { return f.Sync }, t)
	return startConversion(c, func(batch []*media.Frame) {
		for _, f := range batch {
			t.packetizer.Packetize(f, emit)
		}
	}, packets.end)
}
