package udp

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// patient is how long a test waits for what must come.
const patient = 5 * time.Second

func listen(t testing.TB, addr string) *Conn {
	t.Helper()
	c, err := Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// reader opens Go's own socket, so that what we send is judged by others.
func reader(t testing.TB, addr string) *net.UDPConn {
	t.Helper()
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	conn := c.(*net.UDPConn)
	_ = conn.SetReadBuffer(bufferSize)
	return conn
}

// at returns where c can be reached on loopback.
func at(c net.PacketConn) netip.AddrPort {
	a := c.LocalAddr().(*net.UDPAddr).AddrPort()
	ip := a.Addr().Unmap()
	switch {
	case ip == netip.IPv6Unspecified():
		ip = netip.IPv6Loopback()
	case ip == netip.IPv4Unspecified():
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(ip, a.Port())
}

// datagram is n bytes that tell number in the first four, if there is room.
func datagram(number, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(number + i)
	}
	if n >= 4 {
		binary.BigEndian.PutUint32(b, uint32(number))
	}
	return b
}

// sent is one datagram that a test sends.
type sent struct {
	data []byte
	to   netip.AddrPort
}

// commit puts datagrams into b.
func commit(b *Batch, all ...sent) {
	for _, d := range all {
		b.Commit(len(append(b.Reserve(len(d.data)), d.data...)), d.to)
	}
}

// expect reads the datagrams from c in their order.
func expect(t *testing.T, c net.PacketConn, want ...[]byte) {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(patient)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<16)
	for i, w := range want {
		n, _, err := c.ReadFrom(buf)
		if err != nil {
			t.Fatalf("datagram %d of %d: %v", i, len(want), err)
		}
		if !slices.Equal(buf[:n], w) {
			t.Fatalf("datagram %d: got %s, want %s", i, brief(buf[:n]), brief(w))
		}
	}
	if err := c.SetReadDeadline(time.Now().Add(20 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if n, _, err := c.ReadFrom(buf); err == nil {
		t.Errorf("one more than %d datagrams: %s", len(want), brief(buf[:n]))
	}
}

func brief(b []byte) string { return fmt.Sprintf("%d bytes %x", len(b), b[:min(len(b), 8)]) }
