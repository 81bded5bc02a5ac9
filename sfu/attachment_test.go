package sfu

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// writerFunc is a PacketWriter.
type writerFunc func(t *Track, batch []*media.Packet, lagged bool)

func (f writerFunc) WritePackets(t *Track, batch []*media.Packet, lagged bool) { f(t, batch, lagged) }

func discard(*Track, []*media.Packet, bool) {}

func TestDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		inWriter := 0 // not guarded: all of it happens on the shard's goroutine
		a := b.attach(t, writerFunc(func(*Track, []*media.Packet, bool) { inWriter++ }))
		b.play(sfutest.Clip{}, 0, time.Second)
		var order []int
		for i := range 20 {
			if !a.Do(func() { order = append(order, i); inWriter++ }) {
				t.Fatal("refused")
			}
		}
		synctest.Wait()
		if !slices.IsSorted(order) || len(order) != 20 {
			t.Errorf("run in the order %v", order)
		}
		if inWriter <= 20 {
			t.Error("the writer was not called")
		}
	})
}

func TestDoIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		held, other := b.attach(t, writerFunc(discard)), b.attach(t, writerFunc(discard))
		var ran atomic.Int64
		for range 3 {
			ran.Store(0)
			begun, hold := make(chan struct{}), make(chan struct{})
			held.Do(func() { close(begun); <-hold })
			<-begun
			taken := 0
			for held.Do(func() { ran.Add(1) }) {
				taken++
			}
			if taken != maxPending {
				t.Errorf("%d are taken while none runs, want %d", taken, maxPending)
			}
			if !other.Do(func() { ran.Add(1) }) {
				t.Error("another viewer of the shard is refused for it")
			}
			close(hold)
			synctest.Wait()
			if n := ran.Load(); n != int64(taken)+1 {
				t.Errorf("%d were taken, %d ran", taken+1, n)
			}
		}
	})
}

func TestDoAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBroadcast(t, Config{}, Packets)
		defer b.Close()
		gone, stays := b.attach(t, writerFunc(discard)), b.attach(t, writerFunc(discard))
		begun, hold := make(chan struct{}), make(chan struct{})
		stays.Do(func() { close(begun); <-hold })
		<-begun
		closed := make(chan struct{})
		go func() {
			gone.Close()
			close(closed)
		}()
		synctest.Wait() // Close waits for the shard
		gone.Do(func() { t.Error("it ran though it was asked for after Close") })
		close(hold)
		<-closed
		if gone.Do(func() {}) {
			t.Error("taken after Close")
		}
		stays.Close()
		if stays.Do(func() {}) {
			t.Error("taken when the shard is no more")
		}
		gone.Close()
	})
}

// TestDoAtTheEnd: once the stream has ended, what Do is asked for runs when the
// viewer has got all that was written, so that it can be waited for.
func TestDoAtTheEnd(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		for range 20 {
			b := newBroadcast(t, Config{}, form)
			got := 0
			a := b.attach(t, writerFunc(func(t *Track, batch []*media.Packet, _ bool) {
				if t.Info().Kind() == media.Video {
					got += len(batch)
				}
			}))
			joined := make(chan struct{}) // a keyframe's backlog is not what this is about
			a.Do(func() { close(joined) })
			<-joined
			b.play(sfutest.Clip{Size: 12000}, 0, time.Second)
			b.Close()
			all := make(chan int)
			if !a.Do(func() { all <- got }) {
				t.Fatal("refused")
			}
			if n := <-all; n != 25*11 {
				t.Fatalf("%s: %d packets came before the end, want %d", formName(form), n, 25*11)
			}
			a.Close()
		}
	}
}

// TestAttachmentClose: once Close has returned, the PacketWriter is not called.
func TestAttachmentClose(t *testing.T) {
	b := newBroadcast(t, Config{ShardViewers: 3}, Packets)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for at := time.Duration(0); !isClosed(stop); at += sfutest.VideoInterval {
			b.play(sfutest.Clip{KeyEvery: 10, Size: 1200}, at, at+sfutest.VideoInterval)
			runtime.Gosched()
		}
	})
	sub, tracks := b.subscribe(t)
	var viewers sync.WaitGroup
	for range 8 {
		viewers.Go(func() {
			for range 30 {
				var closed atomic.Bool
				first := make(chan struct{}, 1)
				a, err := sub.Attach(writerFunc(func(*Track, []*media.Packet, bool) {
					if closed.Load() {
						t.Error("called after Close")
					}
					select {
					case first <- struct{}{}:
					default:
					}
				}), tracks)
				if err != nil {
					t.Error(err)
					return
				}
				<-first
				a.Close()
				closed.Store(true)
			}
		})
	}
	viewers.Wait()
	close(stop)
	writing.Wait()
}

// shardViewers returns how many viewers each of the stream's shards has.
func shardViewers(s *stream) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	viewers := []int{}
	for _, sh := range s.shards {
		viewers = append(viewers, sh.viewers)
	}
	return viewers
}

func TestShardsOfAStream(t *testing.T) {
	b := newBroadcast(t, Config{ShardViewers: 3}, Packets)
	b.hub.maxShards = 3 // whatever GOMAXPROCS is
	var attached []*Attachment
	want := []string{"[1]", "[2]", "[3]", "[3 1]", "[3 2]", "[3 3]", "[3 3 1]", "[3 3 2]", "[3 3 3]", "[4 3 3]", "[4 4 3]"}
	for _, w := range want {
		attached = append(attached, b.attach(t, writerFunc(discard)))
		if got := fmt.Sprint(shardViewers(b.stream())); got != w {
			t.Errorf("with %d viewers the shards have %s, want %s", len(attached), got, w)
		}
	}
	for _, a := range attached[3:6] { // those of the second shard
		a.Close()
		a.Close()
	}
	if got := fmt.Sprint(shardViewers(b.stream())); got != "[4 1 3]" {
		t.Errorf("after three have left the shards have %s, want [4 1 3]", got)
	}
	for _, a := range attached {
		a.Close()
	}
	if got := shardViewers(b.stream()); len(got) != 0 {
		t.Errorf("without viewers there are shards: %v", got)
	}
}

// TestShardEndsConversion: viewers of packets start the conversion of frames and
// end it.
func TestShardEndsConversion(t *testing.T) {
	b := newBroadcast(t, Config{}, Frames)
	first, second := b.attach(t, writerFunc(discard)), b.attach(t, writerFunc(discard))
	done := make(chan struct{})
	second.Do(func() { close(done) })
	<-done
	if running(b.video.track) == nil || running(b.audio.track) == nil {
		t.Error("no conversion runs for two viewers")
	}
	first.Close()
	if running(b.video.track) == nil {
		t.Error("no conversion runs for one viewer")
	}
	second.Close()
	if running(b.video.track) != nil || running(b.audio.track) != nil {
		t.Error("a conversion runs without viewers")
	}
}

func TestViewersAreCounted(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	want := func(n int, when string) {
		t.Helper()
		if got := b.Info().Viewers; got != n {
			t.Errorf("%s: %d viewers, want %d", when, got, n)
		}
	}
	first, tracks := b.subscribe(t)
	second, _ := b.subscribe(t)
	want(0, "nobody is attached")
	for range 2 { // counts once however often it attaches
		a, err := first.Attach(writerFunc(discard), tracks)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
	}
	want(1, "one is attached")
	a, err := second.Attach(writerFunc(discard), tracks[:1])
	if err != nil {
		t.Fatal(err)
	}
	want(2, "two are attached")
	a.Close()
	second.Close()
	second.Close()
	want(1, "one has gone")
	first.Close()
	want(0, "both have gone")
	unused, _ := b.subscribe(t)
	unused.Close()
	want(0, "one came that never attached")
}

func TestAttachAfterTheEnd(t *testing.T) {
	b := newBroadcast(t, Config{}, Packets)
	sub, tracks := b.subscribe(t)
	b.Close()
	if _, err := sub.Attach(writerFunc(discard), tracks); !errors.Is(err, ErrEnded) {
		t.Errorf("Attach() = %v, want ErrEnded", err)
	}
	if n := b.Info().Viewers; n != 0 {
		t.Errorf("%d viewers", n)
	}
}

// TestViewersComeAndGo: a thousand viewers leave nothing behind, no goroutine
// either: synctest.Test fails if one is left.
func TestViewersComeAndGo(t *testing.T) {
	for _, form := range []Form{Packets, Frames} {
		synctest.Test(t, func(t *testing.T) {
			b := newBroadcast(t, Config{ShardViewers: 8}, form)
			b.play(sfutest.Clip{}, 0, time.Second)
			sub, tracks := b.subscribe(t)
			var viewers sync.WaitGroup
			for range 20 {
				viewers.Go(func() {
					for range 50 {
						a, err := sub.Attach(writerFunc(discard), tracks)
						if err != nil {
							t.Error(err)
							return
						}
						a.Close()
					}
				})
			}
			viewers.Wait()
			if got := shardViewers(b.stream()); len(got) != 0 {
				t.Errorf("%s: shards are left: %v", formName(form), got)
			}
			for _, track := range tracks {
				if running(track) != nil {
					t.Errorf("%s: a conversion is left", formName(form))
				}
				if track.packets != nil && track.packets.set.Load() != nil && len(*track.packets.set.Load()) != 0 {
					t.Errorf("%s: readers are left in the ring", formName(form))
				}
			}
		})
	}
}
