package sfu

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"weir/sfu/media"
)

const (
	// shardBatch is how many packets a shard takes at a time: a large keyframe,
	// and few enough that their payloads stay in the processor's cache while one
	// viewer after another is served.
	shardBatch = 64
	// maxPending bounds what one viewer may have waiting in a shard's inbox.
	maxPending = 64
)

// shard serves up to Config.ShardViewers viewers of one stream from one
// goroutine. It reads each track's ring once for all of them.
type shard struct {
	// set once
	stream *stream
	waker  waker
	quit   chan struct{} // closed when the last viewer has left
	done   chan struct{} // closed when run has returned

	viewers int // guarded by stream.mu

	// guarded by mu
	mu    sync.Mutex
	inbox []func()

	// guarded by serving, which the goroutine that serves the viewers holds
	serving  sync.Mutex
	lanes    []*lane
	outboxes []Outbox // of writers that have one: one for each kind of writer
}

// lane is one track of a shard.
type lane struct {
	track   *Track
	ring    *ring[media.Packet]
	pos     uint64 // where the live readers are
	batch   []*media.Packet
	readers []*laneReader
}

// laneReader is one viewer of one track.
type laneReader struct {
	viewer *Attachment
	lagged bool    // tell with the next packets
	behind *behind // catches up with the lane; nil: it is live, and reads with the lane
}

// live reports whether the reader reads with the lane.
func (r *laneReader) live() bool { return r.behind == nil }

// Attachment is a viewer's place in a shard.
type Attachment struct {
	shard   *shard
	writer  PacketWriter
	near    bool // see LocalWriter; owned by the shard
	pending atomic.Int64
	removed atomic.Bool
	closed  sync.Once
}

// Do runs f soon and in order, and never at the same time as WritePackets. It
// returns false, and does not run f, when too much is waiting already or a is
// closed; nor does f run when a is closed before its turn. Once the stream has
// ended, f runs when all that is left has been written to the live viewers.
func (a *Attachment) Do(f func()) bool {
	if a.removed.Load() {
		return false
	}
	if a.pending.Add(1) > maxPending {
		a.pending.Add(-1)
		return false
	}
	a.shard.post(func() {
		a.pending.Add(-1)
		if !a.removed.Load() {
			f()
		}
	})
	return true
}

// Resent notes that the viewer has lost packets of t, and was sent so many bytes again:
// if it still catches up, it does so at a slower pace. It is for functions that Do
// runs.
func (a *Attachment) Resent(t *Track, bytes int) {
	for _, l := range a.shard.lanes {
		if l.track != t {
			continue
		}
		for _, r := range l.readers {
			if r.viewer == a && !r.live() {
				r.behind.pace.Lost(t.stream.now())
				r.behind.pace.Sent(bytes)
			}
		}
	}
}

// Close detaches the viewer. When it returns, the PacketWriter is not called any
// more. Closing twice is fine; it must not be called from WritePackets or Do.
func (a *Attachment) Close() error {
	a.closed.Do(func() { a.shard.stream.detach(a) })
	return nil
}

// attach finds a shard for the viewer, or starts one.
func (s *stream) attach(w PacketWriter, tracks []*Track) (*Attachment, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isClosed(s.over) {
		return nil, ErrEnded
	}
	sh := s.leastLoaded()
	if sh == nil || sh.viewers >= s.hub.config.ShardViewers && len(s.shards) < s.hub.maxShards {
		sh = &shard{stream: s, waker: newWaker(), quit: make(chan struct{}), done: make(chan struct{})}
		s.shards = append(s.shards, sh)
		go sh.run()
	}
	sh.viewers++
	a := &Attachment{shard: sh, writer: w}
	sh.post(func() {
		if o, ok := w.(OutboxWriter); ok {
			sh.use(o.UseOutbox(sh.outboxes))
		}
		if n, ok := w.(LocalWriter); ok {
			a.near = n.Local()
		}
		for _, t := range tracks {
			sh.add(a, t)
		}
	})
	return a, nil
}

func (s *stream) leastLoaded() *shard {
	var least *shard
	for _, sh := range s.shards {
		if least == nil || sh.viewers < least.viewers {
			least = sh
		}
	}
	return least
}

// detach removes the viewer and waits until its shard has let go of it.
func (s *stream) detach(a *Attachment) {
	removed := make(chan struct{})
	a.shard.post(func() {
		a.shard.remove(a)
		close(removed)
	})
	<-removed
	if s.leave(a.shard) {
		close(a.shard.quit)
		<-a.shard.done
	}
}

// leave counts a viewer less in sh and reports whether it was the last one. Then the
// shard is no longer one of the stream's.
func (s *stream) leave(sh *shard) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sh.viewers--; sh.viewers > 0 {
		return false
	}
	s.shards = slices.DeleteFunc(s.shards, func(other *shard) bool { return other == sh })
	return true
}

// post puts f into the inbox.
func (sh *shard) post(f func()) {
	sh.mu.Lock()
	sh.inbox = append(sh.inbox, f)
	sh.mu.Unlock()
	sh.waker.wake(false)
}

// run serves the viewers until the last one has left.
func (sh *shard) run() {
	defer close(sh.done)
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		wait, worked := sh.serve()
		if worked || wait == 0 {
			continue
		}
		if wait > 0 {
			pause.Reset(wait)
		}
		select {
		case <-sh.waker:
		case <-pause.C:
		case <-sh.quit:
			return
		}
	}
}

// serve serves the viewers once, and empties the inbox.
func (sh *shard) serve() (wait time.Duration, worked bool) {
	sh.serving.Lock()
	defer sh.serving.Unlock()
	wait = sh.round()
	sh.flush() // before work, where a viewer may learn that it has got everything
	worked = sh.work()
	sh.flush()
	return wait, worked
}

// use adds an outbox, if it is a new one.
func (sh *shard) use(o Outbox) {
	if !slices.Contains(sh.outboxes, o) {
		sh.outboxes = append(sh.outboxes, o)
	}
}

// flush sends what the viewers have in their outboxes.
func (sh *shard) flush() {
	for _, o := range sh.outboxes {
		o.Flush()
	}
}

// work empties the inbox and reports whether there was something in it. Once the stream
// has ended it leaves the inbox until the lanes are at their ends, which come at once:
// so that a viewer that asks by Do knows that it has got everything.
func (sh *shard) work() bool {
	if isClosed(sh.stream.over) && slices.ContainsFunc(sh.lanes, (*lane).more) {
		return false
	}
	sh.mu.Lock()
	inbox := sh.inbox
	sh.inbox = nil
	sh.mu.Unlock()
	for _, f := range inbox {
		f()
	}
	return len(inbox) > 0
}

// round serves every lane once. It returns 0 if there is more to do at once, the
// time until there is, or a negative time if only new packets make work.
func (sh *shard) round() time.Duration {
	wait := time.Duration(-1)
	for _, l := range sh.lanes {
		if l.forward() {
			wait = 0
		}
		if w := l.catchUp(); w >= 0 && (wait < 0 || w < wait) {
			wait = w
		}
	}
	return wait
}

// forward serves the next batch to the live readers: viewer outside, packet inside, so
// that one viewer's datagrams follow each other. It reports whether there may be more.
func (l *lane) forward() bool {
	l.ring.pull()
	n, lapped := l.ring.read(l.pos, l.batch)
	for lapped {
		l.resume()
		n, lapped = l.ring.read(l.pos, l.batch)
	}
	if n == 0 {
		return false
	}
	for _, r := range l.readers {
		if r.live() {
			l.deliver(r, l.batch[:n])
		}
	}
	clear(l.batch[:n])
	l.pos += uint64(n)
	return n == len(l.batch)
}

// deliver calls the reader's PacketWriter.
func (l *lane) deliver(r *laneReader, batch []*media.Packet) {
	lagged := r.lagged
	r.lagged = false
	r.viewer.writer.WritePackets(l.track, batch, lagged)
}

// resume moves on after the ring has lapped the shard. The live readers are told
// with the next packets, which may not have come yet.
func (l *lane) resume() {
	head := l.ring.head.Load() // before the sync point, so that none is missed in between
	pos, ok := l.ring.syncPoint()
	if !ok {
		pos = head
		l.track.RequestKeyframe()
	}
	l.pos = pos
	for _, r := range l.readers {
		r.lagged = r.lagged || r.live()
	}
}

// more reports whether the live readers have not got everything yet, or packets
// may still come.
func (l *lane) more() bool { return !l.ring.ended.Load() || l.pos < l.ring.head.Load() }

// add makes the viewer a reader of t.
func (sh *shard) add(a *Attachment, t *Track) {
	l := sh.lane(t)
	l.readers = append(l.readers, l.reader(a))
}

// lane returns the shard's lane for t, opening the ring for the first reader.
func (sh *shard) lane(t *Track) *lane {
	for _, l := range sh.lanes {
		if l.track == t {
			return l
		}
	}
	l := &lane{track: t, ring: t.openPackets(), batch: make([]*media.Packet, shardBatch)}
	l.pos = l.ring.head.Load()
	l.ring.add(sh)
	sh.lanes = append(sh.lanes, l)
	return l
}

// remove makes the viewer read nothing any more, and closes lanes without readers.
func (sh *shard) remove(a *Attachment) {
	a.removed.Store(true)
	lanes := sh.lanes[:0]
	for _, l := range sh.lanes {
		readers := l.readers[:0]
		for _, r := range l.readers {
			if r.viewer != a {
				readers = append(readers, r)
			}
		}
		clear(l.readers[len(readers):])
		l.readers = readers
		if len(readers) > 0 {
			lanes = append(lanes, l)
			continue
		}
		l.ring.remove(sh)
		l.track.closeForm(Packets)
	}
	clear(sh.lanes[len(lanes):])
	sh.lanes = lanes
}
