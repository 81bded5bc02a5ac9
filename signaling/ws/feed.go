package ws

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"weir/sfu"
	"weir/sfu/media"
)

const (
	// feedPoll is how often new frames are fetched. It is a part of the latency;
	// fetching by the clock costs less than being woken for every frame.
	feedPoll = 10 * time.Millisecond
	// feedBatch is how many frames of a track are fetched at a time.
	feedBatch = 64
	// feedPatience is how late frames may be against those before them until their
	// tracks count as silent.
	feedPatience = 250 * time.Millisecond
	// feedAway is how long nothing may come until the publisher counts as away.
	feedAway = 2 * time.Second
)

// feeds holds the feeds of the streams that somebody watches.
type feeds struct {
	buffers sync.Pool // of the viewers' sockets, for text

	// guarded by mu
	mu   sync.Mutex
	byID map[string]*feed // by StreamInfo.ID
}

// feed is one broadcast, muxed once for all who watch it here. Its goroutine runs
// from the first of them to the last.
type feed struct {
	// set once
	id     string
	cancel context.CancelFunc
	done   chan struct{} // closed when its goroutine has ended

	// guarded by feeds.mu
	viewers int

	ring ring

	// owned by the goroutine
	main    *muxer        // of all inputs; nil before the first keyframe
	aside   *muxer        // of the sound alone, though there is a picture to come; nil: nobody needs it
	dropped bool          // main was, because the picture did not come any more
	inputs  []*feedInput  // the picture first
	fresh   []feedFrame   // fetched, not yet muxed
	newest  time.Duration // PTS of the newest frame
	since   time.Time     // when it came
	unseen  darkness
	dark    time.Duration  // what unseen said last
	lost    bool           // the publisher is, and may come back
	batch   []*media.Frame // for fetching

	// atomic
	muxed atomic.Int64 // units
	video atomic.Pointer[sfu.Track]
}

// feedInput is one track of a feed.
type feedInput struct {
	track  *sfu.Track
	cursor *sfu.Cursor[media.Frame]
	ended  bool
}

type feedFrame struct {
	in *feedInput
	*media.Frame
}

// join returns the feed of a live broadcast of that name, and a subscription that
// counts its viewer. The error wraps sfu.ErrNotLive if there is none.
func (fs *feeds) join(hub *sfu.Hub, name string) (*feed, *sfu.Subscription, error) {
	sub, err := hub.Subscribe(name)
	if err != nil {
		return nil, nil, err
	}
	id := sub.Stream().ID
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.byID[id]
	if f == nil {
		own, err := hub.Subscribe(name) // it outlives its first viewer
		if err != nil || own.Stream().ID != id {
			return nil, nil, errors.Join(sfu.ErrNotLive, sub.Close())
		}
		f = startFeed(id, own)
		if fs.byID == nil {
			fs.byID = map[string]*feed{}
		}
		fs.byID[id] = f
	}
	f.viewers++
	sub.Join()
	return f, sub, nil
}

// leave takes back a join. The last to leave ends the feed and waits for it.
func (fs *feeds) leave(f *feed, sub *sfu.Subscription) {
	sub.Close()
	fs.mu.Lock()
	f.viewers--
	last := f.viewers == 0
	if last {
		delete(fs.byID, f.id)
	}
	fs.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}

func startFeed(id string, sub *sfu.Subscription) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{id: id, cancel: cancel, done: make(chan struct{}), ring: ring{changed: make(chan struct{})}}
	go func() {
		defer close(f.done)
		defer sub.Close()
		defer f.ring.end()
		f.run(ctx, sub)
	}()
	return f
}

// run muxes until the broadcast has ended or ctx is done.
func (f *feed) run(ctx context.Context, sub *sfu.Subscription) {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return // it never came to media, or nobody watches any more
	}
	f.choose(sfu.Best(tracks))
	for _, in := range f.inputs {
		defer func() { in.cursor.Close() }() // it may be another one by then
	}
	poll := time.NewTicker(feedPoll)
	defer poll.Stop()
	f.batch = make([]*media.Frame, feedBatch)
	for {
		now := time.Now()
		f.look(now)
		f.lost = sub.Waiting()
		ended := f.fetch()
		f.push(now)
		f.publish(ended)
		if ended {
			return
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// fetch takes what has come, in the order of its times. It returns true when
// nothing will follow.
func (f *feed) fetch() (ended bool) {
	ended = true
	for i, in := range f.inputs {
		if i > 0 && f.main == nil && f.aside == nil && len(f.fresh) == 0 && f.dark < feedDark {
			break // sound stays in its ring until there is a keyframe
		}
		f.take(in)
		ended = ended && in.ended
	}
	f.sort()
	return ended
}

func (f *feed) take(in *feedInput) {
	for !in.ended {
		n, _, err := in.cursor.Take(f.batch)
		if err != nil { // io.EOF, the only one there is
			in.ended = true
			break
		}
		for _, frame := range f.batch[:n] {
			f.fresh = append(f.fresh, feedFrame{in, frame})
		}
		clear(f.batch[:n])
		if n < len(f.batch) {
			break
		}
	}
}

func (f *feed) sort() {
	slices.SortStableFunc(f.fresh, func(a, b feedFrame) int { return cmp.Compare(a.PTS, b.PTS) })
}

// push hands what was fetched to the muxers.
func (f *feed) push(now time.Time) {
	f.turn(now)
	for _, frame := range f.fresh {
		if frame.PTS >= f.newest {
			f.newest, f.since = frame.PTS, now
		}
		for _, m := range []*muxer{f.main, f.aside} {
			if m != nil {
				m.push(frame)
			}
		}
	}
	clear(f.fresh)
	f.fresh = f.fresh[:0]
	if f.main == nil && f.aside == nil {
		return
	}
	idle := now.Sub(f.since)
	f.ring.setAway(idle > feedAway || f.lost)
	for _, m := range []*muxer{f.main, f.aside} {
		if m != nil {
			m.advance(f.newest+idle-feedPatience, idle <= feedAway)
		}
	}
}

// publish moves what is muxed into the ring, and asks for a keyframe when the
// ring has none: nobody could start.
func (f *feed) publish(last bool) {
	for line, m := range []*muxer{mainLine: f.main, asideLine: f.aside} {
		if m == nil {
			continue
		}
		units := m.units(last)
		if len(units) == 0 {
			continue
		}
		f.muxed.Add(int64(len(units)))
		if !f.ring.append(line, units) && line == mainLine {
			f.requestKeyframe(units[len(units)-1].Time)
		}
	}
}

// requestKeyframe asks the publisher for one that is shown after the time at; the hub
// limits how often.
func (f *feed) requestKeyframe(at time.Duration) {
	if t := f.video.Load(); t != nil {
		t.RequestKeyframeAfter(at)
	}
}
