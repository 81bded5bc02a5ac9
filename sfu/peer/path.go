package peer

import (
	"fmt"
	"net/netip"
)

// network is what carries a path's datagrams.
type network uint8

// The networks. Over TCP there would be a further one (RFC 6544).
const (
	overUDP network = iota
	networks
)

// path is a way by which datagrams come from a client and get to it. Paths can be
// compared.
type path struct {
	network network
	address netip.AddrPort
	writer  datagramWriter
}

// datagramWriter sends a datagram without waiting: a UDP socket does.
type datagramWriter interface {
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// valid reports whether p is a path, rather than none.
func (p path) valid() bool { return p.writer != nil }

// send sends a datagram by the path.
func (p path) send(datagram []byte) error {
	if _, err := p.writer.WriteToUDPAddrPort(datagram, p.address); err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	return nil
}
