package udp

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
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

func TestRefusedSegments(t *testing.T) {
	small := func(i int) int { return 1000 + i%10/9*100 - i%10 }
	for _, test := range []struct {
		name    string
		errno   unix.Errno
		of      func(*message) bool
		flushes int
		want    Mode
	}{
		{"no checksums on the card", unix.EIO, segmented, 3, Batched},
		{"not supported", unix.EOPNOTSUPP, segmented, 3, Batched},
		{"never any", unix.EINVAL, segmented, 10, Batched},
		{"larger than the MTU", unix.EMSGSIZE, func(m *message) bool { return segmentSize(m) > 1000 }, 10, Segmented},
		{"no sendmmsg", unix.ENOSYS, every, 3, Plain},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := listen(t, "127.0.0.1:0")
			if c.Stats().Mode != Segmented {
				t.Fatalf("the kernel cannot do it: %v", c.Stats().Refusal)
			}
			refuse(c, test.errno, test.of)
			b := c.NewBatch()
			readers := []*net.UDPConn{reader(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")}
			for range test.flushes {
				want := make([][][]byte, len(readers))
				for i := range 10 * 20 {
					to := i / 10 % 2
					p := datagram(i, small(i/2))
					want[to] = append(want[to], p)
					commit(b, sent{p, at(readers[to])})
				}
				b.Flush()
				for i := range readers {
					expect(t, readers[i], want[i]...)
				}
			}
			s := c.Stats()
			if s.Mode != test.want || s.Dropped+s.Failed != 0 || s.Sent != uint64(test.flushes*200) {
				t.Errorf("%+v", s)
			}
			if lowered := test.want != Segmented; lowered != errors.Is(s.Refusal, test.errno) {
				t.Errorf("refusal: %v", s.Refusal)
			}
		})
	}
}

// The modes that a kernel without segmentation starts in.
func TestLowerModes(t *testing.T) {
	for _, mode := range []Mode{Batched, Plain} {
		c, to := listen(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")
		c.socket.lower(mode, unix.ENOPROTOOPT)
		c.socket.lower(Segmented, unix.EIO) // too late
		b := c.NewBatch()
		var want [][]byte
		for i := range 150 {
			want = append(want, datagram(i, 1000-i%3/2))
			commit(b, sent{want[i], at(to)})
		}
		b.Flush()
		expect(t, to, want...)
		calls := uint64(150)
		if mode == Batched {
			calls = 150/maxRuns + 1
		}
		if s := c.Stats(); s.Mode != mode || s.Segments != 0 || s.Sent != 150 || s.Batches != calls || !errors.Is(s.Refusal, unix.ENOPROTOOPT) {
			t.Errorf("%+v", s)
		}
	}
}

func TestFullSendBufferDrops(t *testing.T) {
	for _, test := range []struct {
		errno         unix.Errno
		sent, dropped uint64
	}{
		{unix.EAGAIN, 10, 20},  // the socket's: nothing more will go
		{unix.ENOBUFS, 20, 10}, // one card's
		{unix.EPERM, 20, 0},    // a firewall's word on one destination
	} {
		c, open, full := listen(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")
		closed := at(full).Port()
		refuse(c, test.errno, func(m *message) bool {
			return decode((*sockaddr)(unsafe.Pointer(m.header.Name))).Port() == closed
		})
		b := c.NewBatch()
		for _, to := range []net.PacketConn{open, full, open} {
			for i := range 10 {
				commit(b, sent{datagram(i, 500), at(to)})
			}
		}
		start := time.Now()
		b.Flush()
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("%v: Flush took %v", test.errno, took)
		}
		s := c.Stats()
		if s.Sent != test.sent || s.Dropped != test.dropped || s.Sent+s.Dropped+s.Failed != 30 || s.Mode != Segmented {
			t.Errorf("%v: %+v", test.errno, s)
		}
	}
}

func TestDescriptorsAreClosed(t *testing.T) {
	count := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := count()
	for range 100 {
		c, err := Listen(t.Context(), ":0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); c.ReadFrom(nil) }()
		c.NewBatch().Flush()
		c.Close()
		<-done
	}
	if after := count(); after > before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}

func TestJoinedDatagramsAreTakenApart(t *testing.T) {
	from, to := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	b := from.NewBatch()
	var want [][]byte
	for i := range 64 {
		want = append(want, datagram(i, 900-i/63*100))
		commit(b, sent{want[i], at(to)})
	}
	b.Flush()
	expect(t, to, want...)
	if s := to.Stats(); s.Received != 64 || s.Aggregated && s.Reads != 1 {
		t.Errorf("%+v", s)
	}
	for _, test := range []struct{ n, segment, size, count int }{
		{0, 0, 0, 1}, {100, 0, 100, 1}, {100, 100, 100, 1}, {100, 200, 100, 1}, {100, -5, 100, 1},
		{100, 50, 50, 2}, {101, 50, 50, 3}, {99, 50, 50, 2},
	} {
		if size, count := split(test.n, test.segment); size != test.size || count != test.count {
			t.Errorf("split(%d, %d) is %d, %d", test.n, test.segment, size, count)
		}
	}
}

func TestAddresses(t *testing.T) {
	loopback, err := net.InterfaceByIndex(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		in    string
		inet6 bool
		out   string
		bytes []byte // family and port are checked by out
	}{
		{"1.2.3.4:5678", false, "1.2.3.4:5678", []byte{5678 >> 8, 5678 & 255, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"[::ffff:1.2.3.4]:5678", false, "1.2.3.4:5678", nil},
		{"1.2.3.4:65535", true, "1.2.3.4:65535", nil},
		{"[2001:db8::1]:80", true, "[2001:db8::1]:80", nil},
		{"[fe80::1%" + loopback.Name + "]:80", true, "[fe80::1%" + loopback.Name + "]:80", nil},
		{"[fe80::1%1]:80", true, "[fe80::1%" + loopback.Name + "]:80", nil},
		{"[fe80::1%12345678]:80", true, "[fe80::1%12345678]:80", nil},
		{"[fe80::1%no such one]:80", true, "[fe80::1]:80", nil},
		{"[2001:db8::1]:80", false, "[2001:db8::1]:80", nil}, // the kernel refuses it
	} {
		a := sockaddr{Flowinfo: 99, Scope_id: 99, Family: 99}
		n := encode(&a, netip.MustParseAddrPort(test.in), test.inet6)
		if got := decode(&a).String(); got != test.out {
			t.Errorf("%s became %s", test.in, got)
		}
		if raw := unsafe.Slice((*byte)(unsafe.Pointer(&a)), n)[2:]; test.bytes != nil && !bytes.Equal(raw, test.bytes) {
			t.Errorf("%s is %x", test.in, raw)
		}
	}
}
