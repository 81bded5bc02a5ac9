package sfu

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// keyframePause is the least time between two requests to the publisher, however
	// many viewers ask.
	keyframePause = time.Second
	// keyframeTries is how often one need is repeated while it is not answered: a
	// request may get lost, but some publishers cannot answer at all.
	keyframeTries = 10
	// keyframePatience is the longest pause. The pause doubles with each request beyond
	// keyframeTries in a row that was not answered, whichever reader asks.
	keyframePatience = time.Minute
	// keyframeStall is how long nothing more of a keyframe may come while it counts as
	// coming in. On a slow way one takes seconds, but its packets keep coming.
	keyframeStall = time.Second
	// answerTries is how many requests may be lost before one is answered.
	answerTries = 2
	// regularTries is keyframeTries where no reader waits: a request that was not
	// answered is due again after an interval.
	regularTries = 3
	// maxAhead is how much sooner than the interval is over a keyframe is asked for,
	// that it comes in time: a tenth of it, a second at most. A sender whose own
	// keyframes are just as far apart is asked ahead of each of them: to wait for it
	// would be to exceed the interval for all senders that have none of their own.
	maxAhead = time.Second
)

// keyframeState is where a track's next keyframe is.
type keyframeState uint8

const (
	keyframeIdle   keyframeState = iota // no reader needs one
	keyframeWanted                      // it is to be asked for as soon as that may be
	keyframeAsked                       // it was asked for, and has not come
	keyframeComing                      // its first packet is here
)

// keyframes is the one owner of a video track's keyframe requests. Each costs what
// the sender has queued, so that none is made which a keyframe that is there or on
// its way answers: not before the first packet tells whether it begins one, and not
// from a keyframe's first packet on until it is whole, or spoiled. The first request
// goes out at once, then at most one a second; what is not answered is repeated. A
// keyframe that comes in takes back the request that still waits.
type keyframes struct {
	// set once
	send     func()        // hands the source a request; must not block
	takeBack func()        // takes back what send has handed over and the source has not taken
	packets  func() uint64 // how many have come
	now      func() time.Duration
	interval time.Duration // Config.KeyframeInterval

	// atomic
	moved atomic.Int64 // when the last packet of the newest keyframe came

	// guarded by mu
	mu         sync.Mutex
	native     Form          // what the publisher sends: uploads of frames cannot be asked
	every      time.Duration // at least one so often, as long as packets come; 0: never
	state      keyframeState
	begun      bool          // the publisher's first packet has come
	closed     bool          // the track has ended
	tries      int           // requests that may still go out for the need at hand
	unanswered int           // requests in a row
	deaf       bool          // the newest keyframe came after several of them
	asked      time.Time     // when the last one went out
	seq        uint64        // of the newest keyframe's first packet; 0: none, or the source writes frames
	pts        time.Duration // of the newest keyframe
	counted    uint64        // packets when it had come
	timer      *time.Timer   // for next, or when idle for refresh; nil: none is running
	turn       int           // of timer
}

// newKeyframes returns the owner of t's requests.
func newKeyframes(t *Track) *keyframes {
	k := &keyframes{
		send:     func() { t.stream.requests.add(t.info.ID) },
		takeBack: func() { t.stream.requests.takeBack(t.info.ID) },
		packets:  t.counters.packets.Load,
		now:      t.stream.now,
		pts:      math.MinInt64,
		interval: t.stream.hub.config.KeyframeInterval,
	}
	k.setNative(t.native)
	return k
}

// setNative notes what the publisher sends from now on.
func (k *keyframes) setNative(native Form) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.native, k.every, k.seq = native, 0, 0
	if native == Packets {
		k.every = k.interval
	}
}

// request asks for a keyframe. One that is coming in will do.
func (k *keyframes) request() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.needs(k.state == keyframeComing)
}

// requestAfter asks for a keyframe that is shown after pts, if none is there.
func (k *keyframes) requestAfter(pts time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.needs(k.pts > pts)
}

// requestBehind asks for a keyframe that begins behind the packet seq, if none is
// there: up to that packet there is none, or none that is whole.
func (k *keyframes) requestBehind(seq uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.needs(k.seq > seq)
}

// answers reports whether a request is likely to be answered soon: the publisher can be
// asked, and has not left the last requests unanswered.
func (k *keyframes) answers() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.native == Packets && k.begun && !k.closed && !k.deaf && k.unanswered <= answerTries
}

// needs asks for a keyframe unless the newest one will do, when it is whole. Called
// with mu held.
func (k *keyframes) needs(newest bool) {
	stalled := k.state == keyframeComing && k.now()-time.Duration(k.moved.Load()) >= keyframeStall
	if !newest || stalled {
		k.want(keyframeTries)
	}
}

// want has a keyframe asked for. Called with mu held.
func (k *keyframes) want(tries int) {
	k.tries = max(k.tries, tries)
	if k.state == keyframeIdle || k.state == keyframeComing {
		k.state = keyframeWanted
		k.stop()
	}
	k.next()
}

// begins notes that the packet seq begins a keyframe for the time pts. It is whole
// if it comes as a frame.
func (k *keyframes) begins(seq uint64, pts time.Duration, whole bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.stop()
	if k.state == keyframeAsked || k.state == keyframeWanted {
		k.takeBack()
	}
	k.begun = true
	k.deaf = k.unanswered > answerTries
	k.tries, k.unanswered = 0, 0
	k.seq, k.pts = seq, pts
	k.moved.Store(int64(k.now()))
	k.state = keyframeComing
	if whole {
		k.rest()
	}
}

// other notes that the publisher's first packet is here, and begins no keyframe.
func (k *keyframes) other() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.begun = true
	if k.state == keyframeIdle {
		k.rest()
		return
	}
	k.next()
}

// complete notes that the keyframe that was coming in is whole.
func (k *keyframes) complete() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == keyframeComing {
		k.rest()
	}
}

// spoiled notes that the keyframe that was coming in is not going to be whole.
func (k *keyframes) spoiled() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.state == keyframeComing {
		k.want(keyframeTries)
	}
}

// away notes that the publisher is gone, and the next one begins anew. Then a keyframe
// is needed, which is asked for if the first packet begins none.
func (k *keyframes) away() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stop()
	k.takeBack()
	k.begun = false
	k.state, k.tries, k.unanswered, k.deaf = keyframeWanted, keyframeTries, 0, false
}

// next asks now if that may be, and sees to the repetition. Called with mu held; send
// does not block, and takes no lock that is held while this one is taken.
func (k *keyframes) next() {
	if k.closed || !k.begun || k.timer != nil {
		return
	}
	if k.tries == 0 {
		k.rest()
		return
	}
	wait := k.pause() - time.Since(k.asked)
	if k.asked.IsZero() || wait <= 0 {
		k.tries--
		k.unanswered++
		k.state, k.asked = keyframeAsked, time.Now()
		k.send()
		wait = k.pause()
	}
	k.after(wait, k.next)
}

// pause is the least time to the next request.
func (k *keyframes) pause() time.Duration {
	beyond := max(0, k.unanswered-keyframeTries)
	return min(keyframePause<<min(beyond, 10), keyframePatience)
}

// rest notes that no reader needs a keyframe for now. Called with mu held.
func (k *keyframes) rest() {
	k.state = keyframeIdle
	k.counted = k.packets()
	if k.every > 0 {
		k.after(k.every-min(k.every/10, maxAhead), k.refresh)
	}
}

// refresh asks for the keyframe that is due. As long as the picture stands still
// there is nothing that it could be needed for.
func (k *keyframes) refresh() {
	if k.packets() == k.counted {
		k.after(min(k.every, time.Second), k.refresh)
		return
	}
	k.want(regularTries)
}

// after calls f with mu held, unless something else comes first.
func (k *keyframes) after(d time.Duration, f func()) {
	k.stop()
	if k.closed {
		return
	}
	turn := k.turn
	k.timer = time.AfterFunc(d, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		if k.turn != turn || k.closed {
			return
		}
		k.timer = nil
		f()
	})
}

func (k *keyframes) stop() {
	k.turn++
	if k.timer != nil {
		k.timer.Stop()
		k.timer = nil
	}
}

func (k *keyframes) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.stop()
}
