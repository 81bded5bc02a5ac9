package udp

import (
	"net"
	"net/netip"
	"os"
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
	// restAfter is how many datagrams may be read before the reader is given rest, if
	// it never has to wait: some 0.3 ms of work.
	restAfter = 256
	// pause is how long a read waits after an error that is not ours, so that one
	// that lasts does not take a core.
	pause = time.Millisecond
)

// inbox holds the messages of the last system call, from which reads are served.
type inbox struct {
	recvmmsg func(fd int, messages []message) (int, unix.Errno) // recvmsg where that is forbidden

	messages [readMessages]message
	vectors  [readMessages]unix.Iovec
	names    [readMessages]sockaddr
	controls [readMessages]groControl
	buf      []byte // messageSize for each
	n        int    // messages that were received
	errno    unix.Errno
	next     int // the first of them that was not looked at

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
	in.recvmmsg = recvmmsg
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

// copyNext copies the next datagram to b. It tells the datagram's size.
func (in *inbox) copyNext(b []byte) (n, size int) {
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
		if s.unrested >= restAfter { // one system call may bring four times as many
			s.rest()
		}
		switch {
		case s.closed():
			return 0, netip.AddrPort{}, net.ErrClosed
		case s.expired():
			return 0, netip.AddrPort{}, os.ErrDeadlineExceeded
		case s.in.left > 0 || s.in.open():
			n, size := s.in.copyNext(b)
			s.unrested++
			if n < size {
				s.count.truncated.Add(1)
			}
			return n, s.in.from, nil
		}
		if err := s.receive(); err != nil {
			return 0, netip.AddrPort{}, err
		}
	}
}

// expired reports whether the deadline has passed.
func (s *socket) expired() bool {
	deadline := s.deadline.Load()
	return deadline != 0 && deadline <= time.Now().UnixNano()
}

// receive fills the inbox, and waits for that. The inbox may be empty afterwards.
func (s *socket) receive() error {
	if !s.acquire() {
		return net.ErrClosed
	}
	defer s.release()
	if err := s.waiter.wait(); err != nil {
		return nil // read finds out why
	}
	switch errno := s.in.errno; errno {
	case 0:
	case unix.ENOSYS, unix.EPERM:
		if s.single.Load() != 0 {
			return os.NewSyscallError("recvmsg", errno)
		}
		s.readSingly(errno) // system calls are filtered, and this one is a rare one
		return nil
	case unix.EBADF, unix.EFAULT, unix.EINVAL, unix.ENOTSOCK:
		return os.NewSyscallError("recvmmsg", errno) // it will never work
	default:
		// Memory is short, or an ICMP message said something of one destination: the
		// others are to be read all the same.
		time.Sleep(pause)
		return nil
	}
	var count int
	for range s.in.n {
		s.in.open()
		count += s.in.left
	}
	s.in.next, s.in.left = 0, 0
	s.count.received.Add(uint64(count))
	s.count.reads.Add(1)
	return nil
}

// try fills the inbox without waiting. It returns false if nothing is there.
func (s *socket) try() bool {
	s.in.reset()
	s.in.n, s.in.errno = s.in.recvmmsg(s.fd, s.in.messages[:])
	if s.in.errno == unix.EAGAIN || s.in.errno == unix.EINTR {
		if s.unrested > 0 { // else nothing came since the last rest
			s.rest()
		}
		return false
	}
	return true
}

// rest tells the reader that all is read that there was.
func (s *socket) rest() {
	s.unrested = 0
	if s.onIdle != nil {
		s.onIdle()
	}
}

// recvmmsg is recvmmsg(2) that does not wait.
func recvmmsg(fd int, messages []message) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(messages))), uintptr(len(messages)),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// recvmsg is recvmsg(2) as recvmmsg: of the messages it fills the first only.
func recvmsg(fd int, messages []message) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&messages[0].header)), unix.MSG_DONTWAIT)
	if errno != 0 {
		return 0, errno
	}
	messages[0].n = uint32(n)
	return 1, 0
}
