package peer

import (
	"fmt"
	"net"
	"slices"

	"github.com/pion/ice/v4"
	pionnet "github.com/pion/transport/v4"
)

// listenAddresses returns the addresses at which a socket listens whose own is local:
// if that is the unspecified one, all of the host's that are of its family, or of both.
func listenAddresses(local net.Addr, host pionnet.Net) ([]net.Addr, error) {
	at, ok := local.(*net.UDPAddr)
	if !ok {
		return nil, fmt.Errorf("peer: the socket's address is %v; a UDP socket is needed", local)
	}
	if !at.IP.IsUnspecified() {
		return []net.Addr{at}, nil
	}
	interfaces, err := host.Interfaces()
	if err != nil {
		return nil, fmt.Errorf("peer: the machine's addresses: %w", err)
	}
	var all []net.Addr
	for _, i := range interfaces {
		addresses, err := i.Addrs()
		if i.Flags&net.FlagUp == 0 || err != nil && len(addresses) == 0 {
			continue // one that has none is no reason to stop
		}
		for _, a := range addresses {
			prefix, ok := a.(*net.IPNet)
			if ok && (at.IP.To4() == nil || prefix.IP.To4() != nil) {
				all = append(all, &net.UDPAddr{IP: prefix.IP, Port: at.Port})
			}
		}
	}
	return all, nil
}

// hostCandidates returns the candidates of a socket that listens at addresses (RFC 8839
// section 5.1), each once and for the one component that there is. Those that mean
// nothing to another machine are left out: link-local addresses of IPv6, and loopback, unless
// there is nothing else.
func hostCandidates(addresses []net.Addr) ([]string, error) {
	elsewhere, err := candidatesOf(addresses, func(ip net.IP) bool {
		return !ip.IsLoopback() && (ip.To4() != nil || !ip.IsLinkLocalUnicast())
	})
	if err != nil || len(elsewhere) > 0 {
		return elsewhere, err
	}
	return candidatesOf(addresses, net.IP.IsLoopback)
}

func candidatesOf(addresses []net.Addr, useful func(net.IP) bool) ([]string, error) {
	var lines []string
	for _, a := range addresses {
		udp, ok := a.(*net.UDPAddr)
		if !ok || !useful(udp.IP) {
			continue
		}
		c, err := ice.NewCandidateHost(&ice.CandidateHostConfig{
			Network: "udp", Address: udp.IP.String(), Port: udp.Port, Component: ice.ComponentRTP,
		})
		if err != nil {
			return nil, fmt.Errorf("peer: candidate: %w", err)
		}
		if line := c.Marshal(); !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines, nil
}
