package sfu

import (
	"context"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu/media"
)

// frameRing is a ring of frames whose PTS is their position.
type frameRing struct {
	*ring[media.Frame]
	requests atomic.Int64 // keyframe requests of its cursors
}

func newFrameRing(size int) *frameRing { return &frameRing{ring: newRing[media.Frame](size)} }

// write adds frames: k a keyframe, any other letter another frame.
func (r *frameRing) write(kinds string) {
	for _, k := range kinds {
		f := media.Frame{PTS: time.Duration(r.head.Load()), Sync: k == 'k'}
		r.append(&f, f.Sync)
		r.wake(false)
	}
}

func (r *frameRing) cursor() *Cursor[media.Frame] {
	return &Cursor[media.Frame]{
		ring: r.ring, waker: newWaker(), isSync: func(f *media.Frame) bool { return f.Sync },
		request: func() { r.requests.Add(1) }, release: func() {},
	}
}

// wantTake checks what the next Take yields: frames from first on, n of them.
func wantTake(t *testing.T, c *Cursor[media.Frame], first time.Duration, n int, lagged bool) {
	t.Helper()
	batch := make([]*media.Frame, 100)
	got, gotLagged, err := c.Take(batch)
	if got != n || gotLagged != lagged || err != nil {
		t.Fatalf("Take() = %d, %v, %v; want %d, %v", got, gotLagged, err, n, lagged)
	}
	for i, f := range batch[:got] {
		if f.PTS != first+time.Duration(i) {
			t.Fatalf("item %d is %d, want %d", i, f.PTS, first+time.Duration(i))
		}
	}
}

func TestCursorStarts(t *testing.T) {
	tests := []struct {
		name      string
		before    string // written before the cursor is opened
		after     string
		first     time.Duration
		n         int
		requested bool
	}{
		{"at the only keyframe", "k--", "", 0, 3, false},
		{"at the newest of several", "k--k-", "-", 3, 3, false},
		{"at a keyframe that is the newest frame", "k--k", "", 3, 1, false},
		{"seeks from an empty ring", "", "--k-", 2, 2, true},
		{"seeks when there is none", "---", "-k", 4, 1, true},
		{"seeks when the only one has left", "k---------", "-k-", 11, 2, true},
		{"finds none", "--", "--", 0, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newFrameRing(8)
			r.write(tt.before)
			c := r.cursor()
			c.start()
			r.write(tt.after)
			wantTake(t, c, tt.first, tt.n, false)
			if (r.requests.Load() > 0) != tt.requested {
				t.Errorf("a keyframe was requested %d times, want %v", r.requests.Load(), tt.requested)
			}
		})
	}
}

func TestCursorStartsOldest(t *testing.T) {
	tests := []struct {
		before, after string
		first         time.Duration
		n             int
		requested     bool
	}{
		{"k--k-", "", 0, 5, false},
		{"-k-k-", "", 1, 4, false},
		{"--", "-k", 3, 1, true},
		{"", "k-", 0, 2, true},
		{"k----k----", "", 5, 5, false}, // the ring holds 8
	}
	for _, tt := range tests {
		r := newFrameRing(8)
		r.write(tt.before)
		c := r.cursor()
		c.startOldest()
		r.write(tt.after)
		wantTake(t, c, tt.first, tt.n, false)
		if (r.requests.Load() > 0) != tt.requested {
			t.Errorf("%s: a keyframe was requested %d times, want %v", tt.before, r.requests.Load(), tt.requested)
		}
	}
}

// TestCursorLapped: a lapped cursor goes on at the newest keyframe, and says
// once that it lagged, with the first frames behind the hole.
func TestCursorLapped(t *testing.T) {
	r := newFrameRing(8)
	r.write("k-")
	c := r.cursor()
	c.start()
	wantTake(t, c, 0, 2, false)
	r.write("-----k---k--") // 2 to 13; the ring holds 6 to 13
	wantTake(t, c, 11, 3, true)
	r.write("-")
	wantTake(t, c, 14, 1, false)

	r.write("---------") // 15 to 23, no keyframe left
	wantTake(t, c, 0, 0, false)
	if n := r.requests.Load(); n != 1 {
		t.Errorf("a keyframe was requested %d times, want once", n)
	}
	r.write("--k-")
	wantTake(t, c, 26, 2, true) // told when there is something behind the hole
	r.write("-")
	wantTake(t, c, 28, 1, false)
}

// TestCursorLappedWhileSeeking: that a cursor found nothing to start with does not
// hide that it was lapped then.
func TestCursorLappedWhileSeeking(t *testing.T) {
	r := newFrameRing(8)
	c := r.cursor()
	c.start()
	r.write("-----------")
	r.write("-k-")
	wantTake(t, c, 12, 2, true)
}

func TestCursorEnd(t *testing.T) {
	for _, kinds := range []string{"", "k", "k--k--", "---"} {
		r := newFrameRing(8)
		c := r.cursor()
		c.start()
		r.write(kinds)
		r.end()
		batch := make([]*media.Frame, 2)
		got := 0
		for {
			n, _, err := c.Next(t.Context(), batch)
			if err != nil {
				wantEOF(t, c, err)
				break
			}
			got += n
		}
		want := len(kinds)
		if kinds == "---" {
			want = 0 // no decoder can start
		}
		if got != want {
			t.Errorf("%q: %d items before the end, want %d", kinds, got, want)
		}
	}
}

func TestCursorNextWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newFrameRing(8)
		c := r.cursor()
		c.start()
		var got int
		var err error
		batch := make([]*media.Frame, 4)
		wait := func(ctx context.Context) (done chan struct{}) {
			done = make(chan struct{})
			go func() {
				defer close(done)
				got, _, err = c.Next(ctx, batch)
			}()
			synctest.Wait()
			if isClosed(done) {
				t.Fatalf("Next() = %d, %v with nothing to yield", got, err)
			}
			return done
		}

		done := wait(t.Context())
		r.write("-") // not to be yielded, as nothing can start there
		synctest.Wait()
		if isClosed(done) {
			t.Fatal("Next returned before a keyframe")
		}
		r.write("k")
		<-done
		if got != 1 || err != nil {
			t.Errorf("Next() = %d, %v; want one item", got, err)
		}

		ctx, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("enough")
		done = wait(ctx)
		cancel(reason)
		<-done
		if !errors.Is(err, reason) {
			t.Errorf("Next() = %v, want the cause of the context", err)
		}

		done = wait(t.Context())
		r.end()
		<-done
		if !errors.Is(err, io.EOF) {
			t.Errorf("Next() = %v at the end, want io.EOF", err)
		}
	})
}

func TestCursorReady(t *testing.T) {
	r := newFrameRing(8)
	c := r.cursor()
	c.start()
	r.write("k--")
	<-c.Ready()
	wantTake(t, c, 0, 3, false)
	r.end()
	<-c.Ready()
}

func TestCursorClose(t *testing.T) {
	r := newFrameRing(8)
	c := r.cursor()
	released := 0
	c.release = func() { released++ }
	if r.set.Load() != nil {
		t.Error("a reader that does not wait is told of news")
	}
	<-c.Ready() // there may be something
	if n := len(*r.set.Load()); n != 1 {
		t.Errorf("%d readers are told of news, want the one that waits", n)
	}
	c.Close()
	c.Close()
	if released != 1 {
		t.Errorf("the form was given back %d times, want once", released)
	}
	if n := len(*r.set.Load()); n != 0 {
		t.Errorf("%d readers are still told of news", n)
	}
}

// TestCursorsStress: cursors of different speed on one ring each get frames in
// order, without a hole unless told so, and behind a hole a keyframe first.
func TestCursorsStress(t *testing.T) {
	r := newFrameRing(64)
	var running sync.WaitGroup
	for slowness := range 8 {
		c := r.cursor()
		c.start()
		running.Go(func() { stressCursor(t, c, slowness) })
	}
	for i := range 2000 {
		r.write("k---------------------"[:4+i%18])
	}
	r.end()
	running.Wait()
}

func stressCursor(t *testing.T, c *Cursor[media.Frame], slowness int) {
	defer c.Close()
	batch := make([]*media.Frame, 1+slowness*2)
	next := time.Duration(-1)
	for {
		n, lagged, err := c.Next(t.Context(), batch)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Error(err)
			return
		}
		first := batch[0]
		switch {
		case (lagged || next < 0) && !first.Sync:
			t.Errorf("after a hole frame %d comes, which is no keyframe", first.PTS)
			return
		case !lagged && next >= 0 && first.PTS != next:
			t.Errorf("frame %d comes where %d is next, and nothing was said of a hole", first.PTS, next)
			return
		case lagged && first.PTS <= next:
			t.Errorf("after a hole frame %d comes, which is not behind %d", first.PTS, next)
			return
		}
		next = batch[n-1].PTS + 1
		for range slowness * slowness {
			time.Sleep(time.Microsecond) // slower than the writer, that is all
		}
	}
}
