package peer

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"

	"github.com/pion/transport/v4/stdnet"
)

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
