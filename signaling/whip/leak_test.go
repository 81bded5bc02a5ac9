package whip_test

import (
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer"
	"weir/sfu/peer/peertest"
)

const (
	// atOnce is how many viewers come and go at the same time.
	atOnce = 16
	// leftHeap is how much more heap than before may be in use afterwards, in bytes.
	leftHeap = 5 << 20
)

// TestJoinsLeaveNothing: after a thousand viewers have come and gone, goroutines
// and heap are what they were.
func TestJoinsLeaveNothing(t *testing.T) {
	s := newServer(t, sfu.Config{}, peer.Config{})
	api := peertest.NewAPI(t, peertest.Options{NoRTX: true}) // two codecs: the offer is small
	// Little media, so that what rings and the publisher's own buffers hold does not
	// hide what viewers leave.
	s.publish(t, "a", api, &peertest.Broadcast{KeyEvery: 30, Size: 300, KeySize: 900})
	s.joins(t, api, 2*atOnce) // fills pools and keep-alive connections
	goroutines, heap := settled(t, s, 0, 0)
	start := time.Now()
	s.joins(t, api, joins)
	t.Logf("%d joins in %v", joins, time.Since(start).Round(time.Millisecond))
	goroutinesAfter, heapAfter := settled(t, s, goroutines, heap+leftHeap)
	t.Logf("%d goroutines before, %d after; %d KiB of heap before, %d after", goroutines, goroutinesAfter, heap>>10, heapAfter>>10)
	if goroutinesAfter > goroutines {
		stacks := make([]byte, 1<<20)
		t.Errorf("%d goroutines are left:\n%s", goroutinesAfter-goroutines, stacks[:runtime.Stack(stacks, true)])
	}
	if heapAfter > heap+leftHeap {
		t.Errorf("%d KiB of heap are left", (heapAfter-heap)>>10)
	}
}

// joins lets n viewers come, see a frame, and go: one half by DELETE, the other
// by closing the connection.
func (s *server) joins(t *testing.T, api *peertest.API, n int) {
	t.Helper()
	work := make(chan int)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for i := range work {
				s.join(t, api, i%2 == 0)
			}
		})
	}
	for i := range n {
		work <- i
	}
	close(work)
	workers.Wait()
}

// join is one viewer.
func (s *server) join(t *testing.T, api *peertest.API, politely bool) {
	// A test of its own would run the clean-up of its client only at the end of all.
	done := make(chan struct{})
	t.Run("viewer", func(t *testing.T) {
		defer close(done)
		seen := make(chan struct{}, 1)
		c := viewer(t, api, func(media.Frame) {
			select {
			case seen <- struct{}{}:
			default:
			}
		})
		a := s.post(t, "/whep/a", c)
		if a.status != http.StatusCreated {
			t.Errorf("status %d: %s", a.status, a.body)
			return
		}
		select {
		case <-seen:
		case <-time.After(patience):
			t.Error("no frame")
		}
		if politely {
			s.do(t, http.MethodDelete, a.header.Get("Location"), "")
		}
	})
	<-done
}

// settled returns the number of goroutines and the bytes of heap in use, once
// there are no viewers any more and both are at most what is wanted, or do not
// become less.
func settled(t *testing.T, s *server, goroutines int, heap uint64) (int, uint64) {
	t.Helper()
	eventually(t, "the last viewer's end", func() bool {
		i, err := s.hub.Stream("a")
		return err == nil && i.Viewers == 0
	})
	s.client.CloseIdleConnections()
	bestGoroutines, bestHeap := runtime.NumGoroutine(), ^uint64(0)
	for range 40 { // 4 s: sockets and timers of the network code end a little later
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		bestGoroutines, bestHeap = min(bestGoroutines, runtime.NumGoroutine()), min(bestHeap, m.HeapAlloc)
		if bestGoroutines <= goroutines && bestHeap <= heap {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return bestGoroutines, bestHeap
}
