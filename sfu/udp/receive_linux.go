package udp

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// readMessages is how many messages one system call receives at most. Each may
	// hold up to 64 datagrams (UDP_GRO).
	readMessages = 16
	// messageSize is room for the largest message, in bytes, so that the kernel never
	// cuts one. Of these 1 MiB only what is used is ever mapped.
	messageSize = 1 << 16
	// pause is how long a read waits after an error that is not ours, so that one
	// that lasts does not take a core.
	pause = time.Millisecond
)

// inbox holds the messages of the last system call, from which reads are served.
type inbox struct {
	messages [readMessages]message
	vectors  [readMessages]unix.Iovec
	names    [readMessages]sockaddr
	controls [readMessages]groControl
	buf      []byte // messageSize for each
	n        int    // messages that were received
	next     int    // the first of them that was not looked at

	// The message that is being taken apart.
	data    []byte // what is left of it
	segment int    // size of its datagrams but for the last, in bytes
	left    int    // datagrams in data; more than 0 also for an empty one
	from    netip.AddrPort
}

// groControl is the control message that tells the size of the datagrams that the
// kernel has joined.
type groControl struct {
	header unix.Cmsghdr
	size   int32
	_      [4]byte // up to CmsgSpace
}

// init links the parts.
func (in *inbox) init() {
	in.buf = make([]byte, readMessages*messageSize)
	for i := range in.messages {
		in.vectors[i].Base = &in.buf[i*messageSize]
		in.vectors[i].SetLen(messageSize)
		h := &in.messages[i].header
		h.Name = (*byte)(unsafe.Pointer(&in.names[i]))
		h.Iov = &in.vectors[i]
		h.SetIovlen(1)
		h.Control = (*byte)(unsafe.Pointer(&in.controls[i]))
	}
	in.n = readMessages
	in.reset()
}

// reset makes room in the messages that were used.
func (in *inbox) reset() {
	for i := range in.n {
		h := &in.messages[i].header
		h.Namelen = unix.SizeofSockaddrInet6
		h.SetControllen(unix.CmsgSpace(4))
		in.names[i].Family = unix.AF_UNSPEC
	}
	in.n, in.next = 0, 0
}

// open makes the next message the one that is taken apart. It reports false if
// there is none.
func (in *inbox) open() bool {
	if in.next == in.n {
		return false
	}
	i := in.next
	in.next++
	m, size := &in.messages[i], 0
	if c := &in.controls[i]; m.header.Controllen > 0 && c.header.Level == unix.SOL_UDP && c.header.Type == unix.UDP_GRO {
		size = int(c.size)
	}
	in.data = in.buf[i*messageSize:][:m.n]
	in.segment, in.left = split(len(in.data), size)
	in.from = decode(&in.names[i])
	return true
}

// split returns the size and the number of the datagrams in a message of n bytes
// for which the kernel has told the size segment; 0 is none told.
func split(n, segment int) (size, count int) {
	if segment <= 0 || segment >= n {
		return n, 1
	}
	return segment, (n + segment - 1) / segment
}

// take copies the next datagram to b. It tells the datagram's size.
func (in *inbox) take(b []byte) (n, size int) {
	size = min(in.segment, len(in.data))
	n = copy(b, in.data[:size])
	in.data = in.data[size:]
	in.left--
	return n, size
}

// read waits for a datagram, and takes those that came with it from the inbox.
func (s *socket) read(b []byte) (int, netip.AddrPort, error) {
	s.reading.Lock()
	defer s.reading.Unlock()
	for {
		if s.closed() {
			return 0, netip.AddrPort{}, net.ErrClosed
		}
		wait, err := s.untilDeadline()
		if err != nil {
			return 0, netip.AddrPort{}, err
		}
		if s.in.left > 0 || s.in.open() {
			n, size := s.in.take(b)
			if n < size {
				s.count.truncated.Add(1)
			}
			return n, s.in.from, nil
		}
		if err := s.receive(wait); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// untilDeadline returns how long a read may wait; less than 0: for ever.
func (s *socket) untilDeadline() (time.Duration, error) {
	deadline := s.deadline.Load()
	if deadline == 0 {
		return -1, nil
	}
	left := time.Duration(deadline - time.Now().UnixNano())
	if left <= 0 {
		return 0, os.ErrDeadlineExceeded
	}
	return left, nil
}

// receive fills the inbox. It waits up to wait, if that is not less than 0, and
// not longer than wakePeriod. The inbox may be empty afterwards.
func (s *socket) receive(wait time.Duration) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	s.in.reset()
	n, errno := s.recvmmsg(wait)
	if s.closed() {
		return net.ErrClosed // and what shutdown made look like a datagram is none
	}
	switch errno {
	case 0:
	case unix.EAGAIN, unix.EINTR:
		return nil
	case unix.EBADF, unix.EFAULT, unix.EINVAL, unix.ENOSYS, unix.ENOTSOCK, unix.EPERM:
		return os.NewSyscallError("recvmmsg", errno) // it will never work
	default:
		// Memory is short, or an ICMP message said something of one destination: the
		// others are to be read all the same.
		time.Sleep(pause)
		return nil
	}
	s.in.n = n
	var count int
	for range n {
		s.in.open()
		count += s.in.left
	}
	s.in.next, s.in.left = 0, 0
	s.count.received.Add(uint64(count))
	s.count.reads.Add(1)
	return nil
}

// recvmmsg waits for messages and returns how many have come.
func (s *socket) recvmmsg(wait time.Duration) (int, unix.Errno) {
	if wait >= 0 {
		// SO_RCVTIMEO is the socket's; this wait is one read's.
		poll := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}
		if _, err := unix.Poll(poll, int(min(wait, wakePeriod).Milliseconds())+1); err != nil {
			return 0, err.(unix.Errno)
		}
		return s.in.recvmmsg(s.fd)
	}
	// While this goroutine waits in the kernel, those that it has just made runnable
	// could wait with it, for up to 10 ms: until the scheduler notices. So they go
	// first. Where all processors are busy, the median time from a datagram's sender
	// to such a goroutine is 20 us by this, and 160 us without.
	if n, errno := s.in.recvmmsg(s.fd); errno != unix.EAGAIN {
		return n, errno
	}
	runtime.Gosched()
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(s.fd), uintptr(unsafe.Pointer(&s.in.messages)), readMessages,
		unix.MSG_WAITFORONE, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// recvmmsg is recvmmsg(2) that does not wait.
func (in *inbox) recvmmsg(fd int) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&in.messages)), readMessages,
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
