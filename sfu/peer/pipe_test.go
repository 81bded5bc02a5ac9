package peer

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/pion/transport/v4/stdnet"
)

// TestPipe: what may be read is what the client says of the handshake, not before there
// is somebody who knows the client; and what is written is that alone.
func TestPipe(t *testing.T) {
	socket := &answering{}
	c := newTestClient(socket, true)
	p := newPipe(c, nil)
	p.opened = make(chan struct{})
	read := func() ([]byte, error) {
		if err := p.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 100)
		n, from, err := p.ReadFrom(b)
		if err == nil && from.String() != pipeThere.String() {
			t.Errorf("it comes from %v", from)
		}
		return b[:n], err
	}
	hello := aRecord(handshakeRecord, 0, 1)
	from := path{overUDP, rigAt.address, c.demux.conn}
	c.demux.bind(from, c)
	for first := range 256 { // whatever comes
		c.demux.receive([]byte{byte(first), 0, 0, 0}, from)
	}
	c.demux.receive(hello, from)
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%x is read before it is asked for: %v", got, err)
	}
	p.open()
	p.open()
	if got, err := read(); err != nil || !bytes.Equal(got, hello) {
		t.Errorf("%x is read: %v", got, err)
	}
	if got, err := read(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("%x is read as well: %v", got, err)
	}
	if _, err := p.WriteTo(hello, nil); err == nil {
		t.Error("something is sent to a client of which nobody knows where it is")
	}
	c.path.Store(&from)
	for first := range 256 {
		if n, err := p.WriteTo([]byte{byte(first), 0}, nil); err != nil || n != 2 {
			t.Errorf("writing: %d, %v", n, err)
		}
	}
	if len(socket.sent) != 1+lastDTLS-firstDTLS {
		t.Errorf("%d datagrams were sent", len(socket.sent))
	}
	p.Close()
	if _, err := read(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("reading afterwards: %v", err)
	}
	if _, err := p.WriteTo(hello, nil); !errors.Is(err, net.ErrClosed) {
		t.Errorf("writing afterwards: %v", err)
	}
}

// TestRun: a port reads until it is closed, or until its context is done.
func TestRun(t *testing.T) {
	reason := errors.New("enough")
	for _, cancels := range []bool{false, true} {
		port, err := New(Config{Conn: newWire()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- port.Run(ctx) }()
		if cancels {
			cancel(reason)
		} else if err := port.Close(); err != nil {
			t.Error(err)
		}
		if err := <-ended; cancels && !errors.Is(err, reason) || !cancels && err != nil {
			t.Errorf("cancelled %v: %v", cancels, err)
		}
		if err := port.Close(); err != nil {
			t.Errorf("closed again: %v", err)
		}
		cancel(nil)
	}
}

// TestListenAddresses: a socket that listens at all addresses has those of the machine.
func TestListenAddresses(t *testing.T) {
	host, err := stdnet.NewNet()
	if err != nil {
		t.Fatal(err)
	}
	at := func(ip string) []string {
		t.Helper()
		all, err := listenAddresses(&net.UDPAddr{IP: net.ParseIP(ip), Port: 8081}, host)
		if err != nil {
			t.Fatal(err)
		}
		var texts []string
		for _, a := range all {
			texts = append(texts, a.String())
		}
		return texts
	}
	if got := at("192.0.2.1"); !slices.Equal(got, []string{"192.0.2.1:8081"}) {
		t.Errorf("%v", got)
	}
	v4, both := at("0.0.0.0"), at("::")
	if !slices.Contains(v4, "127.0.0.1:8081") || !slices.Contains(both, "127.0.0.1:8081") || len(both) < len(v4) {
		t.Errorf("%v, and of both families %v", v4, both)
	}
	for _, a := range v4 {
		if host, _, _ := net.SplitHostPort(a); net.ParseIP(host).To4() == nil {
			t.Errorf("%s is no address of IPv4", a)
		}
	}
	if _, err := listenAddresses(&net.UnixAddr{}, host); err == nil {
		t.Error("a socket that is no UDP socket is taken")
	}
}
