package transport

import (
	"fmt"
	"net/netip"
)

// Network is the protocol below a path's datagrams.
type Network uint8

// The networks. Over TCP there would be a further one (RFC 6544).
const (
	UDP Network = iota
	networks
)

// Path is where datagrams of a client come from and go to. Paths can be compared.
type Path struct {
	Network Network
	Address netip.AddrPort
	Writer  DatagramWriter
}

// DatagramWriter sends a datagram without waiting: a UDP socket does.
type DatagramWriter interface {
	WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error)
}

// Valid reports whether p is a path, rather than none.
func (p Path) Valid() bool { return p.Writer != nil }

// Send sends a datagram by the path.
func (p Path) Send(datagram []byte) error {
	if _, err := p.Writer.WriteToUDPAddrPort(datagram, p.Address); err != nil {
		return fmt.Errorf("transport: %w", err)
	}
	return nil
}
