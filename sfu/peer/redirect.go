package peer

import (
	"net"
	"net/netip"

	"github.com/pion/ice/v4"
)

// redirectingMux is pion's mux as one publisher's connection sees it. What pion sends
// goes to where the client is, which the client's presence knows better: pion stays
// with the address that the client has chosen, and some choose only once.
type redirectingMux struct {
	ice.UDPMux
	presence *presence
}

// GetConn implements ice.UDPMux.
func (m redirectingMux) GetConn(ufrag string, addr net.Addr) (net.PacketConn, error) {
	c, err := m.UDPMux.GetConn(ufrag, addr)
	if err != nil {
		return nil, err
	}
	through, ok := c.(addrPortConn)
	if !ok {
		return c, nil // a mux that knows no more than pion
	}
	return redirectingConn{through, m.presence}, nil
}

// addrPortConn is what the connections of pion's mux are.
type addrPortConn interface {
	net.PacketConn
	ice.AddrPortReaderWriter
}

type redirectingConn struct {
	addrPortConn
	presence *presence
}

// WriteToAddrPort implements ice.AddrPortReaderWriter. Checks are answered where they
// came from.
func (c redirectingConn) WriteToAddrPort(b []byte, to netip.AddrPort) (int, error) {
	if at := c.presence.to.Load(); at != nil && len(b) > 0 && b[0] > lastSTUN {
		to = *at
	}
	return c.addrPortConn.WriteToAddrPort(b, to)
}

// WriteTo implements net.PacketConn.
func (c redirectingConn) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return c.addrPortConn.WriteTo(b, to)
	}
	at := a.AddrPort()
	return c.WriteToAddrPort(b, netip.AddrPortFrom(at.Addr().Unmap(), at.Port()))
}
