package udp

import (
	"bytes"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
