package rtp

import (
	"time"

	"weir/sfu/media"
)

const (
	// restartRun is how many packets that are too old, one after the other in sequence,
	// show that the sender counts anew under the same SSRC (RFC 3550 appendix A.1, which
	// takes two; but what is sent again comes in a row too).
	restartRun = 16
	// maxBehind and maxAge are how far behind the newest packet one may be that comes
	// late: no network holds up one packet for longer. 8192 packets are 12 s of video
	// of 6 Mbit/s.
	maxBehind = 8192
	maxAge    = 3 * time.Second
	// A mark each markInterval, so many of them, reach back further than maxAge.
	markInterval = 100 * time.Millisecond
	maxMarks     = 32
)

// numbers extends the sequence numbers of one RTP stream, and knows when they begin
// anew. The zero value is ready to use.
type numbers struct {
	unwrapper media.Unwrapper[uint16]
	first     uint64 // 0: nothing has come
	highest   uint64

	// when the highest numbers came: a circle, once it is full
	marks [maxMarks]numberMark
	n     uint64

	// of packets that were too old, with no other in between
	next uint16 // the number that would continue them
	run  int
}

// numberMark is the highest number at an instant.
type numberMark struct {
	number uint64
	at     time.Duration
}

// place returns the extended number of a packet. restarted reports whether it is the
// first one since the sender counts anew; then nothing is known of what was before.
func (n *numbers) place(p *Packet) (number uint64, restarted bool) {
	number = n.unwrapper.Unwrap(p.Seq)
	switch {
	case n.first == 0:
		n.first = number
		n.advance(number, p.Arrival)
	case number > n.highest:
		n.run = 0
		n.advance(number, p.Arrival)
	case p.Retransmitted: // what was asked for comes in sequence, and perhaps late
	case !n.tooOld(number, p.Arrival):
		n.run = 0
	case n.startsAnew(p.Seq):
		*n = numbers{}
		number, _ = n.place(p)
		return number, true
	}
	return number, false
}

// near returns the extended number of a packet without learning anything from it.
func (n *numbers) near(seq uint16) uint64 { return n.unwrapper.Near(seq) }

// advance notes the highest number so far, which came at an instant.
func (n *numbers) advance(number uint64, at time.Duration) {
	n.highest = number
	if n.n == 0 || at-n.marks[(n.n-1)%maxMarks].at >= markInterval {
		n.marks[n.n%maxMarks] = numberMark{number, at}
		n.n++
	}
}

// tooOld reports whether a packet that comes at an instant is older than any that comes
// late: it is from before the first one, or those next to it came long ago.
func (n *numbers) tooOld(number uint64, at time.Duration) bool {
	if number < n.first || number+maxBehind <= n.highest {
		return true
	}
	for _, m := range n.marks[:min(n.n, maxMarks)] {
		if number <= m.number && at-m.at > maxAge {
			return true
		}
	}
	return false
}

// startsAnew counts a packet that is too old, and reports whether it is the last one of
// a run that shows a restart.
func (n *numbers) startsAnew(seq uint16) bool {
	if seq != n.next {
		n.run = 0
	}
	n.next = seq + 1
	n.run++
	return n.run == restartRun
}
