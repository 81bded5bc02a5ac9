package load

import (
	"fmt"
	"net"
	"net/netip"
	"time"
)

// yardstickTime is how long the yardstick is measured.
const yardstickTime = 300 * time.Millisecond

// Yardstick measures what this machine's kernel is like: the CPU time, in µs, that one
// send of 1200 bytes over loopback takes by a plain net.UDPConn. Figures of CPU time
// that come from different machines compare by it.
func Yardstick() (Figure, error) {
	full, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("yardstick: %w", err)
	}
	defer full.Close() // without a reader, packets are dropped for want of room, at the same cost
	from, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return 0, fmt.Errorf("yardstick: %w", err)
	}
	defer from.Close()
	to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(full.LocalAddr().(*net.UDPAddr).Port))
	const burst = 1000
	packet := make([]byte, 1200)
	used, sent := ownCPU(), 0
	for start := time.Now(); time.Since(start) < yardstickTime; sent += burst {
		for range burst {
			if _, err := from.WriteToUDPAddrPort(packet, to); err != nil {
				return 0, fmt.Errorf("yardstick: %w", err)
			}
		}
	}
	return Figure(float64((ownCPU() - used).Nanoseconds()) / float64(sent) / 1000), nil
}
