package udp

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// waiter puts the goroutine that reads to sleep until there is something to read.
//
// It sleeps in Go's netpoller, like any other. But the netpoller does not know the
// socket: it would ask the kernel for EPOLLOUT as well, and be woken for each packet
// that the network card has sent. It knows an epoll instance of ours, which asks
// for EPOLLIN, and only while the reader sleeps.
//
// The reader does not wait in a blocking system call, which would seem simpler:
// the runtime's monitor takes the processor from it each time, and then looks after
// the others every 20 us for a while, at a quarter of all that forwarding costs.
type waiter struct {
	// set once
	file   *os.File // the epoll instance
	raw    syscall.RawConn
	epoll  int
	socket int
	try    func() bool // reads without waiting; false: nothing is there

	awake func(uintptr) bool // poll, made once

	// owned by the reader
	armed bool // a wake-up has been asked for
	event unix.EpollEvent
}

// newWaiter returns a waiter for a socket, which is closed after it.
func newWaiter(socket int, try func() bool) (*waiter, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	w := &waiter{epoll: epoll, socket: socket, try: try}
	if err := w.control(unix.EPOLL_CTL_ADD, 0); err != nil {
		_ = unix.Close(epoll)
		return nil, err
	}
	if err := unix.SetNonblock(epoll, true); err != nil { // by this the netpoller takes it
		_ = unix.Close(epoll)
		return nil, os.NewSyscallError("fcntl", err)
	}
	w.file = os.NewFile(uintptr(epoll), "udp")
	w.awake = w.poll
	if w.raw, err = w.file.SyscallConn(); err == nil {
		err = w.file.SetReadDeadline(time.Time{}) // only the netpoller can
	}
	if err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	return w, nil
}

// wait tries to read until that succeeds. Its error is os.ErrDeadlineExceeded, or tells
// that w is closed.
func (w *waiter) wait() error { return w.raw.Read(w.awake) }

func (w *waiter) poll(uintptr) bool {
	w.arm(false)
	if w.try() {
		return true
	}
	w.arm(true)
	// Datagrams in between are not told of: after the wake-up before, the socket stays
	// on the epoll instance's list of what is ready until a call looks, and the kernel
	// tells only of what it adds to that.
	return w.try()
}

// arm asks for a wake-up for what comes from now on, or no more. Asking fails only when
// w is being closed: then no reader sleeps.
func (w *waiter) arm(on bool) {
	if w.armed == on {
		return
	}
	w.armed = on
	events := uint32(0)
	if on {
		events = unix.EPOLLIN
	}
	_ = w.control(unix.EPOLL_CTL_MOD, events)
}

func (w *waiter) control(operation int, events uint32) error {
	w.event = unix.EpollEvent{Events: events}
	if err := unix.EpollCtl(w.epoll, operation, w.socket, &w.event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// setDeadline makes wait fail from t on; the zero time stands for never.
func (w *waiter) setDeadline(t time.Time) error { return w.file.SetReadDeadline(t) }

// close ends the waiting.
func (w *waiter) close() { _ = w.file.Close() }
