package ws

import (
	"context"
	"sync"
	"time"

	"weir/sfu/media"
)

const (
	// lateWindow is how far back the pacer looks for the latest frame, at least:
	// more than two chunks of 2 s, so that the first frame of one is always in it.
	lateWindow = 5 * time.Second
	// maxQueued and maxSpan bound what waits to be released, in bytes and in media
	// time. Beyond them frames are released at hurry times their pace, and the
	// socket is not read.
	maxQueued = 8 << 20
	maxSpan   = 10 * time.Second
	// hurry is how many times faster than their pace frames are released when too
	// many wait, or none will follow. Not at once: a ring of 3 s would pass its
	// readers in a moment, and they would lose frames.
	hurry = 8
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

// pacer releases frames at the pace of their times. A chunk of MediaRecorder's is
// a burst of all frames of 100 ms to 2 s; its first one is the oldest. So frames
// are released with a delay that is just enough for the latest frame of the last
// seconds: it grows at once when one is later, and shrinks slowly (by 5 % of the
// time that passes, 10 % when it is more than 500 ms too long), which players
// make up for by playing faster. All tracks share one queue, so they keep their
// order.
type pacer struct {
	// set once
	now     func() time.Duration // on the stream's clock
	changed chan struct{}        // wakes run; capacity 1
	freed   chan struct{}        // wakes put; capacity 1

	// guarded by mu
	mu      sync.Mutex
	queue   []pacedFrame
	head    int // of queue: what is before it was released
	bytes   int
	full    bool // put waits
	ended   bool
	started bool
	late    windowMax
	delay   time.Duration // a frame is due at PTS + delay
	lastPTS time.Duration // of the last frame released
	lastAt  time.Duration // when that was
	hurried uint64        // frames released before they were due
}

func newPacer(now func() time.Duration) *pacer {
	return &pacer{now: now, changed: make(chan struct{}, 1), freed: make(chan struct{}, 1), late: windowMax{window: lateWindow}}
}

// latency returns how long after its PTS a frame is released now.
func (p *pacer) latency() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.delay
}

// put takes a frame that has arrived. It waits while the queue is full, and takes
// the frame in any case.
func (p *pacer) put(ctx context.Context, f pacedFrame) error {
	p.mu.Lock()
	p.observe(f.PTS)
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
	p.queue = append(p.queue, f)
	p.bytes += f.size()
	p.mu.Unlock()
	wake(p.changed)
	return err
}

// observe learns from the arrival of a frame. Called with mu held.
func (p *pacer) observe(pts time.Duration) {
	now := p.now()
	late := now - pts
	p.late.observe(now, late)
	if !p.started {
		p.started, p.delay, p.lastPTS, p.lastAt = true, late, pts, now
	}
	p.delay = max(p.delay, late)
}

// over says that f has no room. Called with mu held.
func (p *pacer) over(f pacedFrame) bool {
	if p.head == len(p.queue) {
		return false
	}
	return p.bytes+f.size() > maxQueued || f.PTS-p.queue[p.head].PTS > maxSpan
}

// end says that no frame will follow: run releases what is there and returns.
func (p *pacer) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	wake(p.changed)
}

// run releases frames until end was called and all are out.
func (p *pacer) run() {
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
	if p.head == len(p.queue) {
		return f, time.Hour, p.ended
	}
	now, pts := p.now(), p.queue[p.head].PTS
	due, early := pts+p.delay, false
	if p.full || p.ended {
		if soon := p.lastAt + max(0, pts-p.lastPTS)/hurry; soon < due {
			due, early = soon, true
		}
	}
	if now < due {
		return f, due - now, false
	}
	if early {
		p.hurried++
	}
	f = p.take()
	p.shrink(pts - p.lastPTS)
	p.lastPTS, p.lastAt = max(p.lastPTS, pts), now
	return f, 0, false
}

// take removes the first frame. Called with mu held.
func (p *pacer) take() pacedFrame {
	f := p.queue[p.head]
	p.queue[p.head] = pacedFrame{}
	p.head++
	p.bytes -= f.size()
	p.full = false
	if p.head*2 >= len(p.queue) { // half of it is gone: moving the rest is cheap
		n := copy(p.queue, p.queue[p.head:])
		clear(p.queue[n:])
		p.queue, p.head = p.queue[:n], 0
	}
	return f
}

// shrink moves the delay towards what is needed, after elapsed media time. Called
// with mu held.
func (p *pacer) shrink(elapsed time.Duration) {
	needed := p.late.max()
	if elapsed <= 0 || needed >= p.delay {
		return
	}
	most := elapsed / 20
	if p.delay-needed > 500*time.Millisecond {
		most = elapsed / 10
	}
	p.delay = max(needed, p.delay-most)
}

// wake sends to a channel of capacity 1 unless a token is in it.
func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// windowMax is the maximum of what was observed in the last one to two windows.
type windowMax struct {
	window            time.Duration
	begun             time.Duration // when the current window began
	current, previous time.Duration
	n                 int // windows that hold a value: 0, 1 or 2
}

func (w *windowMax) observe(now, v time.Duration) {
	switch {
	case w.n == 0 || now-w.begun >= 2*w.window:
		w.begun, w.current, w.previous, w.n = now, v, v, 1
	case now-w.begun >= w.window:
		w.begun, w.previous, w.current, w.n = now, w.current, v, 2
	default:
		w.current = max(w.current, v)
	}
}

// max returns the maximum: that of the newest values while none come.
func (w *windowMax) max() time.Duration { return max(w.current, w.previous) }
