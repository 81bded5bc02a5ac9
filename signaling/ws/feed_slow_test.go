package ws

import (
	"io"
	"net"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"weir/sfu/sfutest"
)

// slowClip is 1 MB/s, with a keyframe each 400 ms.
var slowClip = sfutest.Clip{KeyEvery: 10, Size: 40000}

// TestFeedSlow: 100 viewers that stop reading are ended. Until then they hold
// nobody up: the others get every picture, whole and in time order; and what the
// server holds for them does not grow.
func TestFeedSlow(t *testing.T) {
	const slow = 100
	s := newWatchServer(t, Config{})
	b := s.publish("a/slow", slowClip)
	good := []*watcher{
		s.watch("a/slow", `{"type":"hello","framing":"clusters"}`),
		s.watch("a/slow", `{"type":"hello","framing":"growing"}`),
	}
	viewers := func(n int) func() bool {
		return func() bool { return b.publication.Info().Viewers == n }
	}
	eventually(t, "the good ones are there", viewers(len(good)))
	goroutines := runtime.NumGoroutine()
	stuck := make([]net.Conn, slow)
	for i := range stuck {
		conn, err := connect(s.url, "a/slow")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		stuck[i] = conn
	}
	eventually(t, "the slow ones are there", viewers(len(good)+slow))
	f, start := s.feed(b), time.Now()
	var full, most int64 // memory, once all rings are full
	for step := 1; !viewers(len(good))() || b.at < 30*time.Second; step++ {
		b.write(b.at + 200*time.Millisecond)
		for _, w := range good {
			w.numbers(int(b.at/sfutest.VideoInterval) - 10)
			w.mu.Lock()
			w.media = nil // not the server's memory
			w.mu.Unlock()
		}
		if size, span := f.ring.holds(); size > ringBytes || span > ringSpan {
			t.Fatalf("the ring holds %d bytes, %v", size, span)
		}
		switch {
		case step == 100: // 20 s
			full = memoryInUse()
		case step%50 == 0:
			most = max(most, memoryInUse())
		}
		if time.Since(start) > watchPatience {
			t.Fatalf("%d viewers are still there", b.publication.Info().Viewers)
		}
		time.Sleep(20 * time.Millisecond) // 5 s of this are enough to get rid of them
	}
	t.Logf("after %v and %v of the stream they are gone; %d KiB at first, %d at most", time.Since(start), b.at, full>>10, most>>10)
	if grown := most - full; grown > 8<<20 {
		t.Errorf("memory grew by %d bytes", grown)
	}
	for _, conn := range stuck { // ended means that their sockets are closed
		_ = conn.SetReadDeadline(time.Now().Add(watchPatience))
		if _, err := io.Copy(io.Discard, conn); isTimeout(err) {
			t.Fatal("a socket is still open")
		}
	}
	eventually(t, "their goroutines end", func() bool { return runtime.NumGoroutine() <= goroutines })
	b.end()
	for i, w := range good {
		w.until("ended", func() bool { return w.events[len(w.events)-1]["type"] == "ended" })
		shown := w.numbers(0)
		consecutive(t, shown, 0)
		if last := shown[len(shown)-1]; last != int(b.at/sfutest.VideoInterval)-1 {
			t.Errorf("viewer %d: the last picture is %d", i, last)
		}
	}
}

// TestFeedCuts: a viewer that stops for 4 s of the stream goes on with a keyframe,
// and its times have no hole.
func TestFeedCuts(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/cuts", slowClip)
	good := s.watch("a/cuts", `{"type":"hello"}`)
	w := &watcher{t: t, conn: s.dial("a/cuts"), news: make(chan struct{}, 1), done: make(chan struct{})}
	if err := w.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello"}`)); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are there", func() bool { return b.publication.Info().Viewers == 2 })
	play := func(to time.Duration, seen ...*watcher) {
		for b.at < to {
			b.write(b.at + 200*time.Millisecond)
			for _, w := range seen {
				w.numbers(int(b.at/sfutest.VideoInterval) - 10)
			}
		}
	}
	play(4*time.Second, good)
	go w.read()
	t.Cleanup(func() {
		w.conn.Close()
		<-w.done
	})
	w.numbers(90) // the newest keyframe
	play(6*time.Second, good, w)
	consecutive(t, good.numbers(140), 0)
	shown := w.numbers(140)
	cut := slices.IndexFunc(shown, func(n int) bool { return n != shown[0]+slices.Index(shown, n) })
	if shown[0] != 0 || cut < 0 {
		t.Fatalf("no cut in %d pictures from %d on", len(shown), shown[0])
	}
	if shown[cut]%slowClip.KeyEvery != 0 {
		t.Errorf("it goes on with picture %d, which is no keyframe", shown[cut])
	}
	consecutive(t, shown[cut:], shown[cut])
}

// holds returns the bytes and the time that a ring holds.
func (r *ring) holds() (size int64, span time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lines[mainLine].units) == 0 {
		return 0, 0
	}
	return r.lines[mainLine].total - r.lines[mainLine].units[0].before, r.lines[mainLine].units[len(r.lines[mainLine].units)-1].End - r.lines[mainLine].units[0].Time
}

// eventually waits until ok is true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(watchPatience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not so: %s", what)
		}
	}
}
