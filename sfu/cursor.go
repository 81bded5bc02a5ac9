package sfu

import (
	"context"
	"io"
	"slices"

	"weir/sfu/media"
)

// Cursor reads a track at its own pace, in the form T: [media.Packet] or
// [media.Frame]. It is for one goroutine. Close it when done.
//
// A cursor begins at the newest point in the ring where a decoder can start. If
// there is none it asks the publisher for a keyframe and begins there. When it
// was too slow and the ring has lapped it, it goes on likewise, and Take reports it.
type Cursor[T media.Packet | media.Frame] struct {
	ring    *ring[T]
	pos     uint64
	seeking bool // skip items until one where a decoder can start
	lagged  bool // tell with the next items
	queue   []*T // to be taken before what is at pos
	waker   waker
	listens bool // waker is one of the ring's wakers
	isSync  func(*T) bool
	early   func(r *ring[T], pos uint64) []*T // see earlyPackets; nil: nothing comes out of order
	request func()                            // asks for a keyframe
	release func()                            // gives the form back to the track; nil once closed
}

// start places the cursor at the newest sync point.
func (c *Cursor[T]) start() {
	head := c.ring.head.Load() // before the sync point: one that comes in between is found by seeking
	if pos, ok := c.ring.syncPoint(); ok {
		c.startAt(pos)
		return
	}
	c.pos, c.seeking, c.queue = head, true, nil
	c.request()
}

// startAt places the cursor at the sync point pos.
func (c *Cursor[T]) startAt(pos uint64) {
	c.pos, c.seeking, c.queue = pos, false, nil
	if c.early == nil {
		return
	}
	if early := c.early(c.ring, pos); len(early) > 0 {
		c.queue, c.pos = early, pos+1
	}
}

// startNext places the cursor at the next item, to seek from there.
func (c *Cursor[T]) startNext() {
	c.pos, c.seeking, c.queue = c.ring.head.Load(), true, nil
}

// startOldest places the cursor at the oldest item, to seek from there.
func (c *Cursor[T]) startOldest() {
	c.pos, c.seeking, c.queue = c.ring.tail.Load(), true, nil
	if _, ok := c.ring.syncPoint(); !ok {
		c.request()
	}
}

// Take copies the items that are there into dst, without waiting, and returns how many.
// lagged reports whether items are missing before the first of them. The items are
// shared: they must not be changed. The error is io.EOF when the track has ended and
// everything was taken.
func (c *Cursor[T]) Take(dst []*T) (n int, lagged bool, err error) {
	c.ring.pull()
	for {
		if len(c.queue) > 0 {
			n = copy(dst, c.queue)
			c.queue = c.queue[n:]
			return n, c.tellLagged(), nil
		}
		ended := c.ring.ended.Load() // before the items: what came before the end is still taken
		n, lapped := c.ring.read(c.pos, dst)
		switch {
		case lapped:
			c.lagged = true
			c.start()
		case n == 0 && ended:
			return 0, false, io.EOF
		case n == 0:
			return 0, false, nil
		case c.seeking:
			c.seek(dst[:n])
		default:
			c.pos += uint64(n)
			return n, c.tellLagged(), nil
		}
	}
}

// tellLagged reports whether items are missing before those that are returned with it.
func (c *Cursor[T]) tellLagged() bool {
	lagged := c.lagged
	c.lagged = false
	return lagged
}

// seek moves to the first sync point among items, which begin at pos, or past
// all of them.
func (c *Cursor[T]) seek(items []*T) {
	i := slices.IndexFunc(items, c.isSync)
	if i < 0 {
		c.pos += uint64(len(items))
		return
	}
	c.startAt(c.pos + uint64(i))
}

// Next is like Take but waits until there is at least one item, the track has
// ended, or ctx is done.
func (c *Cursor[T]) Next(ctx context.Context, dst []*T) (n int, lagged bool, err error) {
	for {
		if n, lagged, err = c.Take(dst); n > 0 || err != nil {
			return n, lagged, err
		}
		select {
		case <-c.Ready():
		case <-ctx.Done():
			return 0, false, context.Cause(ctx)
		}
	}
}

// Ready returns a channel that gets a value when there may be something to take,
// for readers that wait for several things at once.
func (c *Cursor[T]) Ready() <-chan struct{} {
	if !c.listens { // a reader that only looks now and then is not to be woken
		c.listens = true
		c.ring.add(c.waker)
		c.waker.wake(false) // for what has come before
	}
	return c.waker
}

// Close ends the reading. Closing twice is fine.
func (c *Cursor[T]) Close() error {
	if c.release == nil {
		return nil
	}
	if c.listens {
		c.ring.remove(c.waker)
	}
	c.release()
	c.release = nil
	return nil
}
