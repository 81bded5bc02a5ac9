package peer

import (
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/ice/v4"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/peer/peertest"
)

const (
	// flooding is how many sessions a flood begins, and goneWithin how long the last
	// trace of those that were taken may stay.
	flooding   = 5000
	goneWithin = 12 * time.Second
	// leftHeap is how much more heap than before may be in use afterwards, in bytes:
	// 1 KiB of each session that was taken, of which each holds some 30 KiB.
	leftHeap = 2 * defaultMaxConnecting << 10
)

// TestHalfOpen: of 5,000 sessions that are begun and go no further than the first
// message of DTLS, 500 are taken. They are gone in time with all that they held,
// and there is room again. The clock is a fake one: the limits are the defaults.
func TestHalfOpen(t *testing.T) {
	hello := clientHello(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFlood(t, hello)
		f.begin(defaultMaxConnecting) // fills pools
		f.awaitEnd()
		goroutines, heap := runtime.NumGoroutine(), f.heap()

		f.begin(flooding)
		if len(f.taken) != defaultMaxConnecting || f.refused != flooding-defaultMaxConnecting {
			t.Errorf("%d sessions were taken, %d refused", len(f.taken), f.refused)
		}
		if n := f.port.connecting.Load(); n != defaultMaxConnecting {
			t.Errorf("%d sessions are connecting", n)
		}
		during, duringHeap := runtime.NumGoroutine(), f.heap()
		start := time.Now()
		f.awaitEnd()
		if took := time.Since(start); took > goneWithin {
			t.Errorf("the last session was gone after %v", took)
		}

		f.begin(defaultMaxConnecting)
		if f.refused != 0 {
			t.Errorf("afterwards %d sessions were refused", f.refused)
		}
		f.awaitEnd()
		heapAfter := f.heap()
		after := runtime.NumGoroutine()
		// What cleans up after the garbage collection counts while it is at work.
		for tries := 0; after > goroutines && tries < 10_000; tries++ {
			runtime.Gosched()
			after = runtime.NumGoroutine()
		}
		t.Logf("goroutines: %d, %d with %d half-open sessions, %d afterwards; KiB of heap: %d, %d, %d",
			goroutines, during, defaultMaxConnecting, after, heap>>10, duringHeap>>10, heapAfter>>10)
		if after > goroutines {
			t.Errorf("%d goroutines are left of %d", after, goroutines)
		}
		if heapAfter > heap+leftHeap {
			t.Errorf("%d KiB of heap are left", (heapAfter-heap)>>10)
		}
	})
}

// flood begins sessions, and does no more than that.
type flood struct {
	t      *testing.T
	hub    *sfu.Hub
	port   *Port
	socket *wire
	hello  []byte
	tracks []*sfu.Track

	running sync.WaitGroup
	taken   []chan error // get how the sessions ended
	refused int
	clients int // sessions that were ever taken: each has an address of its own
}

func newFlood(t *testing.T, hello []byte) *flood {
	t.Helper()
	hub, err := sfu.New(sfu.Config{})
	if err != nil {
		t.Fatal(err)
	}
	pub, err := hub.Publish("live", sfu.PublishOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pub.AddTracks(sfu.Packets, media.TrackInfo{ID: "audio", Codec: media.Opus}, media.TrackInfo{ID: "video", Codec: media.VP8}); err != nil {
		t.Fatal(err)
	}
	f := &flood{t: t, hub: hub, hello: hello, socket: newWire()}
	if f.port, err = New(Config{Conn: f.socket}); err != nil {
		t.Fatal(err)
	}
	sub, err := hub.Subscribe("live")
	if err != nil {
		t.Fatal(err)
	}
	if f.tracks, err = sub.Tracks(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sub.Close()
		pub.Close()
	})
	peertest.Serve(t, f.port)
	return f
}

// begin begins n sessions, every tenth a publisher's, and every fourth with a client that is the DTLS server. Of those that are taken one
// third goes no further, one makes a connectivity check, and one begins DTLS, too.
func (f *flood) begin(n int) {
	f.t.Helper()
	f.taken, f.refused = nil, 0
	for i := range n {
		begin := f.view
		if i%10 == 0 {
			begin = f.publish
		}
		answer, err := begin(i)
		if errors.Is(err, ErrBusy) {
			f.refused++
			continue
		}
		if err != nil {
			f.t.Fatal(err)
		}
		f.clients++
		from := &net.UDPAddr{IP: net.IPv4(192, 0, 2, byte(f.clients>>8)), Port: 1 + f.clients&0xff}
		if i%3 > 0 {
			f.socket.bring(checkOf(answer), from)
			synctest.Wait()
		}
		if i%3 > 1 {
			f.socket.bring(f.hello, from)
			synctest.Wait()
		}
		// The check has its answer, and the client's first message the server's. A client
		// that waits for ours gets it after its check.
		want := i % 3
		if isPassive(i) && want > 0 {
			want = 2
		}
		if n := f.socket.sentTo(from); min(n, 2) != want {
			f.t.Fatalf("session %d, which has sent %d datagrams, got %d", i, i%3, n)
		}
	}
}

// checkOf returns a client's connectivity check for the session of an answer to an
// offer of these tests.
func checkOf(answer string) []byte {
	return checkBy(peertest.Attribute(answer, "ice-ufrag")+":Yp5S", peertest.Attribute(answer, "ice-pwd"), ice.AttrControlling(7), ice.UseCandidate())
}

// isPassive reports whether the client of a session is the DTLS server.
func isPassive(i int) bool { return i/10%4 == 3 }

func offerOf(i int, offer string) string {
	if isPassive(i) {
		return passive(offer)
	}
	return offer
}

func (f *flood) publish(i int) (answer string, err error) {
	pub, err := f.hub.Publish(fmt.Sprintf("flood%d", i), sfu.PublishOptions{})
	if err != nil {
		return "", err
	}
	source, answer, err := f.port.NewPublisher(f.t.Context(), offerOf(i, session0+audioSection("0", "sendonly")+videoSection("1", "sendonly")), pub)
	if err != nil {
		pub.Close()
		return "", err
	}
	f.run(func() error { return pub.Run(f.t.Context(), source) })
	return answer, nil
}

func (f *flood) view(i int) (answer string, err error) {
	sub, err := f.hub.Subscribe("live")
	if err != nil {
		return "", err
	}
	sink, answer, err := f.port.NewViewer(f.t.Context(), offerOf(i, session0+audioSection("0", "recvonly")+videoSection("1", "recvonly")), f.tracks)
	if err != nil {
		sub.Close()
		return "", err
	}
	f.run(func() error {
		defer sub.Close()
		return sink.Run(f.t.Context(), sub)
	})
	return answer, nil
}

func (f *flood) run(session func() error) {
	ended := make(chan error, 1)
	f.taken = append(f.taken, ended)
	f.running.Go(func() { ended <- session() })
}

// awaitEnd waits until all sessions have ended, each because it was not connected
// in time, and looks whether anything is left of them.
func (f *flood) awaitEnd() {
	f.t.Helper()
	f.running.Wait()
	synctest.Wait()
	for i, ended := range f.taken {
		if err := <-ended; !errors.Is(err, ErrNotConnected) {
			f.t.Fatalf("session %d ended with %v", i, err)
		}
	}
	f.taken = nil
	if n := f.port.connecting.Load(); n != 0 {
		f.t.Errorf("%d sessions are connecting", n)
	}
	if streams := f.hub.Streams(); len(streams) != 1 || streams[0].Viewers != 0 {
		f.t.Errorf("%d streams are left, the first one with %d viewers", len(streams), streams[0].Viewers)
	}
	if addresses, sessions := f.port.demux.Known(); addresses+sessions != 0 {
		f.t.Errorf("the socket remembers %d addresses and %d user names", addresses, sessions)
	}
}

// heap returns the bytes of heap in use.
func (f *flood) heap() uint64 {
	var m runtime.MemStats
	for range 2 { // pools keep what is in them over one
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// wire is a UDP socket that ends in memory, so that a fake clock goes on while it
// is read. What is written to it is counted, and lost.
type wire struct {
	coming chan datagram
	closed chan struct{}
	once   sync.Once

	// guarded by mu
	mu   sync.Mutex
	sent map[string]int // datagrams, by address
}

type datagram struct {
	data []byte
	from net.Addr
}

func newWire() *wire {
	return &wire{coming: make(chan datagram), closed: make(chan struct{}), sent: map[string]int{}}
}

// bring has a datagram come in, and waits until it is read.
func (w *wire) bring(data []byte, from net.Addr) { w.coming <- datagram{data, from} }

// ReadFrom implements net.PacketConn.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-w.coming:
		return copy(b, d.data), d.from, nil
	case <-w.closed:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo implements net.PacketConn.
func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent[to.String()]++
	return len(b), nil
}

// sentTo returns how many datagrams were written to an address.
func (w *wire) sentTo(to net.Addr) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sent[to.String()]
}

// Close implements net.PacketConn.
func (w *wire) Close() error { w.once.Do(func() { close(w.closed) }); return nil }

// LocalAddr implements net.PacketConn.
func (w *wire) LocalAddr() net.Addr { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 5000} }

// SetDeadline implements net.PacketConn.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.PacketConn.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.PacketConn.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
