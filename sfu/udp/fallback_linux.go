package udp

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// form is how batches leave: a Mode, and above its 8 bits the error number that
// lowered it; 0: none. It is one number so that both change at once.
type form uint32

func newForm(m Mode, cause unix.Errno) form { return form(cause)<<8 | form(m) }

func (f form) mode() Mode { return Mode(f & 0xff) }

func (f form) cause() unix.Errno { return unix.Errno(f >> 8) }

// err is Stats.Fallback.
func (f form) err() error {
	if f.cause() == 0 {
		return nil
	}
	return fmt.Errorf("udp: sending is %s only: %w", f.mode(), f.cause())
}

// readFallback is Stats.ReadFallback.
func readFallback(cause unix.Errno) error {
	if cause == 0 {
		return nil
	}
	return fmt.Errorf("udp: reading is one message at a time: %w", cause)
}

// probe finds out how batches can leave, as far as the kernel tells before there
// is something to send.
func (s *socket) probe() {
	s.form.Store(uint32(newForm(Segmented, 0)))
	// An empty call tells whether system calls are filtered.
	if _, errno := s.sendmmsg(s.fd, nil); errno != 0 {
		s.lower(Plain, errno)
	} else if s.segments(s.fd) != nil {
		s.lower(Batched, unix.ENOPROTOOPT)
	}
}

// segments asks the kernel for an option that it has if it can send segments.
func segments(fd int) error {
	_, err := unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_SEGMENT)
	return err
}

// lower makes mode the mode if it is lower than the present one, because of cause.
func (s *socket) lower(mode Mode, cause unix.Errno) {
	next := newForm(mode, cause)
	for {
		now := s.form.Load()
		if form(now).mode() <= mode {
			return
		}
		if s.form.CompareAndSwap(now, uint32(next)) {
			s.fallbacks.add(next.err())
			return
		}
	}
}

// readSingly makes reads bring one message each from now on, because of cause. Its
// caller holds reading.
func (s *socket) readSingly(cause unix.Errno) {
	s.in.recvmmsg = recvmsg
	s.single.Store(uint32(cause))
	s.fallbacks.add(readFallback(cause))
}

// onFallback is Conn.OnFallback.
func (s *socket) onFallback(f func(error)) { s.fallbacks.listen(f) }

// fallbacks tells a listener of fallbacks, of each once. There may be none when the
// socket is opened, and those of that time are kept.
type fallbacks struct {
	// guarded by mu
	mu     sync.Mutex
	tell   func(error) // nil: no listener
	untold []error
}

func (r *fallbacks) add(err error) {
	r.mu.Lock()
	tell := r.tell
	if tell == nil {
		r.untold = append(r.untold, err)
	}
	r.mu.Unlock()
	if tell != nil {
		tell(err)
	}
}

func (r *fallbacks) listen(tell func(error)) {
	r.mu.Lock()
	untold := r.untold
	r.tell, r.untold = tell, nil
	r.mu.Unlock()
	for _, err := range untold {
		tell(err)
	}
}
