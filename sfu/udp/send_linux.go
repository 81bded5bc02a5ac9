package udp

import (
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// patience is how many segmented messages may be refused for their size before
// segmentation is given up, if none was ever taken. One destination's small MTU, which
// any host can forge an ICMP message about, must not slow down all others: it is
// refused once and then remembered (see pathMTUs).
const patience = 64

// outbox is what the kernel reads of a batch. The tables are of one length, which
// grows with use.
type outbox struct {
	messages []message
	parts    []part
	items    []run // what the messages carry
	n        int   // messages in use

	mtus pathMTUs
}

// part is what a message points at.
type part struct {
	vector  unix.Iovec
	name    sockaddr
	control segmentControl
}

// segmentControl is the control message that tells the size of the segments.
type segmentControl struct {
	header unix.Cmsghdr
	size   uint16
	_      [6]byte // up to CmsgSpace
}

// init makes the first tables.
func (o *outbox) init() {
	o.mtus.now = time.Now
	o.grow()
}

// grow doubles the tables up to maxRuns, and links their parts. No message may be
// in use.
func (o *outbox) grow() {
	n := max(minRuns, min(2*len(o.messages), maxRuns))
	if n == len(o.messages) {
		return
	}
	o.messages, o.parts, o.items = make([]message, n), make([]part, n), make([]run, n)
	for i := range o.messages {
		p := &o.parts[i]
		h := &o.messages[i].header
		h.Name = (*byte)(unsafe.Pointer(&p.name))
		h.Iov = &p.vector
		h.SetIovlen(1)
		p.control.header.Level, p.control.header.Type = unix.SOL_UDP, unix.UDP_SEGMENT
		p.control.header.SetLen(unix.CmsgLen(2))
	}
}

// put appends a message with the datagrams of r. There must be room.
func (o *outbox) put(buf []byte, r run, inet6 bool) {
	i := o.n
	o.n++
	o.items[i] = r
	p := &o.parts[i]
	p.vector.Base = unsafe.SliceData(buf[r.start:])
	p.vector.SetLen(r.size)
	h := &o.messages[i].header
	h.Namelen = encode(&p.name, r.to, inet6)
	if r.count == 1 {
		h.Control = nil
		h.SetControllen(0)
		return
	}
	p.control.size = uint16(r.segment)
	h.Control = (*byte)(unsafe.Pointer(&p.control))
	h.SetControllen(unix.CmsgSpace(2))
}

// tally counts what one call of send has done, to touch the shared counters once.
type tally struct {
	sent, segments, batches, refused, dropped, failed uint64
}

// send sends the datagrams of runs, which lie in buf.
func (s *socket) send(o *outbox, buf []byte, runs []run) {
	var t tally
	if s.acquire() {
		s.sendRuns(o, buf, runs, &t)
		s.release()
	} else {
		t.failed = datagrams(runs)
	}
	t.addTo(&s.count)
}

func (s *socket) sendRuns(o *outbox, buf []byte, runs []run, t *tally) {
	o.n = 0
	for i := range runs {
		r := &runs[i]
		mode := form(s.form.Load()).mode()
		if mode == Segmented && o.mtus.refuses(r) {
			mode = Batched
		}
		switch mode {
		case Segmented:
			if !s.makeRoom(o, buf, t) {
				t.dropped += datagrams(runs[i:])
				return
			}
			o.put(buf, *r, s.inet6)
		case Batched:
			for j := range r.count {
				if !s.makeRoom(o, buf, t) {
					t.dropped += uint64(r.count-j) + datagrams(runs[i+1:])
					return
				}
				start, end := r.datagram(j)
				o.put(buf, run{to: r.to, start: start, size: end - start, segment: end - start, count: 1}, s.inet6)
			}
		default:
			// The datagrams put before another goroutine found this mode go first.
			if !s.flush(o, buf, t) {
				t.dropped += datagrams(runs[i:])
				return
			}
			if !s.sendEach(buf, r, t) {
				t.dropped += datagrams(runs[i+1:])
				return
			}
		}
	}
	s.flush(o, buf, t)
}

// makeRoom makes room for one more message. It reports false if the send buffer
// is full.
func (s *socket) makeRoom(o *outbox, buf []byte, t *tally) bool {
	if o.n < len(o.messages) {
		return true
	}
	if !s.flush(o, buf, t) {
		return false
	}
	o.grow()
	return true
}

// flush sends the messages of o. It reports false if the send buffer is full: it
// will be full for what follows, too.
func (s *socket) flush(o *outbox, buf []byte, t *tally) bool {
	n := o.n
	o.n = 0
	for i := 0; i < n; {
		sent, errno := s.sendmmsg(s.fd, o.messages[i:n])
		t.batches++
		if errno == 0 {
			for ; sent > 0; sent-- {
				count := uint64(o.items[i].count)
				t.sent += count
				if count > 1 {
					t.segments += count
				}
				i++
			}
			continue
		}
		r := &o.items[i]
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			t.dropped += datagrams(o.items[i:n])
			return false
		case unix.ENOBUFS: // the network card's queue, of this destination's card
			t.dropped += uint64(r.count)
		case unix.EINVAL, unix.EMSGSIZE, unix.EIO, unix.EOPNOTSUPP, unix.ENOPROTOOPT, unix.ENOSYS:
			if !s.retry(o, buf, r, errno, t) {
				t.dropped += datagrams(o.items[i+1 : n])
				return false
			}
		default: // the destination is unreachable or forbidden
			t.failed += uint64(r.count)
		}
		i++
	}
	return true
}

// retry sends the datagrams of r one by one, since as one message they were
// refused with cause. If that works, the form was to blame: the destination is
// remembered, or the mode is lowered for all. It reports false if the send buffer
// is full.
func (s *socket) retry(o *outbox, buf []byte, r *run, cause unix.Errno, t *tally) bool {
	if r.count == 1 && cause != unix.ENOSYS {
		t.failed++
		return true
	}
	before := t.sent
	ok := s.sendEach(buf, r, t)
	switch {
	case t.sent == before: // the destination is to blame
	case cause == unix.ENOSYS:
		s.lower(Plain, cause)
	case cause == unix.EINVAL || cause == unix.EMSGSIZE:
		// A datagram that is larger than the MTU of its path can be sent in fragments,
		// but not as a segment: EINVAL, or EMSGSIZE in newer kernels.
		t.refused++
		o.mtus.remember(r)
		if t.segments == 0 && s.count.segments.Load() == 0 && s.count.refused.Load()+t.refused >= patience {
			s.lower(Batched, cause)
		}
	default: // EIO: the card computes no checksums, or there is IPsec
		t.refused++
		s.lower(Batched, cause)
	}
	return ok
}

// sendEach sends each datagram of r by a call of its own. It reports false if the
// send buffer is full.
func (s *socket) sendEach(buf []byte, r *run, t *tally) bool {
	for j := range r.count {
		start, end := r.datagram(j)
		t.batches++
		switch errno := s.sendto(buf[start:end], r.to); errno {
		case 0:
			t.sent++
		case unix.EAGAIN:
			t.dropped += uint64(r.count - j)
			return false
		case unix.ENOBUFS:
			t.dropped++
		default:
			t.failed++
		}
	}
	return true
}

// write sends one datagram.
func (s *socket) write(b []byte, to netip.AddrPort) error {
	if !s.acquire() {
		return net.ErrClosed
	}
	errno := s.sendto(b, to)
	s.release()
	switch errno {
	case 0:
		s.count.sent.Add(1)
	case unix.EAGAIN, unix.ENOBUFS:
		s.count.dropped.Add(1)
	default:
		s.count.failed.Add(1)
		return os.NewSyscallError("sendto", errno)
	}
	return nil
}

// sendto is sendto(2) that never waits. It is raw, like sendmmsg: telling the
// scheduler of a system call that takes a microsecond costs a tenth of it.
func (s *socket) sendto(b []byte, to netip.AddrPort) unix.Errno {
	var name sockaddr
	length := encode(&name, to, s.inet6)
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(s.fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
		unix.MSG_DONTWAIT, uintptr(unsafe.Pointer(&name)), uintptr(length))
	return errno
}

// sendmmsg is sendmmsg(2) that never waits. It returns how many messages were
// sent: with an error always none.
func sendmmsg(fd int, messages []message) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(messages))), uintptr(len(messages)),
		unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}

// datagrams returns how many there are in runs.
func datagrams(runs []run) (n uint64) {
	for i := range runs {
		n += uint64(runs[i].count)
	}
	return n
}

// addTo adds t to the shared counters, but for zeros: a locked instruction each.
func (t *tally) addTo(c *counters) {
	add := func(to *atomic.Uint64, n uint64) {
		if n > 0 {
			to.Add(n)
		}
	}
	add(&c.sent, t.sent)
	add(&c.segments, t.segments)
	add(&c.batches, t.batches)
	add(&c.refused, t.refused)
	add(&c.dropped, t.dropped)
	add(&c.failed, t.failed)
}
