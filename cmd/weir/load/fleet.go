package load

import (
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// napTime is how long packets are left to gather while no viewer joins: many at a
	// time cost less each. The times at which they came are the kernel's, and the
	// sockets hold a second.
	napTime = 5 * time.Millisecond
	// dueInterval is how often viewers are asked to send what is due.
	dueInterval = 50 * time.Millisecond
)

// errStopped is what do returns when the fleet reads no more.
var errStopped = errors.New("the viewers are closed")

// fleet is all viewers, and the goroutine that reads their sockets.
type fleet struct {
	poller       *poller
	decryptEvery int
	sendPLI      bool
	realKeys     bool // packets of keyframes have no stamps

	joining   atomic.Int64 // viewers that need quick answers
	connected atomic.Int64

	mu      sync.Mutex
	pending []func() // for the goroutine
	closing bool
	done    chan struct{} // closed when the goroutine has ended
	err     error         // why, if it was not asked to

	// owned by the goroutine
	viewers       []*viewer
	nextDue       int64
	windowOpen    bool
	windowCPU     time.Duration // of the thread
	window        counters
	latencies     histogram
	negative      int64 // latencies below 0
	authenticated int64
	undecryptable int64
	unknown       int64 // packets of unknown payload types
	unstamped     int64 // packets in the window
	plain         []byte
}

// counters are what all viewers received.
type counters struct{ packets, bytes int64 }

func newFleet(c Config) (*fleet, error) {
	p, err := newPoller()
	if err != nil {
		return nil, err
	}
	return &fleet{poller: p, decryptEvery: c.DecryptEvery, sendPLI: c.SendPLI, realKeys: c.Keyframe != nil, done: make(chan struct{})}, nil
}

// readSockets reads until stop is called. It has a thread of its own, so that the
// thread's CPU time is what the viewers cost.
func (f *fleet) readSockets() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(f.done)
	defer f.poller.close()
	for f.handleCommands() {
		if f.joining.Load() == 0 {
			nap(napTime)
		}
		if err := f.poller.wait(napTime, (*viewer).receive); err != nil {
			f.err = err
			return
		}
		if now := time.Now().UnixNano(); now >= f.nextDue {
			f.nextDue = now + int64(dueInterval)
			for _, v := range f.viewers {
				v.sendDue(now)
			}
		}
	}
}

// handleCommands calls the pending functions. It returns false when the fleet is to stop.
func (f *fleet) handleCommands() bool {
	f.mu.Lock()
	pending, closing := f.pending, f.closing
	f.pending = nil
	f.mu.Unlock()
	for _, do := range pending {
		do()
	}
	return !closing
}

// do calls a function on the fleet's goroutine and waits until it has returned.
func (f *fleet) do(fn func()) error {
	called := make(chan struct{})
	f.mu.Lock()
	f.pending = append(f.pending, func() { fn(); close(called) })
	f.mu.Unlock()
	f.poller.interrupt()
	select {
	case <-called:
		return nil
	case <-f.done:
		if f.err != nil {
			return f.err
		}
		return errStopped
	}
}

func (f *fleet) stop() {
	f.mu.Lock()
	f.closing = true
	f.mu.Unlock()
	<-f.done
}

// add makes the fleet read a viewer's socket.
func (f *fleet) add(v *viewer) error {
	var err error
	if stopped := f.do(func() {
		if err = f.poller.add(v); err == nil {
			f.viewers = append(f.viewers, v)
		}
	}); stopped != nil {
		return stopped
	}
	return err
}

// remove is the opposite of add. When it returns, nothing reads the viewer's
// socket any more. The error is why the fleet has stopped: then nothing reads
// either.
func (f *fleet) remove(v *viewer) error {
	return f.do(func() {
		f.poller.remove(v)
		f.viewers = slices.DeleteFunc(f.viewers, func(other *viewer) bool { return other == v })
	})
}

// count counts a packet that a viewer had not got yet.
func (f *fleet) count(size int) {
	if f.windowOpen {
		f.window.packets++
		f.window.bytes += int64(size)
	}
}

// latency notes how long a packet took.
func (f *fleet) latency(at, sent int64) {
	if at < sent {
		f.negative++
	}
	f.latencies.add(at - sent)
}

// decrypt authenticates and decrypts a packet whole.
func (f *fleet) decrypt(k *keys, b []byte) {
	plain, err := k.in.DecryptRTP(f.plain[:0], b, nil)
	if err != nil {
		f.undecryptable++
		return
	}
	f.plain = plain
	f.authenticated++
}

// openWindow begins the measurement, closeWindow ends it. Packets that were sent before
// its end and are under way still count.
func (f *fleet) openWindow() {
	f.windowOpen, f.windowCPU = true, threadCPU()
	for _, v := range f.viewers {
		v.droppedBefore = v.dropped
		for _, t := range v.tracks {
			t.openWindow()
		}
	}
}

func (f *fleet) closeWindow() {
	f.windowOpen, f.windowCPU = false, threadCPU()-f.windowCPU
	for _, v := range f.viewers {
		for _, t := range v.tracks {
			t.closeWindow()
		}
	}
}
