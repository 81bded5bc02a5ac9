package ws

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/pace"
)

const (
	// feedPoll is how often new frames are fetched. It is a part of the latency;
	// fetching by the clock costs less than being woken for every frame.
	feedPoll = 10 * time.Millisecond
	// feedBatch is how many frames of a track are fetched at a time.
	feedBatch = 64
	// feedLatest is how late frames may be against those before them until their
	// tracks count as silent.
	feedLatest = 250 * time.Millisecond
	// feedAway is how long nothing may come until the publisher counts as away.
	feedAway = 2 * time.Second
)

// feeds holds the feeds of the streams that have viewers.
type feeds struct {
	buffers sync.Pool // of the viewers' sockets, for text

	// guarded by mu
	mu    sync.Mutex
	byKey map[feedKey]*feed
}

// feedKey is what the viewers of a feed have in common.
type feedKey struct {
	stream string // StreamInfo.ID
	timed  bool   // blocks tell how long they last
}

// feed is one broadcast, muxed once for all viewers here that want the same of its
// blocks. Its goroutine runs from the first of them to the last.
//
// A frame rests in three places on its path: in the track's ring until the feed fetches
// it, in the order of webm.Live until its turn has come and its unit is whole, and in
// the feed's ring until a viewer has it.
type feed struct {
	// set once
	key    feedKey
	began  time.Time
	cancel context.CancelFunc
	done   chan struct{} // closed when its goroutine has ended

	// guarded by feeds.mu
	viewers int

	ring ring

	// owned by the goroutine
	main      *muxer       // of all inputs; nil before the first keyframe
	audioOnly *muxer       // of the sound alone, though there is a picture to come; nil: no viewer needs it
	dropped   bool         // main was, because the picture did not come any more
	inputs    []*feedInput // the picture first
	edge      pace.Edge    // the newest frame; instants count from began
	video     videoWatch
	missing   time.Duration  // for how long there has been sound and no picture
	lost      bool           // the publisher is, and may come back
	batch     []*media.Frame // for fetching

	// atomic
	muxed   atomic.Int64 // units
	picture atomic.Pointer[sfu.Track]
}

// feedInput is one track of a feed.
type feedInput struct {
	track  *sfu.Track
	cursor *sfu.Cursor[media.Frame]
	ended  bool
}

// join returns the feed of a live broadcast of that name, and a subscription that
// counts its viewer. The error wraps sfu.ErrNotLive if there is none.
func (fs *feeds) join(hub *sfu.Hub, name string, wants durations) (*feed, *sfu.Subscription, error) {
	sub, err := hub.Subscribe(name)
	if err != nil {
		return nil, nil, err
	}
	key := feedKey{sub.Stream().ID, wants.of(sub)}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	f := fs.byKey[key]
	if f == nil {
		own, err := hub.Subscribe(name) // it outlives its first viewer
		if err != nil || own.Stream().ID != key.stream {
			return nil, nil, errors.Join(sfu.ErrNotLive, sub.Close())
		}
		f = startFeed(key, own)
		if fs.byKey == nil {
			fs.byKey = map[feedKey]*feed{}
		}
		fs.byKey[key] = f
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
		delete(fs.byKey, f.key)
	}
	fs.mu.Unlock()
	if last {
		f.cancel()
		<-f.done
	}
}

func startFeed(key feedKey, sub *sfu.Subscription) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	f := &feed{key: key, began: time.Now(), cancel: cancel, done: make(chan struct{}), ring: ring{changed: make(chan struct{})}}
	go func() {
		defer close(f.done)
		defer sub.Close()
		defer f.ring.end()
		f.muxAll(ctx, sub)
	}()
	return f
}

// muxAll muxes until the broadcast has ended or ctx is done.
func (f *feed) muxAll(ctx context.Context, sub *sfu.Subscription) {
	tracks, err := sub.Tracks(ctx)
	if err != nil {
		return // it never came to media, or no viewer is left
	}
	f.choose(sfu.Best(tracks))
	for _, in := range f.inputs {
		defer func() { in.cursor.Close() }() // it may be another one by then
	}
	poll := time.NewTicker(feedPoll)
	defer poll.Stop()
	f.batch = make([]*media.Frame, feedBatch)
	for {
		f.lost = sub.Waiting()
		if f.muxNew(time.Now()) {
			return
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// muxNew muxes what has come up to the instant now. It returns true when nothing will
// follow.
func (f *feed) muxNew(now time.Time) (ended bool) {
	f.watchVideo(now)
	f.changeLines()
	ended = f.fetch(now)
	if f.dropped && f.video.moves(now) {
		f.requestKeyframe(f.edge.PTS)
	}
	f.advanceMuxers(now)
	f.storeUnits(ended)
	return ended
}

// fetch hands the muxers what has come. The muxers put it into order, so that all
// pictures may be fetched ahead of the sound. It returns true when nothing will follow.
func (f *feed) fetch(now time.Time) (ended bool) {
	ended = true
	for i, in := range f.inputs {
		if i > 0 && f.main == nil && f.audioOnly == nil && f.missing < audioOnlyAfter {
			return false // sound stays in its ring until there is a keyframe
		}
		f.fetchInput(in, now)
		ended = ended && in.ended
	}
	return ended
}

func (f *feed) fetchInput(in *feedInput, now time.Time) {
	for !in.ended {
		n, _, err := in.cursor.Take(f.batch)
		if err != nil { // io.EOF, the only one there is
			in.ended = true
			return
		}
		for _, frame := range f.batch[:n] {
			f.edge.Advance(frame.PTS, now.Sub(f.began))
			f.beginLines(in, frame, now)
			for _, m := range []*muxer{f.main, f.audioOnly} {
				if m != nil {
					m.push(in, frame)
				}
			}
		}
		clear(f.batch[:n])
		if n < len(f.batch) {
			return
		}
	}
}

// advanceMuxers tells the muxers where the stream is at the instant now.
func (f *feed) advanceMuxers(now time.Time) {
	if f.main == nil && f.audioOnly == nil {
		return
	}
	at := now.Sub(f.began)
	idle := f.edge.Idle(at)
	f.ring.setAway(idle > feedAway || f.lost)
	for _, m := range []*muxer{f.main, f.audioOnly} {
		if m != nil {
			m.advance(f.edge.Now(at)-feedLatest, idle <= feedAway)
		}
	}
}

// storeUnits moves what is muxed into the ring, and asks for a keyframe when the ring
// has none: no viewer could start.
func (f *feed) storeUnits(last bool) {
	for line, m := range []*muxer{mainLine: f.main, audioOnlyLine: f.audioOnly} {
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
	if t := f.picture.Load(); t != nil {
		t.RequestKeyframeAfter(at)
	}
}
