package udp

import (
	"net/netip"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A destination to which segments do not fit costs one refusal, and its datagrams
// leave by one system call with those of others.
func TestNarrowPathIsRefusedOnce(t *testing.T) {
	c, told := listenSegmented(t)
	wide, narrow := reader(t, "127.0.0.1:0"), reader(t, "127.0.0.2:0")
	refuse(c, unix.EMSGSIZE, func(m *message) bool {
		return segmentSize(m) > 1000 && decode((*sockaddr)(unsafe.Pointer(m.header.Name))).Addr() == at(narrow).Addr()
	})
	b := c.NewBatch()
	now := time.Now()
	b.out.mtus.now = func() time.Time { return now }
	// burst sends to both, to the narrow one in datagrams of n bytes, and returns what
	// that has added.
	burst := func(n int) (s Stats) {
		before := c.Stats()
		for i := range 5 {
			commit(b, sent{datagram(i, 300), at(wide)})
		}
		var want [][]byte
		for i := range 5 {
			want = append(want, datagram(i, n-i/4))
			commit(b, sent{want[i], at(narrow)})
		}
		for i := range 5 {
			commit(b, sent{datagram(5+i, 300), at(wide)})
		}
		b.Flush()
		expect(t, narrow, want...)
		var wider [][]byte
		for i := range 10 {
			wider = append(wider, datagram(i, 300))
		}
		expect(t, wide, wider...)
		s = c.Stats()
		if s.Mode != Segmented || s.Failed+s.Dropped != 0 {
			t.Errorf("%+v", s)
		}
		s.Refused, s.Segments, s.Batches = s.Refused-before.Refused, s.Segments-before.Segments, s.Batches-before.Batches
		return s
	}
	for _, step := range []struct {
		what                       string
		size                       int
		later                      time.Duration
		refused, segments, batches uint64
	}{
		{"the first", 1200, 0, 1, 10, 3 + 5},
		{"remembered", 1200, 0, 0, 10, 1},
		{"smaller, but not small enough", 1100, 0, 1, 10, 3 + 5},
		{"remembered as well", 1100, 0, 0, 10, 1},
		{"the first again", 1200, 0, 0, 10, 1},
		{"small enough", 1000, 0, 0, 15, 1},
		{"just before it is forgotten", 1200, mtuKept - 1, 0, 10, 1},
		{"forgotten", 1200, 1, 1, 10, 3 + 5},
		{"remembered anew", 1200, 0, 0, 10, 1},
	} {
		now = now.Add(step.later)
		// The first refusal is found by a call that has sent what was before it; one is
		// the refused call itself, and one sends what is behind it.
		if s := burst(step.size); s.Refused != step.refused || s.Segments != step.segments || s.Batches != step.batches {
			t.Errorf("%s: %d refused, %d segments, %d calls; want %+v", step.what, s.Refused, s.Segments, s.Batches, step)
		}
	}
	if len(*told) != 0 {
		t.Errorf("told %v", *told)
	}
}

func TestNarrowIsBounded(t *testing.T) {
	now := time.Now()
	n := pathMTUs{now: func() time.Time { return now }}
	to := func(i int) *run {
		return &run{to: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 9), size: 2400, segment: 1200, count: 2}
	}
	for i := range 3*maxPaths + 1 {
		if n.refuses(to(i)) {
			t.Fatalf("destination %d is known before it was refused", i)
		}
		n.remember(to(i))
		if !n.refuses(to(i)) || len(n.paths) > maxPaths {
			t.Fatalf("destination %d is not known, or too many are: %d", i, len(n.paths))
		}
	}
	// Of runs that were put before the first refusal, the smallest counts.
	smaller := *to(3 * maxPaths)
	smaller.segment = 1100
	n.remember(&smaller)
	n.remember(to(3 * maxPaths))
	if !n.refuses(&smaller) {
		t.Error("a larger refusal hides a smaller one")
	}
	one := *to(3 * maxPaths)
	one.size, one.count = one.segment, 1
	if n.refuses(&one) {
		t.Error("a single datagram is no segment")
	}
}

func TestNarrowPathDoesNotAllocate(t *testing.T) {
	c, _ := listenSegmented(t)
	refuse(c, unix.EINVAL, segmented)
	b, p := c.NewBatch(), datagram(0, 1200)
	a := at(reader(t, "127.0.0.1:0"))
	c.socket.sendmmsg = func(fd int, messages []message) (int, unix.Errno) {
		if segmented(&messages[0]) {
			return 0, unix.EINVAL
		}
		return sendmmsg(fd, messages)
	}
	n := testing.AllocsPerRun(200, func() {
		for range 10 {
			b.Commit(len(append(b.Reserve(1500), p...)), a)
		}
		b.Flush()
	})
	if s := c.Stats(); n != 0 || s.Refused != 1 {
		t.Errorf("%v allocations; %+v", n, s)
	}
}
