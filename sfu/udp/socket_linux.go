package udp

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wakePeriod is how long a read waits in the kernel at most before it looks for a
// new deadline. Close wakes it at once on Linux, and by this elsewhere (gVisor).
const wakePeriod = 100 * time.Millisecond

// socket is a UDP socket in blocking mode that Go's netpoller does not know. The
// poller would be woken for each packet that the network card has sent
// (EPOLLOUT), which costs about as much as sending it.
type socket struct {
	// set once
	fd        int
	inet6     bool // its addresses are IPv6 ones, with IPv4 mapped into them
	sendmmsg  func(fd int, messages []message) (int, unix.Errno)
	receives  int // SO_RCVBUF, in bytes
	sends     int // SO_SNDBUF, in bytes
	aggregate bool

	// atomic
	users    atomic.Int64 // system calls that use fd; less than 0 once it is closed
	deadline atomic.Int64 // of reads, in Unix nanoseconds; 0: none
	mode     atomic.Int32 // Mode
	refusal  atomic.Int32 // the error number that lowered mode; 0: none
	count    counters

	ended sync.Once     // closes fd
	done  chan struct{} // closed with fd

	reading sync.Mutex
	in      inbox // guarded by reading
}

// newSocket takes opened's socket out of the netpoller, and closes opened.
func newSocket(opened *net.UDPConn) (*socket, error) {
	fd, err := duplicate(opened)
	if err != nil {
		return nil, err
	}
	s := &socket{fd: fd, sendmmsg: sendmmsg, done: make(chan struct{})}
	if err := s.configure(); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	s.in.init()
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
	if err := unix.SetNonblock(s.fd, false); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	domain, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return os.NewSyscallError("getsockopt", err)
	}
	s.inet6 = domain == unix.AF_INET6
	period := unix.NsecToTimeval(wakePeriod.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &period); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	s.receives = s.buffer(unix.SO_RCVBUFFORCE, unix.SO_RCVBUF)
	s.sends = s.buffer(unix.SO_SNDBUFFORCE, unix.SO_SNDBUF)
	s.aggregate = unix.SetsockoptInt(s.fd, unix.SOL_UDP, unix.UDP_GRO, 1) == nil
	// Nothing sent says whether system calls are filtered.
	if _, errno := sendmmsg(s.fd, nil); errno != 0 {
		s.lower(Plain, errno)
	} else if _, err := unix.GetsockoptInt(s.fd, unix.SOL_UDP, unix.UDP_SEGMENT); err != nil {
		s.mode.Store(int32(Segmented))
		s.lower(Batched, unix.ENOPROTOOPT)
	} else {
		s.mode.Store(int32(Segmented))
	}
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

// lower makes mode the mode if it is lower than the present one, because of why.
func (s *socket) lower(mode Mode, why unix.Errno) {
	for {
		now := s.mode.Load()
		if now < int32(mode) || now == int32(mode) && s.refusal.Load() != 0 {
			return
		}
		if s.mode.CompareAndSwap(now, int32(mode)) {
			s.refusal.Store(int32(why))
			return
		}
	}
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
			break // by somebody else
		}
		if !s.users.CompareAndSwap(users, users+closing) {
			continue
		}
		if users == 0 {
			s.end()
			break
		}
		// It wakes readers, although it fails: the socket is not connected.
		_ = unix.Shutdown(s.fd, unix.SHUT_RD)
		break
	}
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
		return nil
	}
	s.deadline.Store(max(t.UnixNano(), 1)) // before 1970 is past, too
	return nil
}

// stats takes a snapshot.
func (s *socket) stats() Stats {
	out := Stats{
		Mode: Mode(s.mode.Load()), Aggregated: s.aggregate,
		ReceiveBuffer: s.receives, SendBuffer: s.sends, Lost: s.lost(),
	}
	if why := unix.Errno(s.refusal.Load()); why != 0 {
		out.Refusal = fmt.Errorf("udp: sending is %s only: %w", out.Mode, why)
	}
	s.count.fill(&out)
	return out
}

// lost returns how many datagrams the kernel has dropped on their way in.
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
