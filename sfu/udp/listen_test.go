package udp

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
)

// What pion's mux looks for, to do without allocated addresses.
var _ ice.AddrPortReaderWriter = (*Conn)(nil)
var _ net.PacketConn = (*Conn)(nil)

func TestListenTakesAFreePort(t *testing.T) {
	a := listen(t, "127.0.0.1:0")
	if _, err := Listen(t.Context(), a.LocalAddr().String()); err == nil {
		t.Error("a port that is in use was opened again")
	}
	s := a.Stats()
	t.Logf("mode %v (%v), aggregated %v, buffers %d and %d", s.Mode, s.Fallback, s.Aggregated, s.ReceiveBuffer, s.SendBuffer)
}

func TestListenRefusesWhatIsNoAddress(t *testing.T) {
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if c, err := Listen(ended, "localhost:0"); err == nil {
		t.Error("listening after the context has ended")
		c.Close()
	}
	for _, addr := range []string{"127.0.0.1", "127.0.0.1:no-such-port", "192.0.2.1:0"} {
		if c, err := Listen(t.Context(), addr); err == nil {
			t.Errorf("%s was opened", addr)
			c.Close()
		}
	}
}

func TestRoundTrip(t *testing.T) {
	for _, test := range []struct{ name, server, client string }{
		{"IPv4", "127.0.0.1:0", "127.0.0.1:0"},
		{"IPv6", "[::1]:0", "[::1]:0"},
		{"all addresses, IPv6 client", ":0", "[::1]:0"},
		{"all addresses, IPv4 client", ":0", "127.0.0.1:0"},
		{"all IPv4 addresses", "0.0.0.0:0", "127.0.0.1:0"},
		{"all addresses, client too", "[::]:0", ":0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			server, client := listen(t, test.server), listen(t, test.client)
			to := at(server)
			if at(client).Addr().Is4() {
				to = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), to.Port())
			}
			if n, err := client.WriteToUDPAddrPort([]byte("question"), to); n != 8 || err != nil {
				t.Fatal(n, err)
			}
			buf := make([]byte, 64)
			n, from, err := server.ReadFromUDPAddrPort(buf)
			if err != nil || string(buf[:n]) != "question" || from != netip.AddrPortFrom(to.Addr(), at(client).Port()) {
				t.Fatalf("got %q from %v, %v", buf[:n], from, err)
			}
			// The answer by a batch, to the address as it came.
			b := server.NewBatch()
			commit(b, sent{[]byte("one"), from}, sent{[]byte("two"), from}, sent{[]byte("3"), from}, sent{nil, from}, sent{[]byte("last"), from})
			b.Flush()
			expect(t, client, []byte("one"), []byte("two"), []byte("3"), nil, []byte("last"))
			if _, err := server.WriteTo([]byte("by net.Addr"), net.UDPAddrFromAddrPort(from)); err != nil {
				t.Fatal(err)
			}
			expect(t, client, []byte("by net.Addr"))
			if s := server.Stats(); s.Sent != 6 || s.Received != 1 || s.Dropped+s.Failed+s.Refused != 0 {
				t.Errorf("%+v", s)
			}
		})
	}
}

func TestWhatCannotBeSentIsCounted(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	six, none := netip.MustParseAddrPort("[::1]:9"), netip.AddrPortFrom(netip.Addr{}, 9)
	for _, to := range []netip.AddrPort{six, none, {}} {
		if _, err := c.WriteToUDPAddrPort([]byte("x"), to); err == nil {
			t.Errorf("sent to %v by an IPv4 socket", to)
		}
	}
	if _, err := c.WriteTo([]byte("x"), &net.TCPAddr{}); err == nil {
		t.Error("sent to a TCP address")
	}
	b, to := c.NewBatch(), reader(t, "127.0.0.1:0")
	huge := make([]byte, arenaSize+1)
	commit(b, sent{[]byte("a"), at(to)}, sent{[]byte("x"), six}, sent{[]byte("x"), six}, sent{[]byte("x"), none},
		sent{huge, at(to)}, sent{[]byte("b"), at(to)})
	b.Flush()
	expect(t, to, []byte("a"), []byte("b"))
	if s := c.Stats(); s.Sent != 2 || s.Failed != 3+4 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}

func TestDatagramLargerThanTheReadersSliceIsCut(t *testing.T) {
	a, b := listen(t, "127.0.0.1:0"), listen(t, "127.0.0.1:0")
	for _, n := range []int{1500, 10, maxDatagram} {
		if _, err := a.WriteToUDPAddrPort(datagram(7, n), at(b)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 100)
	for i, want := range []int{100, 10, 100} {
		if n, _, err := b.ReadFromUDPAddrPort(buf); n != want || err != nil {
			t.Errorf("read %d: %d, %v", i, n, err)
		}
	}
}

func TestReadDeadline(t *testing.T) {
	c := listen(t, "127.0.0.1:0")
	buf := make([]byte, 10)
	read := func() error { _, _, err := c.ReadFrom(buf); return err }

	start := time.Now()
	c.SetReadDeadline(start.Add(30 * time.Millisecond))
	var timeout net.Error
	if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Error(err)
	}
	if waited := time.Since(start); waited < 30*time.Millisecond || waited > time.Second {
		t.Errorf("waited %v", waited)
	}
	// It applies also to what is there.
	c.WriteToUDPAddrPort([]byte("x"), at(c))
	if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	c.SetDeadline(time.Time{})
	if err := read(); err != nil {
		t.Error(err)
	}
	// A read that waits notices a new one.
	time.AfterFunc(20*time.Millisecond, func() { c.SetReadDeadline(time.Now()) })
	if err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
	if err := c.SetWriteDeadline(time.Now()); err != nil {
		t.Error(err)
	}
}

func TestCloseWakesReaders(t *testing.T) {
	for range 20 {
		c := listen(t, ":0")
		var readers sync.WaitGroup
		for range 3 {
			readers.Go(func() {
				if n, _, err := c.ReadFrom(make([]byte, 10)); n != 0 || !errors.Is(err, net.ErrClosed) {
					t.Errorf("%d, %v", n, err)
				}
			})
		}
		time.Sleep(2 * time.Millisecond) // until they wait
		start := time.Now()
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		readers.Wait()
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("Close took %v", took)
		}
		if err := c.Close(); err != nil {
			t.Error("second Close:", err)
		}
		again, err := Listen(t.Context(), c.LocalAddr().String())
		if err != nil {
			t.Fatal("the port is not free after Close:", err)
		}
		again.Close()
	}
}

func TestAfterClose(t *testing.T) {
	c, to := listen(t, "127.0.0.1:0"), reader(t, "127.0.0.1:0")
	b := c.NewBatch()
	c.Close()
	if _, err := c.WriteToUDPAddrPort([]byte("x"), at(to)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if _, _, err := c.ReadFrom(make([]byte, 10)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	if err := c.SetReadDeadline(time.Now()); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
	commit(b, sent{[]byte("x"), at(to)})
	b.Flush()
	if s := c.Stats(); s.Failed < 1 || s.Sent != 0 {
		t.Errorf("%+v", s)
	}
}
