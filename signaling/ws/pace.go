package ws

import (
	"context"
	"sync"
	"time"

	"weir/sfu/interleave"
	"weir/sfu/media"
	"weir/sfu/pace"
)

const (
	// maxQueued and maxSpan bound what waits to be released, in bytes and in media
	// time. Beyond them frames are released faster than their pace (pace.Hurry), and
	// the socket is not read.
	maxQueued = 8 << 20
	maxSpan   = 10 * time.Second
	// perFrame is what a frame takes beside its bytes, so that many small ones are
	// bounded too.
	perFrame = 128
)

// frameWriter is what the pacer needs of an sfu.TrackWriter.
type frameWriter interface{ WriteFrame(media.Frame) }

// pacedFrame is a frame on its way to its track.
type pacedFrame struct {
	media.Frame
	to frameWriter
}

func (f *pacedFrame) size() int { return len(f.Data) + perFrame }

// pacer releases the frames of an upload when they are due, which pace.Release knows,
// in the order of their times. Before that it holds those that come while it is not
// certain what the stream is: see intake.
type pacer struct {
	// set once
	now     func() time.Duration // on the stream's clock
	changed chan struct{}        // wakes releaseAll; capacity 1
	freed   chan struct{}        // wakes enqueue; capacity 1

	// guarded by mu
	mu      sync.Mutex
	order   *interleave.Order[pacedFrame]
	bytes   int
	opened  bool // nothing is held
	full    bool // enqueue waits
	ended   bool
	release pace.Release
	hurried uint64 // frames released before they were due
}

// newPacer returns a pacer for that many tracks.
func newPacer(now func() time.Duration, tracks int) *pacer {
	return &pacer{now: now, changed: make(chan struct{}, 1), freed: make(chan struct{}, 1), order: interleave.New[pacedFrame](tracks)}
}

// latency returns how long after its PTS a frame is released now.
func (p *pacer) latency() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.release.Delay()
}

// hold takes a frame whose PTS is its time in the upload, until open is called. It
// returns how many frames and bytes are held.
func (p *pacer) hold(track int, f pacedFrame) (frames, bytes int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order.Push(track, f.PTS, f)
	p.bytes += f.size()
	return p.order.Len(), p.bytes
}

// open ends holding and takes out what was held, in the order of its times: it is to
// be given to enqueue with the times that it has on the stream's clock.
func (p *pacer) open() (held []heldFrame) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.opened = true
	for track, _, ok := p.order.First(); ok; track, _, ok = p.order.First() {
		held = append(held, heldFrame{track, p.order.Pop(track).Frame})
	}
	p.bytes = 0
	return held
}

// drop forgets what is held.
func (p *pacer) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for track, _, ok := p.order.First(); ok; track, _, ok = p.order.First() {
		p.order.Pop(track)
	}
	p.bytes = 0
}

// heldFrame is a frame that was held, of the track at that place.
type heldFrame struct {
	track int
	media.Frame
}

// enqueue takes a frame of a track that has arrived. It waits while the queue is full,
// and takes the frame in any case.
func (p *pacer) enqueue(ctx context.Context, track int, f pacedFrame) error {
	p.mu.Lock()
	p.release.Arrived(f.PTS, p.now())
	var err error
	for err == nil && p.over(f) {
		p.full = true
		p.mu.Unlock()
		wake(p.changed)
		select {
		case <-p.freed:
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
		p.mu.Lock()
	}
	p.order.Push(track, f.PTS, f)
	p.bytes += f.size()
	p.mu.Unlock()
	wake(p.changed)
	return err
}

// over reports whether f has no room. Called with mu held.
func (p *pacer) over(f pacedFrame) bool {
	_, first, ok := p.order.First()
	return ok && (p.bytes+f.size() > maxQueued || f.PTS-first > maxSpan)
}

// end notes that no frame will follow: releaseAll releases what is there and returns.
func (p *pacer) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	wake(p.changed)
}

// releaseAll releases frames until end was called and all are out.
func (p *pacer) releaseAll() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		f, wait, done := p.next()
		switch {
		case done:
			return
		case f.to != nil:
			f.to.WriteFrame(f.Frame)
			wake(p.freed)
			continue
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-p.changed:
		}
	}
}

// next takes out the first frame if it is due, or says how long to wait.
func (p *pacer) next() (f pacedFrame, wait time.Duration, done bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	track, pts, ok := p.order.First()
	if !ok || !p.opened {
		return f, time.Hour, p.ended
	}
	now := p.now()
	due, early := p.release.Due(pts, p.full || p.ended)
	if now < due {
		return f, due - now, false
	}
	if early {
		p.hurried++
	}
	f = p.order.Pop(track)
	p.bytes -= f.size()
	p.full = false
	p.release.Released(pts, now)
	return f, 0, false
}

// wake sends to a channel of capacity 1 unless a token is in it.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
