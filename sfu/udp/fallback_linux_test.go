package udp

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// refuse makes c's kernel answer with errno where of says so.
func refuse(c *Conn, errno unix.Errno, of func(m *message) bool) {
	c.socket.sendmmsg = func(fd int, messages []message) (int, unix.Errno) {
		i := slices.IndexFunc(messages, func(m message) bool { return of(&m) })
		switch i {
		case 0:
			return 0, errno
		case -1:
			i = len(messages)
		}
		return sendmmsg(fd, messages[:i])
	}
}

func segmented(m *message) bool { return m.header.Controllen > 0 }
func every(*message) bool       { return true }

// segmentSize is the size that m asks for, 0 if it does not.
func segmentSize(m *message) int {
	if !segmented(m) {
		return 0
	}
	return int((*segmentControl)(unsafe.Pointer(m.header.Control)).size)
}

// listenSegmented opens a socket and writes down the fallbacks that it tells of.
func listenSegmented(t *testing.T) (c *Conn, told *[]error) {
	t.Helper()
	c, told = listen(t, "127.0.0.1:0"), new([]error)
	if s := c.Stats(); s.Mode != Segmented || s.Fallback != nil || s.ReadFallback != nil {
		t.Fatalf("the kernel cannot do it: %+v", s)
	}
	c.OnFallback(func(err error) { *told = append(*told, err) })
	return c, told
}

// crowd are readers that get a mixed stream, and what each is to read.
type crowd struct {
	readers []net.PacketConn
	want    [][][]byte
	number  int // of the next datagram
}

func newCrowd(t *testing.T) *crowd {
	to := []net.PacketConn{reader(t, "127.0.0.1:0"), reader(t, "127.0.0.2:0"), reader(t, "127.0.0.2:0"), listen(t, "127.0.0.3:0")}
	return &crowd{readers: to, want: make([][][]byte, len(to))}
}

// commit puts a burst for everybody into b: of equal datagrams, with a shorter one
// at the end and in the middle, growing, tiny, empty, and larger than an MTU; of
// one viewer after another, and taking turns. It tells how many there are.
func (c *crowd) commit(b *Batch) (count int) {
	put := func(to, size int) {
		p := datagram(c.number, size)
		c.number++
		count++
		c.want[to] = append(c.want[to], p)
		commit(b, sent{p, at(c.readers[to])})
	}
	for to := range c.readers {
		for _, size := range []int{1200, 1200, 1200, 700, 700, 1100, 1101, 1102, 1102, 5, 0, 0, 5, 5, 1, 1200, 1200, 300, 4000, 4000} {
			put(to, size)
		}
	}
	for i := range 5 * len(c.readers) {
		put(i%len(c.readers), 900)
	}
	return count
}

// expect reads what was committed.
func (c *crowd) expect(t *testing.T) {
	t.Helper()
	for i := range c.readers {
		expect(t, c.readers[i], c.want[i]...)
	}
}

// Whatever the kernel refuses segments with, and whenever it begins to: each
// datagram arrives, unchanged and in order.
func TestRefusedSegments(t *testing.T) {
	for _, errno := range []struct {
		errno unix.Errno
		of    func(*message) bool
		want  Mode
	}{
		{unix.EIO, segmented, Batched}, // no checksums on the card
		{unix.EOPNOTSUPP, segmented, Batched},
		{unix.ENOPROTOOPT, segmented, Batched},
		{unix.EINVAL, segmented, Segmented},   // larger than these paths' MTU
		{unix.EMSGSIZE, segmented, Segmented}, // likewise, in newer kernels
		{unix.EMSGSIZE, func(m *message) bool { return segmentSize(m) > 1000 }, Segmented},
		{unix.ENOSYS, every, Plain},
	} {
		for _, when := range []struct {
			name  string
			after int // messages that are taken before; there are 60 in a burst
		}{
			{"from the first on", 0}, {"in the midst of a burst", 15}, {"after a burst", 60},
		} {
			t.Run(fmt.Sprintf("%v %s", errno.errno, when.name), func(t *testing.T) {
				c, told := listenSegmented(t)
				taken := 0
				refuse(c, errno.errno, func(m *message) bool {
					if taken++; taken <= when.after {
						return false
					}
					return errno.of(m)
				})
				b, all := c.NewBatch(), newCrowd(t)
				var count int
				for range 3 {
					count += all.commit(b)
					b.Flush()
				}
				all.expect(t)
				s := c.Stats()
				if s.Mode != errno.want || s.Dropped+s.Failed != 0 || s.Sent != uint64(count) || s.Refused == 0 && errno.want != Plain {
					t.Errorf("%+v", s)
				}
				switch {
				case errno.want == Segmented:
					if s.Fallback != nil || len(*told) != 0 {
						t.Errorf("fallback: %v; told %v", s.Fallback, *told)
					}
				case !errors.Is(s.Fallback, errno.errno) || len(*told) != 1 || (*told)[0].Error() != s.Fallback.Error():
					t.Errorf("fallback: %v; told %v", s.Fallback, *told)
				}
			})
		}
	}
}

// The same when the kernel says so before anything was sent. Then nothing is tried.
func TestRefusedAtTheStart(t *testing.T) {
	for _, test := range []struct {
		name               string
		segments, sendmmsg unix.Errno
		of                 func(*message) bool
		want               Mode
	}{
		{"an old kernel", unix.ENOPROTOOPT, 0, segmented, Batched},
		{"a kernel of another kind", unix.EOPNOTSUPP, 0, segmented, Batched},
		{"no sendmmsg", 0, unix.ENOSYS, every, Plain},
		{"sendmmsg is forbidden", unix.ENOPROTOOPT, unix.EPERM, every, Plain},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := listen(t, "127.0.0.1:0")
			c.socket.segments = func(int) error {
				if test.segments != 0 {
					return test.segments
				}
				return nil
			}
			var tried int
			c.socket.sendmmsg = func(fd int, messages []message) (int, unix.Errno) {
				if test.sendmmsg != 0 {
					return 0, test.sendmmsg
				}
				return sendmmsg(fd, messages)
			}
			c.socket.probe()
			refuse(c, unix.EINVAL, func(m *message) bool {
				if test.of(m) {
					tried++
				}
				return test.of(m)
			})
			var told []error
			c.OnFallback(func(err error) { told = append(told, err) })
			b, all := c.NewBatch(), newCrowd(t)
			var count int
			for range 3 {
				count += all.commit(b)
				b.Flush()
			}
			all.expect(t)
			s := c.Stats()
			if s.Mode != test.want || s.Sent != uint64(count) || s.Segments+s.Refused+s.Dropped+s.Failed != 0 || tried != 0 {
				t.Errorf("%d tried; %+v", tried, s)
			}
			// It was refused before anybody listened, and is told all the same.
			if len(told) != 1 || told[0].Error() != s.Fallback.Error() {
				t.Errorf("fallback: %v; told %v", s.Fallback, told)
			}
		})
	}
}

// TestKernelRefusesSegments has the kernel itself refuse: it does not cut what it
// must not compute the checksums of.
func TestKernelRefusesSegments(t *testing.T) {
	c, _ := listenSegmented(t)
	b, all := c.NewBatch(), newCrowd(t)
	count := 0
	for i := range 3 {
		if i == 1 {
			if err := unix.SetsockoptInt(c.socket.fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1); err != nil {
				t.Fatal(err)
			}
			if s := c.Stats(); s.Segments == 0 || s.Refused != 0 {
				t.Errorf("with checksums: %+v", s)
			}
		}
		count += all.commit(b)
		b.Flush()
	}
	all.expect(t)
	if s := c.Stats(); s.Refused == 0 || s.Sent != uint64(count) || s.Dropped+s.Failed != 0 {
		t.Errorf("%+v", s)
	}
}

// A kernel that refuses segments to everybody is asked no more after a while; one
// that has ever taken some is asked for each new destination.
func TestPatience(t *testing.T) {
	to := reader(t, "0.0.0.0:0")
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i)}), at(to).Port())
	}
	for _, taken := range []bool{false, true} {
		c, told := listenSegmented(t)
		b := c.NewBatch()
		var want [][]byte
		put := func(to netip.AddrPort) {
			for range 2 {
				want = append(want, datagram(len(want), 20))
				commit(b, sent{want[len(want)-1], to})
			}
		}
		if taken {
			put(address(2 * patience))
			b.Flush()
		}
		refuse(c, unix.EINVAL, segmented)
		for i := range 2 * patience {
			put(address(i))
		}
		b.Flush()
		expect(t, to, want...)
		mode, refused := Batched, uint64(2*patience)
		if taken {
			mode = Segmented
		}
		s := c.Stats()
		if s.Mode != mode || s.Sent != uint64(len(want)) || s.Refused < patience || s.Refused > refused || taken && s.Refused != refused {
			t.Errorf("taken before: %v: %+v", taken, s)
		}
		if (len(*told) == 1) != (mode == Batched) {
			t.Errorf("taken before: %v: told %v", taken, *told)
		}
	}
}

// The modes that a kernel without segmentation starts in.
func TestLowerModes(t *testing.T) {
	for _, mode := range []Mode{Batched, Plain} {
		c, to := listen(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")
		c.socket.lower(mode, unix.ENOPROTOOPT)
		c.socket.lower(Segmented, unix.EIO) // too late
		c.socket.lower(mode, unix.EIO)      // likewise
		b := c.NewBatch()
		var before, s Stats
		for range 2 { // the first time the tables grow
			before = s
			var want [][]byte
			for i := range 150 {
				want = append(want, datagram(i, 100-i%3/2))
				commit(b, sent{want[i], at(to)})
			}
			b.Flush()
			expect(t, to, want...)
			s = c.Stats()
		}
		calls := uint64(150)
		if mode == Batched {
			calls = 150/maxRuns + 1
		}
		if s.Mode != mode || s.Segments != 0 || s.Sent != 300 || s.Batches-before.Batches != calls || !errors.Is(s.Fallback, unix.ENOPROTOOPT) {
			t.Errorf("%+v", s)
		}
	}
}

// Goroutines that are refused at the same time tell of the change once.
func TestFallbacksAreToldOnce(t *testing.T) {
	const senders = 4
	to := reader(t, "127.0.0.1:0")
	for range 20 {
		c := listen(t, "127.0.0.1:0")
		var log bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&log, nil))
		c.OnFallback(func(err error) { logger.Warn("media socket", "reason", err) })
		refuse(c, unix.EIO, segmented)
		var running sync.WaitGroup
		for range senders {
			running.Go(func() {
				b := c.NewBatch()
				for i := range 3 {
					commit(b, sent{datagram(i, 10), at(to)})
				}
				b.Flush()
			})
		}
		running.Wait()
		if s := c.Stats(); s.Sent != 3*senders || s.Mode != Batched {
			t.Fatalf("%+v", s)
		}
		want := `level=WARN msg="media socket" reason="udp: sending is batched only: input/output error"`
		if text := log.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, want) {
			t.Fatalf("logged: %s", text)
		}
	}
}

// What was put into messages when another goroutine finds that there is no
// sendmmsg leaves before what is sent plainly after it.
func TestOrderWhenModeChangesMeanwhile(t *testing.T) {
	c, to := listen(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")
	b := c.NewBatch()
	b.out.mtus.remember(&run{to: at(to), segment: 1200, count: 2})
	// The clock is asked for the second of these three runs.
	b.out.mtus.now = func() time.Time {
		c.socket.lower(Plain, unix.ENOSYS)
		return time.Now()
	}
	want := [][]byte{datagram(0, 100), datagram(1, 1200), datagram(2, 1200), datagram(3, 1201)}
	for _, p := range want {
		commit(b, sent{p, at(to)})
	}
	b.Flush()
	expect(t, to, want...)
	if s := c.Stats(); s.Mode != Plain || s.Batches != 2 {
		t.Errorf("%+v", s)
	}
}

// Without recvmmsg reads go on by recvmsg, for good.
func TestRefusedReading(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EPERM} {
		c, told := listenSegmented(t)
		var calls int
		c.socket.in.recvmmsg = func(int, []message) (int, unix.Errno) { calls++; return 0, errno }
		from := listen(t, "127.0.0.1:0")
		b, buf := from.NewBatch(), make([]byte, 1500)
		for range 3 {
			var want [][]byte
			for i := range 40 { // joined by the kernel, and single ones
				want = append(want, datagram(i, 900-i/30*i))
				commit(b, sent{want[i], at(c)})
			}
			b.Flush()
			expect(t, c, want...) // with a deadline
			if err := c.SetReadDeadline(time.Time{}); err != nil {
				t.Fatal(err)
			}
			// Without one, a read that waits.
			time.AfterFunc(5*time.Millisecond, func() { from.WriteToUDPAddrPort(datagram(7, 30), at(c)) })
			if n, a, err := c.ReadFromUDPAddrPort(buf); err != nil || a != at(from) || !bytes.Equal(buf[:n], datagram(7, 30)) {
				t.Fatalf("%d bytes from %v, %v", n, a, err)
			}
		}
		s := c.Stats()
		if calls != 1 || !errors.Is(s.ReadFallback, errno) || s.Fallback != nil || s.Received != 3*41 || s.Truncated != 0 {
			t.Errorf("%d calls of recvmmsg; %+v", calls, s)
		}
		if len(*told) != 1 || (*told)[0].Error() != s.ReadFallback.Error() {
			t.Errorf("told %v", *told)
		}
		// If that is forbidden too, nothing can be read.
		c.socket.in.recvmmsg = func(int, []message) (int, unix.Errno) { return 0, errno }
		if _, _, err := c.ReadFromUDPAddrPort(buf); !errors.Is(err, errno) {
			t.Errorf("read: %v", err)
		}
		if len(*told) != 1 {
			t.Errorf("told %v", *told)
		}
	}
}

// Close and deadlines end reads by recvmsg too.
func TestSingleReadsAreWoken(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	c.socket.in.recvmmsg = func(int, []message) (int, unix.Errno) { return 0, unix.EPERM }
	ended := make(chan error)
	for _, end := range []func(){func() { c.SetReadDeadline(time.Now()) }, func() { c.SetReadDeadline(time.Time{}); c.Close() }} {
		go func() { _, _, err := c.ReadFromUDPAddrPort(make([]byte, 10)); ended <- err }()
		time.Sleep(2 * time.Millisecond) // until it waits
		end()
		if err := <-ended; err == nil {
			t.Error("a read ended without an error")
		}
	}
}
