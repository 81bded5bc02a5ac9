package udp

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"
)

func TestDatagramsArriveAsCommitted(t *testing.T) {
	for _, test := range []struct {
		name  string
		sizes func(i int) int
		count int
	}{
		{"equal", func(int) int { return 1200 }, 130},
		{"a short one after nine", func(i int) int { return 1200 - i%10/9*700 }, 100},
		{"each different", func(i int) int { return 1200 - i }, 100},
		{"growing", func(i int) int { return 100 + i }, 100},
		{"tiny and empty", func(i int) int { return i % 3 }, 100},
		{"larger than any MTU of Ethernet", func(int) int { return 30000 }, 8},
		{"random", func(int) int { return rand.IntN(1500) }, 150},
	} {
		t.Run(test.name, func(t *testing.T) {
			// Once to a plain reader, for which the kernel cuts the messages, and once to
			// our own, which takes them apart.
			for _, to := range []net.PacketConn{reader(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")} {
				b := listen(t, "127.0.0.1:0").NewBatch()
				var want [][]byte
				for i := range test.count {
					want = append(want, datagram(i, test.sizes(i)))
					commit(b, sent{want[i], at(to)})
				}
				b.Flush()
				expect(t, to, want...)
				if s := b.conn.Stats(); s.Sent != uint64(test.count) || s.Dropped+s.Failed != 0 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
}

func TestManyDestinations(t *testing.T) {
	const destinations, bursts, perBurst = 100, 4, 7
	c := listen(t, "127.0.0.1:0")
	b := c.NewBatch()
	var to []net.PacketConn
	want := make([][][]byte, destinations)
	for range destinations {
		to = append(to, reader(t, "127.0.0.1:0"))
	}
	var before Stats // the last burst, for which the batch has grown
	for i := range bursts {
		before = c.Stats()
		for d := range destinations {
			for j := range perBurst {
				p := datagram(i*10000+d*100+j, 1200-j/(perBurst-1)*rand.IntN(1100))
				want[d] = append(want[d], p)
				commit(b, sent{p, at(to[d])})
			}
		}
		b.Flush()
	}
	for d := range to {
		expect(t, to[d], want[d]...)
	}
	s := c.Stats()
	if s.Sent != destinations*bursts*perBurst {
		t.Errorf("%+v", s)
	}
	if s.Sent -= before.Sent; s.Mode == Segmented && (s.Sent-(s.Segments-before.Segments) > 5 || s.Batches-before.Batches > 10) {
		t.Errorf("not segmented: %+v, and before it %+v", s, before)
	}
}

// More messages than one system call takes, and the datagram that does not fit.
func TestFullTable(t *testing.T) {
	b, even, odd := listen(t, "127.0.0.1:0").NewBatch(), reader(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")
	var toEven, toOdd [][]byte
	for i := range 3*maxRuns + 5 {
		p := datagram(i, 20+i%3)
		if i%2 == 0 {
			toEven = append(toEven, p)
			commit(b, sent{p, at(even)})
		} else {
			toOdd = append(toOdd, p)
			commit(b, sent{p, at(odd)})
		}
	}
	b.Flush()
	expect(t, even, toEven...)
	expect(t, odd, toOdd...)
}

func TestReserve(t *testing.T) {
	b, to := listen(t, "127.0.0.1:0").NewBatch(), reader(t, "127.0.0.1:0")
	if p := b.Reserve(100); len(p) != 0 || cap(p) < 100 {
		t.Fatal(len(p), cap(p))
	}
	_ = append(b.Reserve(3), "one"...) // given up
	b.Commit(copy(b.Reserve(100)[:100], "two"), at(to))
	b.Flush()
	b.Flush()
	expect(t, to, []byte("two"))

	for name, n := range map[string]int{"more than reserved": 101, "less than nothing": -1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was committed", name)
				}
			}()
			b.Reserve(100)
			b.Commit(n, at(to))
		}()
	}
}

// Several batches and plain writers on one Conn, and a reader.
func TestConcurrentUse(t *testing.T) {
	const senders, each = 6, 2000
	from, to := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	underway := make(chan struct{}, 300) // what the smallest receive buffer holds
	var running sync.WaitGroup
	for sender := range senders {
		running.Go(func() {
			b := from.NewBatch()
			for i := range each {
				underway <- struct{}{}
				p := datagram(sender*each+i, 40+i%5/4*10)
				if sender%3 == 0 {
					if _, err := from.WriteToUDPAddrPort(p, at(to)); err != nil {
						t.Error(err)
					}
				} else if commit(b, sent{p, at(to)}); i%10 == 9 {
					b.Flush()
				}
			}
		})
	}
	next := make([]int, senders)
	buf := make([]byte, 100)
	to.SetReadDeadline(time.Now().Add(4 * patient))
	for range senders * each {
		n, a, err := to.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatalf("%v; received %v; %+v", err, next, to.Stats())
		}
		number := int(binary.BigEndian.Uint32(buf[:n]))
		if sender := number / each; a != at(from) || number%each != next[sender] {
			t.Fatalf("sender %d: got %d, want %d", sender, number%each, next[sender])
		} else {
			next[sender]++
		}
		<-underway
	}
	running.Wait()
	if s := from.Stats(); s.Sent != senders*each || s.Dropped+s.Failed != 0 {
		t.Errorf("%+v", s)
	}
	if s := to.Stats(); s.Received != senders*each || s.Lost != 0 {
		t.Errorf("%+v", s)
	}
}

// A batch has the memory that its bursts need, and not what the largest one might.
func TestBatchGrowsWithUse(t *testing.T) {
	const frame, keyframe = 10, 200 // datagrams
	c, a := listen(t, "127.0.0.1:0"), at(reader(t, "127.0.0.1:0"))
	burst := func(b *Batch, n int) {
		for i := range n {
			commit(b, sent{datagram(i, 1200), a})
		}
		b.Flush()
	}
	sizes := func(b *Batch) [2]int { return [2]int{len(b.buf), cap(b.runs)} }

	small, large := c.NewBatch(), c.NewBatch()
	begin := sizes(small)
	for i := range 1000 {
		burst(small, frame)
		if i%100 == 50 {
			burst(small, keyframe/4)
		}
	}
	if got := sizes(small); got != begin || begin[0] != minArena {
		t.Errorf("small bursts made %d of %d", got, begin)
	}
	var rounds int
	for len(large.buf) < arenaSize && rounds < 100 {
		burst(large, keyframe)
		rounds++
	}
	if len(large.buf) != arenaSize || rounds < 2 {
		t.Errorf("%d bytes after %d large bursts", len(large.buf), rounds)
	}
	for range 1000 {
		burst(large, 2*keyframe)
	}
	if got := len(large.buf); got != arenaSize {
		t.Errorf("%d bytes are more than the bound", got)
	}
	if s := c.Stats(); s.Failed+s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

func TestNoAllocations(t *testing.T) {
	c, to := listen(t, ":0"), listen(t, "127.0.0.1:0")
	b, p, buf := c.NewBatch(), datagram(0, 1200), make([]byte, 1500)
	a := at(to)
	read := func(n int) {
		for range n {
			if _, _, err := to.ReadFromUDPAddrPort(buf); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, f := range map[string]func(){
		"WriteToUDPAddrPort": func() {
			if _, err := c.WriteToUDPAddrPort(p, a); err != nil {
				t.Fatal(err)
			}
			read(1)
		},
		"Batch": func() {
			for i := range 12 {
				b.Commit(len(append(b.Reserve(1500), p[:1200-i/5]...)), a)
			}
			b.Flush()
			read(12)
		},
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}
