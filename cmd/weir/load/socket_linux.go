//go:build amd64 || arm64

package load

import (
	"fmt"
	"net/netip"
	"sync"
	"syscall"
)

// receiveBuffer is what is asked of the kernel for each viewer, in bytes: with
// the usual overhead of 2304 bytes for a packet, 1.4 s of 320 packets a second.
const receiveBuffer = 1 << 20

// socket is a viewer's UDP socket. It is not in the runtime's poller: the fleet
// waits for it.
type socket struct {
	mu     sync.RWMutex // held while fd is in use, since a closed number is given to others
	fd     int
	closed bool
}

func openSocket() (*socket, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("no UDP socket (%w); 'ulimit -n' tells how many files may be open", err)
	}
	// Forcing takes a privilege; without it the limit of the system holds.
	if syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, receiveBuffer) != nil {
		_ = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)
	}
	for _, option := range []int{syscall.SO_TIMESTAMPNS, syscall.SO_RXQ_OVFL} {
		if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, option, 1); err != nil {
			syscall.Close(fd)
			return nil, fmt.Errorf("socket option %d: %w", option, err)
		}
	}
	// Datagrams that the server sends as one are taken as one, where the kernel can.
	// Otherwise it is taken apart on the way, and on one machine the server would be
	// charged for that: what a network card does there, or the viewer's machine.
	_ = syscall.SetsockoptInt(fd, syscall.IPPROTO_UDP, udpGRO, 1)
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{}); err != nil {
		syscall.Close(fd)
		return nil, fmt.Errorf("no free UDP port: %w", err)
	}
	return &socket{fd: fd}, nil
}

// port returns the local port.
func (s *socket) port() int {
	a, err := syscall.Getsockname(s.fd)
	if in, ok := a.(*syscall.SockaddrInet4); err == nil && ok {
		return in.Port
	}
	return 0
}

// send sends a datagram. One that cannot be sent is lost, as on any network.
func (s *socket) send(b []byte, to netip.AddrPort) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.closed {
		_ = syscall.Sendto(s.fd, b, 0, &syscall.SockaddrInet4{Port: int(to.Port()), Addr: to.Addr().As4()})
	}
}

func (s *socket) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		syscall.Close(s.fd)
	}
}
