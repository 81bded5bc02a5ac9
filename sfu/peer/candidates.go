package peer

import (
	"fmt"
	"net"
	"slices"

	"github.com/pion/ice/v4"
)

// hostCandidates returns the candidates of a socket that listens at addresses (RFC
// 8839 section 5.1), each once and for the one component that there is. Those that
// tell nobody else anything are left out: link-local addresses of IPv6, and loopback,
// unless there is nothing else.
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
