package e2e

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"
)

// badNetwork lies between a client and a server's UDP port. It loses datagrams of
// any kind in both directions, and shows the server another address of the client
// at any time, as a NAT does that forgot it.
type badNetwork struct {
	addr    netip.AddrPort // where the client sends to
	near    *net.UDPConn
	server  *net.UDPAddr
	lose    float64
	copying sync.WaitGroup

	// guarded by mu
	mu      sync.Mutex
	chance  *rand.Rand
	client  netip.AddrPort // the newest, if it has several
	far     *net.UDPConn   // where the server sees it
	old     []*net.UDPConn
	moves   []time.Time
	passed  int
	lost    int
	strayed int    // sent to where the client is no more
	agreed  string // what the DTLS handshake came to, see dtlsAgreed
}

// newBadNetwork returns a network at a host's address in front of a server. It
// loses that share of datagrams, always in the same pattern, and ends with the test.
func newBadNetwork(t *testing.T, host string, server net.Addr, lose float64) *badNetwork {
	t.Helper()
	near, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(host)})
	if err != nil {
		t.Fatal(err)
	}
	n := &badNetwork{
		addr: near.LocalAddr().(*net.UDPAddr).AddrPort(), near: near, server: server.(*net.UDPAddr),
		lose: lose, chance: rand.New(rand.NewPCG(1, 2)),
	}
	if err := n.open(); err != nil {
		near.Close()
		t.Fatal(err)
	}
	n.copying.Go(n.toServer)
	t.Cleanup(func() {
		near.Close()
		n.mu.Lock()
		for _, c := range append(n.old, n.far) {
			c.Close()
		}
		n.mu.Unlock()
		n.copying.Wait()
	})
	return n
}

// open shows the server another address, with mu held or before anybody knows n.
func (n *badNetwork) open() error {
	far, err := net.DialUDP("udp4", nil, n.server)
	if err != nil {
		return err
	}
	n.far = far
	n.copying.Go(func() { n.toClient(far) })
	return nil
}

// move changes the client's address. What is sent to the one before goes nowhere
// from now on.
func (n *badNetwork) move(t *testing.T) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	n.old = append(n.old, n.far)
	if err := n.open(); err != nil {
		t.Fatal(err)
	}
	n.moves = append(n.moves, time.Now())
}

// moved returns when the address changed.
func (n *badNetwork) moved() []time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.moves)
}

func (n *badNetwork) toServer() {
	buf := make([]byte, 1<<16)
	for {
		size, client, err := n.near.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		n.mu.Lock()
		n.client = client
		far, passes := n.far, n.passes()
		n.mu.Unlock()
		if passes {
			_, _ = far.Write(buf[:size])
		}
	}
}

func (n *badNetwork) toClient(far *net.UDPConn) {
	buf := make([]byte, 1<<16)
	for {
		size, err := far.Read(buf)
		if err != nil {
			return
		}
		n.mu.Lock()
		if agreed := dtlsAgreed(buf[:size]); agreed != "" {
			n.agreed = agreed
		}
		client, passes := n.client, false
		if n.far == far {
			passes = n.passes()
		} else {
			n.strayed++
		}
		n.mu.Unlock()
		if passes {
			_, _ = n.near.WriteToUDPAddrPort(buf[:size], client)
		}
	}
}

// passes decides on a datagram, with mu held.
func (n *badNetwork) passes() bool {
	if n.chance.Float64() < n.lose {
		n.lost++
		return false
	}
	n.passed++
	return true
}
