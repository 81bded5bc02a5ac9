package udp

import (
	"context"
	"fmt"
	"net"
)

// bufferSize is what is asked of the kernel for each direction, in bytes: 50 ms
// of 600 Mbit/s. The kernel may grant less (net.core.rmem_max); that is no
// error, and Stats tells.
const bufferSize = 4 << 20

// Listen opens a UDP socket at addr ("host:port"; an empty host means all
// addresses of both families, port 0 a free port) with large buffers.
func Listen(ctx context.Context, addr string) (*Conn, error) {
	var c net.ListenConfig
	packets, err := c.ListenPacket(ctx, "udp", addr)
	if err != nil {
		return nil, fmt.Errorf("udp: listen on %s: %w", addr, err)
	}
	opened := packets.(*net.UDPConn) // network "udp" yields no other type
	conn, err := newConn(opened)
	if err != nil {
		_ = opened.Close() // at worst it was closed already
		return nil, fmt.Errorf("udp: listen on %s: %w", addr, err)
	}
	return conn, nil
}
