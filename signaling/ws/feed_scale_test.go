package ws

import (
	"runtime"
	"testing"
	"time"

	"weir/sfu/sfutest"
)

// maxViewerMemory is what a viewer may cost beside the buffers of its socket.
const maxViewerMemory = 64 << 10

// TestFeedScale: 300 viewers with real sockets. The stream is muxed once, each of
// them gets every unit from its start to the end, and memory per viewer is small.
func TestFeedScale(t *testing.T) {
	s := newWatchServer(t, Config{})
	b := s.publish("a/scale", sfutest.Clip{KeyEvery: 10})
	a := &audience{url: s.url, name: "a/scale"}
	t.Cleanup(a.close)
	reach := func(viewers int) (memory int64) {
		t.Helper()
		if err := a.join(viewers - len(a.members)); err != nil {
			t.Fatal(err)
		}
		for b.publication.Info().Viewers < viewers {
			time.Sleep(time.Millisecond)
		}
		f := s.feed(b)
		for end := b.at + 2*time.Second; b.at < end; {
			b.write(b.at + 400*time.Millisecond) // more at once would be a lag
			a.until(t, "the newest unit", func(m *member) bool {
				return f.span() >= b.at-300*time.Millisecond && m.at+1 == len(a.units) && len(a.units) == int(f.muxed.Load())
			})
		}
		return memoryInUse()
	}
	first := reach(100)
	second := reach(300)
	per := (second - first) / 200
	t.Logf("%d bytes per viewer, its client included", per)
	if per > maxViewerMemory {
		t.Errorf("a viewer takes %d bytes, more than %d", per, maxViewerMemory)
	}
	f := s.feed(b)
	b.end()
	a.until(t, "the end", func(m *member) bool { return m.ended && m.at+1 == len(a.units) })
	<-f.done
	if n := int(f.muxed.Load()); n != len(a.units) {
		t.Errorf("%d units were muxed, one viewer got %d", n, len(a.units))
	}
}

// feed returns the feed of a broadcast that somebody watches.
func (s *watchServer) feed(b *broadcast) *feed {
	s.t.Helper()
	s.endpoint.feeds.mu.Lock()
	defer s.endpoint.feeds.mu.Unlock()
	f := s.endpoint.feeds.byKey[feedKey{stream: b.publication.Info().ID}]
	if f == nil {
		s.t.Fatal("nobody watches")
	}
	return f
}

// span returns the time of the newest unit.
func (f *feed) span() time.Duration {
	f.ring.mu.Lock()
	defer f.ring.mu.Unlock()
	if len(f.ring.lines[mainLine].units) == 0 {
		return 0
	}
	return f.ring.lines[mainLine].units[len(f.ring.lines[mainLine].units)-1].End
}

// memoryInUse returns the bytes of the heap that are reachable, and those of
// stacks.
func memoryInUse() int64 {
	runtime.GC()
	runtime.GC() // what pools hold goes with the second one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}
