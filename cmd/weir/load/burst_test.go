package load

import (
	"encoding/binary"
	"net"
	"net/netip"
	"testing"
	"time"

	"weir/sfu/udp"
)

// TestDepartureIsNotedFirst: whoever has a packet of a picture that is too large to leave
// at once can read when it left, and that is before it came.
func TestDepartureIsNotedFirst(t *testing.T) {
	there, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	conn, err := udp.Listen(t.Context(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var left departures
	b := newBurst(conn)
	leavings := 0
	b.tellLeaving(func() {
		leavings++
		left.leave(time.Now())
	})
	const packets = 600
	came := make(chan uint32, 1)
	go func() {
		defer close(came)
		d := make([]byte, 2000)
		for {
			if _, err := there.Read(d); err != nil {
				return
			}
			number := binary.BigEndian.Uint32(d[1:])
			if at := left.of(number); at == 0 || at > time.Now().UnixNano() {
				t.Errorf("packet %d came, and left at %d", number, at)
			}
			if number == packets {
				return
			}
			select {
			case came <- number:
			default:
			}
		}
	}()
	to := there.LocalAddr().(*net.UDPAddr).AddrPort()
	to = netip.AddrPortFrom(to.Addr().Unmap(), to.Port())
	send := func(number uint32) {
		d := make([]byte, 1200)
		d[0] = 2 << 6
		binary.BigEndian.PutUint32(d[1:], number)
		if _, err := b.WriteToAddrPort(d, to); err != nil {
			t.Error(err)
		}
		left.ready.Store(number + 1)
	}
	b.cork()
	for number := range uint32(packets) {
		send(number)
	}
	<-came // some have left, since there was no room for all
	b.uncork()
	if leavings < 3 {
		t.Errorf("packets left %d times: there was room for all of them", leavings)
	}
	// What found no room at the receiver is lost: the last one is sent until it comes.
	for done := false; !done; {
		b.cork()
		send(packets)
		b.uncork()
		select {
		case _, more := <-came:
			done = !more
		case <-time.After(10 * time.Millisecond):
		}
	}
}
