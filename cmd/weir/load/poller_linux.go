//go:build amd64 || arm64

package load

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const (
	batch       = 16      // messages of one system call
	messageSize = 1 << 16 // of one message, which is up to 64 datagrams; mapped as far as it is used
	controlSize = 88      // a timestamp (16 + 16 bytes), a drop counter and a datagram's size (16 + 8 each)
	maxEvents   = 512
	udpGRO      = 104 // UDP_GRO (udp(7)), which package syscall lacks
)

// message is a struct mmsghdr (recvmmsg(2)).
type message struct {
	header syscall.Msghdr
	size   uint32
	_      uint32
}

// poller waits for many sockets and reads what they have. One goroutine uses it;
// any may interrupt it.
type poller struct {
	epoll    int
	bell     int // eventfd(2): what is written to it ends the wait
	viewers  map[int32]*viewer
	events   [maxEvents]syscall.EpollEvent
	messages [batch]message
	vectors  [batch]syscall.Iovec
	data     [batch][messageSize]byte
	control  [batch][controlSize]byte

	// guarded by mu, as bell's number is given to others once it is closed
	mu     sync.Mutex
	closed bool
}

func newPoller() (*poller, error) {
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	bell, _, errno := syscall.Syscall(syscall.SYS_EVENTFD2, 0, syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if errno != 0 {
		syscall.Close(epoll)
		return nil, fmt.Errorf("eventfd: %w", errno)
	}
	p := &poller{epoll: epoll, bell: int(bell), viewers: map[int32]*viewer{}}
	if err := p.listen(p.bell); err != nil {
		p.close()
		return nil, err
	}
	for i := range p.messages {
		p.vectors[i].Base = &p.data[i][0]
		p.vectors[i].SetLen(messageSize)
		p.messages[i].header.Iov = &p.vectors[i]
		p.messages[i].header.Iovlen = 1
		p.messages[i].header.Control = &p.control[i][0]
	}
	return p, nil
}

func (p *poller) close() {
	syscall.Close(p.epoll)
	p.mu.Lock()
	defer p.mu.Unlock()
	syscall.Close(p.bell)
	p.closed = true
}

// interrupt ends a wait at once, or the next one. It may be called at any time.
func (p *poller) interrupt() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		var one [8]byte
		binary.NativeEndian.PutUint64(one[:], 1)
		_, _ = syscall.Write(p.bell, one[:]) // fails only when it has been rung for ever
	}
}

// listen makes wait tell what comes.
func (p *poller) listen(fd int) error {
	if err := syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_ADD, fd, &syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(fd)}); err != nil {
		return fmt.Errorf("epoll: %w", err)
	}
	return nil
}

func (p *poller) add(v *viewer) error {
	if err := p.listen(v.socket.fd); err != nil {
		return err
	}
	p.viewers[int32(v.socket.fd)] = v
	return nil
}

// remove is the opposite of add, before the socket is closed. One that was not
// added is fine.
func (p *poller) remove(v *viewer) {
	fd := int32(v.socket.fd)
	if p.viewers[fd] == v {
		// It can only fail for a socket that is not there.
		_ = syscall.EpollCtl(p.epoll, syscall.EPOLL_CTL_DEL, v.socket.fd, &syscall.EpollEvent{})
		delete(p.viewers, fd)
	}
}

// nap blocks the thread for a while: cheaper than the runtime's timers, which
// would give the thread away and have to wake it.
func nap(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil)
}

// wait waits until something comes, at most for a time, and calls each with
// every datagram: when the kernel got it (ns since 1970) and how many the
// socket had dropped by then for want of room (0: none, or unknown).
func (p *poller) wait(most time.Duration, each func(v *viewer, b []byte, at int64, dropped uint32)) error {
	n, err := syscall.EpollWait(p.epoll, p.events[:], int(most.Milliseconds()))
	if err != nil {
		if errors.Is(err, syscall.EINTR) {
			return nil
		}
		return fmt.Errorf("epoll: %w", err)
	}
	for _, event := range p.events[:n] {
		if int(event.Fd) == p.bell {
			var rung [8]byte
			_, _ = syscall.Read(p.bell, rung[:]) // silent again
		} else if v := p.viewers[event.Fd]; v != nil {
			p.read(v, each)
		}
	}
	return nil
}

// read reads what a socket has, at most one batch: the others get their turn,
// and epoll tells of the rest again.
func (p *poller) read(v *viewer, each func(*viewer, []byte, int64, uint32)) {
	for i := range p.messages {
		p.messages[i].header.SetControllen(controlSize) // the kernel has written its own
	}
	n, _, errno := syscall.Syscall6(syscall.SYS_RECVMMSG, uintptr(v.socket.fd), uintptr(unsafe.Pointer(&p.messages[0])),
		batch, syscall.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return // nothing there, or an ICMP error of an address that does not answer
	}
	for i := range int(n) {
		at, dropped, size := readControl(p.control[i][:p.messages[i].header.Controllen])
		data := p.data[i][:min(p.messages[i].size, messageSize)]
		for size > 0 && len(data) > size {
			each(v, data[:size], at, dropped)
			data = data[size:]
		}
		each(v, data, at, dropped)
	}
}

// readControl reads a timestamp, a drop counter, and the size of the datagrams that
// the kernel has joined (0: it has not), as socket(7), cmsg(3) and udp(7) have them.
func readControl(b []byte) (at int64, dropped uint32, joined int) {
	for len(b) >= syscall.SizeofCmsghdr {
		size := binary.NativeEndian.Uint64(b)
		if size < syscall.SizeofCmsghdr || size > uint64(len(b)) {
			break
		}
		kind, value := binary.NativeEndian.Uint32(b[12:]), b[syscall.SizeofCmsghdr:size]
		switch {
		case kind == syscall.SO_TIMESTAMPNS && len(value) >= 16:
			at = int64(binary.NativeEndian.Uint64(value))*int64(time.Second) + int64(binary.NativeEndian.Uint64(value[8:]))
		case kind == syscall.SO_RXQ_OVFL && len(value) >= 4:
			dropped = binary.NativeEndian.Uint32(value)
		case kind == udpGRO && len(value) >= 4 && binary.NativeEndian.Uint32(b[8:]) == syscall.IPPROTO_UDP:
			joined = int(binary.NativeEndian.Uint32(value))
		}
		b = b[min(uint64(len(b)), (size+7)&^7):]
	}
	if at == 0 {
		at = time.Now().UnixNano()
	}
	return at, dropped, joined
}
