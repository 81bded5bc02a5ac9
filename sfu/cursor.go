package sfu

import (
	"context"
	"io"

	"weir/sfu/media"
)

// Cursor reads a track at its own pace, in the form T: [media.Packet] or
// [media.Frame]. It is for one goroutine. Close it when done.
//
// A cursor begins at the newest point in the ring where a decoder can start. If
// there is none it asks the publisher for a keyframe and begins there. When it
// was too slow and the ring has lapped it, it goes on the same way and says so.
type Cursor[T media.Packet | media.Frame] struct {
	ring    *ring[T]
	pos     uint64
	seeking bool // skip items until one where a decoder can start
	lagged  bool // tell with the next items
	waker   waker
	isSync  func(*T) bool
	request func() // asks for a keyframe
	release func() // gives the form back to the track; nil once closed
}

// start places the cursor at the newest sync point.
func (c *Cursor[T]) start() {
	pos, ok := c.ring.syncPoint()
	if !ok {
		c.pos = c.ring.head.Load()
		c.seeking = true
		c.request()
		return
	}
	c.pos = pos
	c.seeking = false
}

// startOldest places the cursor at the oldest item, to seek from there.
func (c *Cursor[T]) startOldest() {
	c.pos = c.ring.tail.Load()
	c.seeking = true
}

// Take copies the items that are there into dst, without waiting, and returns
// how many. lagged says that items are missing before the first of them. The
// items are shared: they must not be changed. The error is io.EOF when the track
// has ended and everything was taken.
func (c *Cursor[T]) Take(dst []*T) (n int, lagged bool, err error) {
	for {
		ended := c.ring.ended.Load() // before the items: what came before the end is still taken
		n, lapped := c.ring.read(c.pos, dst)
		if lapped {
			c.lagged = true
			c.start()
			continue
		}
		c.pos += uint64(n)
		if c.seeking && n > 0 {
			if n = c.seek(dst[:n]); n == 0 {
				continue
			}
		}
		if n == 0 && ended {
			return 0, false, io.EOF
		}
		lagged = c.lagged && n > 0
		if n > 0 {
			c.lagged = false
		}
		return n, lagged, nil
	}
}

// seek drops the items before the first sync point and returns how many remain.
func (c *Cursor[T]) seek(items []*T) int {
	for i, item := range items {
		if c.isSync(item) {
			c.seeking = false
			return copy(items, items[i:])
		}
	}
	return 0
}

// Next is like Take but waits until there is at least one item, the track has
// ended, or ctx is done.
func (c *Cursor[T]) Next(ctx context.Context, dst []*T) (n int, lagged bool, err error) {
	for {
		if n, lagged, err = c.Take(dst); n > 0 || err != nil {
			return n, lagged, err
		}
		select {
		case <-c.waker:
		case <-ctx.Done():
			return 0, false, context.Cause(ctx)
		}
	}
}

// Ready returns a channel that gets a value when there may be something to take,
// for readers that wait for several things at once.
func (c *Cursor[T]) Ready() <-chan struct{} { return c.waker }

// Close ends the reading. Closing twice is fine.
func (c *Cursor[T]) Close() error {
	if c.release == nil {
		return nil
	}
	c.ring.remove(c.waker)
	c.release()
	c.release = nil
	return nil
}
