package udp

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// socket is a UDP socket that Go's netpoller does not know (see waiter). The poller
// would be woken for each packet that the network card has sent (EPOLLOUT), which
// costs about as much as sending it.
type socket struct {
	// set once
	fd        int
	inet6     bool // its addresses are IPv6 ones, with IPv4 mapped into them
	sendmmsg  func(fd int, messages []message) (int, unix.Errno)
	segments  func(fd int) error // nil: the kernel knows UDP_SEGMENT
	receives  int                // SO_RCVBUF, in bytes
	sends     int                // SO_SNDBUF, in bytes
	aggregate bool
	onIdle    func() // or nil
	waiter    *waiter

	// atomic
	users    atomic.Int64  // system calls that use fd; less than 0 once it is closed
	deadline atomic.Int64  // of reads, in Unix nanoseconds; 0: none
	form     atomic.Uint32 // how batches leave
	single   atomic.Uint32 // the error number for which each read brings one message; 0: it brings many
	count    counters

	fallbacks fallbacks

	ended sync.Once     // closes fd
	done  chan struct{} // closed with fd

	// guarded by reading
	reading  sync.Mutex
	in       inbox
	unrested int // datagrams that were read since onIdle was called
}

// newSocket takes opened's socket out of the netpoller, and closes opened.
func newSocket(opened *net.UDPConn) (*socket, error) {
	fd, err := duplicate(opened)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd, sendmmsg: sendmmsg, segments: segments, done: make(chan struct{})}
	if err := s.configure(); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s.in.init()
	if s.waiter, err = newWaiter(fd, s.try); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return s, nil
}

// duplicate returns a new descriptor of conn's socket, and closes conn, by which
// the netpoller forgets the socket.
func duplicate(conn *net.UDPConn) (fd int, err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return 0, err
	}
	var refused error
	if err := raw.Control(func(old uintptr) { fd, refused = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 0) }); err != nil {
		return 0, err
	}
	if refused != nil {
		return 0, os.NewSyscallError("fcntl", refused)
	}
	if err := conn.Close(); err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	return fd, nil
}

// configure sets the socket's options and finds out what the kernel can do. Only
// what the socket cannot work without is an error.
func (s *socket) configure() error {
	domain, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	s.inet6 = domain == unix.AF_INET6
	s.receives = s.buffer(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	s.sends = s.buffer(unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	s.aggregate = unix.SetsockoptInt(s.fd, unix.SOL_UDP, unix.UDP_GRO, 1) == nil
	s.probe()
	return nil
}

// buffer asks for bufferSize: by force, which takes the right to administer the
// network, or else up to the system's limit. It returns what was granted.
func (s *socket) buffer(force, ask int) int {
	if unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, force, bufferSize) != nil {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, ask, bufferSize)
	}
	granted, _ := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, ask)
	return granted
}

// closing is added to users by close: more than there are ever users.
const closing = -1 << 32

// acquire reports whether fd may be used until release: it is not closed.
// Otherwise a system call could meet a number that means another file by now.
func (s *socket) acquire() bool {
	if s.users.Add(1) > 0 {
		return true
	}
	s.release()
	return false
}

// release ends what acquire allowed. The last user of a closed socket closes fd.
func (s *socket) release() {
	if s.users.Add(-1) == closing {
		s.end()
	}
}

func (s *socket) closed() bool { return s.users.Load() < 0 }

func (s *socket) end() {
	s.ended.Do(func() {
		_ = unix.Close(s.fd)
		close(s.done)
	})
}

// close closes the socket, and returns when its port is free.
func (s *socket) close() error {
	for {
		users := s.users.Load()
		if users < 0 {
			break // by another call
		}
		if !s.users.CompareAndSwap(users, users+closing) {
			continue
		}
		if users == 0 {
			s.end()
			break
		}
		break
	}
	s.waiter.close() // wakes the reader
	<-s.done
	return nil
}

// setReadDeadline is Conn.SetReadDeadline.
func (s *socket) setReadDeadline(t time.Time) error {
	if s.closed() {
		return net.ErrClosed
	}
	if t.IsZero() {
		s.deadline.Store(0)
	} else {
		s.deadline.Store(max(t.UnixNano(), 1)) // before 1970 is past, too
	}
	if s.waiter.setDeadline(t) != nil {
		return net.ErrClosed
	}
	return nil
}

// stats takes a snapshot.
func (s *socket) stats() Stats {
	now := form(s.form.Load())
	out := Stats{
		Mode: now.mode(), Fallback: now.err(), ReadFallback: readFallback(unix.Errno(s.single.Load())),
		Aggregated: s.aggregate, ReceiveBuffer: s.receives, SendBuffer: s.sends, Lost: s.lost(),
	}
	s.count.fill(&out)
	return out
}

// lost returns how many datagrams the kernel has dropped before they were read.
func (s *socket) lost() uint64 {
	if !s.acquire() {
		return 0
	}
	defer s.release()
	var info [9]uint32 // SK_MEMINFO_VARS
	const drops = 8    // SK_MEMINFO_DROPS
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return uint64(info[drops])
}

// message is struct mmsghdr of recvmmsg(2).
type message struct {
	header unix.Msghdr
	n      uint32 // bytes sent or received
}
