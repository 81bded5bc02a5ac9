package sfutest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Got is a frame that a Collector was given.
type Got struct {
	N         int // as Number tells
	PTS       time.Duration
	Sync, Gap bool
}

// Collector is the end of a sink of one track: it takes packets, which it puts
// together as a viewer does, or frames, and notes which ones came. It is safe for
// concurrent use.
type Collector struct {
	codec  media.Codec
	format codec.Format

	mu     sync.Mutex
	in     codec.Depacketizer
	got    []Got
	lagged int
	err    error // the first thing that was wrong
}

// NewCollector returns a Collector for a track of codec c.
func NewCollector(c media.Codec) *Collector {
	format, ok := codec.For(c)
	if !ok {
		panic("sfutest: unknown codec")
	}
	return &Collector{codec: c, format: format, in: format.NewDepacketizer(codec.Config{})}
}

// AddPackets takes what a cursor or a shard yields.
func (c *Collector) AddPackets(batch []*media.Packet, lagged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lagged {
		c.lagged++
		c.in.Flush(c.add)
		c.in = c.format.NewDepacketizer(codec.Config{})
	}
	for _, p := range batch {
		c.in.Depacketize(p, c.add)
	}
}

// AddFrames takes what a cursor yields.
func (c *Collector) AddFrames(batch []*media.Frame, lagged bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if lagged {
		c.lagged++
	}
	for _, f := range batch {
		c.add(*f)
	}
}

// add notes a frame. Called with mu held.
func (c *Collector) add(f media.Frame) {
	n, intact := Number(c.codec, f.Data)
	fail := func(format string, args ...any) {
		if c.err == nil {
			c.err = fmt.Errorf("%v frame %d (the %dth to come): %s", c.codec, n, len(c.got), fmt.Sprintf(format, args...))
		}
	}
	if !intact {
		fail("it is damaged")
	}
	if len(c.got) > 0 {
		last := c.got[len(c.got)-1]
		if n <= last.N {
			fail("it comes after frame %d", last.N)
		}
		if f.PTS <= last.PTS {
			fail("its time %v is not after %v", f.PTS, last.PTS)
		}
	}
	c.got = append(c.got, Got{N: n, PTS: f.PTS, Sync: f.Sync, Gap: f.Gap})
}

// Got returns the frames that came.
func (c *Collector) Got() []Got {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.got)
}

// Lagged returns how often it was told that something is missing.
func (c *Collector) Lagged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lagged
}

// Err returns what was wrong with the frames that came: one was damaged or out
// of order. That frames are missing is not wrong in itself.
func (c *Collector) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Complete returns an error unless exactly the frames with the numbers from first
// to last came, intact and in order.
func (c *Collector) Complete(first, last int) error {
	if err := c.Err(); err != nil {
		return err
	}
	got := c.Got()
	if len(got) == 0 {
		return fmt.Errorf("%v: no frame came, want %d to %d", c.codec, first, last)
	}
	for i, g := range got {
		if g.N != first+i {
			return fmt.Errorf("%v: frame %d came where %d was to come", c.codec, g.N, first+i)
		}
	}
	if end := got[len(got)-1].N; end != last {
		return fmt.Errorf("%v: the last frame that came is %d, want %d", c.codec, end, last)
	}
	return nil
}
