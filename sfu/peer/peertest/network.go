package peertest

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/pion/logging"
	"github.com/pion/transport/v4"
	"github.com/pion/transport/v4/vnet"
)

// Network is a virtual network.
type Network struct {
	router *vnet.Router

	mu    sync.Mutex
	loss  map[string]int // percent of what this address sends
	dice  *rand.Rand
	drops int
}

// making is held while a part of a network is made: package vnet counts MAC
// addresses in a variable of its own.
var making sync.Mutex

// NewNetwork returns a network on which a packet takes delay from one host to
// another. The test's end stops it.
func NewNetwork(tb testing.TB, delay time.Duration) *Network {
	tb.Helper()
	making.Lock()
	defer making.Unlock()
	router, err := vnet.NewRouter(&vnet.RouterConfig{
		CIDR: "10.0.0.0/24", MinDelay: delay, LoggerFactory: logging.NewDefaultLoggerFactory(),
	})
	must(tb, err)
	n := &Network{router: router, loss: map[string]int{}, dice: rand.New(rand.NewPCG(1, 2))}
	router.AddChunkFilter(func(c vnet.Chunk) bool { return n.passes(c.SourceAddr()) })
	tb.Cleanup(func() { must(tb, router.Stop()) })
	return n
}

// Host adds a host with an IP address of the network 10.0.0.0/24. All hosts are
// added before Start.
func (n *Network) Host(tb testing.TB, ip string) *vnet.Net {
	tb.Helper()
	making.Lock()
	defer making.Unlock()
	host, err := vnet.NewNet(&vnet.NetConfig{StaticIPs: []string{ip}})
	must(tb, err)
	must(tb, n.router.AddNet(host))
	return host
}

// Start lets packets flow.
func (n *Network) Start(tb testing.TB) {
	tb.Helper()
	must(tb, n.router.Start())
}

// Listen opens a UDP socket on a host.
func Listen(tb testing.TB, host transport.Net, address string) net.PacketConn {
	tb.Helper()
	conn, err := host.ListenPacket("udp4", address)
	must(tb, err)
	return conn
}

// Lose loses percent of the packets that the host with that IP address sends,
// from now on.
func (n *Network) Lose(ip string, percent int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.loss[ip] = percent
}

// Lost returns how many packets were lost so far.
func (n *Network) Lost() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.drops
}

func (n *Network) passes(source net.Addr) bool {
	host, _, err := net.SplitHostPort(source.String())
	if err != nil {
		return true
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.dice.IntN(100) < n.loss[host] {
		n.drops++
		return false
	}
	return true
}
