package rtp

import (
	"cmp"
	"slices"
	"time"

	"github.com/pion/rtcp"
)

const (
	// How long a lost packet is of use, and waited for, lies within these bounds:
	// two tries to have it sent again, and a margin for jitter. At
	// first, while it is not known how far away the client is, it is the longest.
	minNackWindow = 200 * time.Millisecond
	maxNackWindow = time.Second
	jitterMargin  = 100 * time.Millisecond
	// The time from one request for a packet to the next is the round trip and
	// some time for the client to answer, within these bounds. Asking sooner has
	// the same packet sent twice, on a network that loses packets already.
	minNackRepeat = 20 * time.Millisecond
	maxNackRepeat = 150 * time.Millisecond
	nackSlack     = 10 * time.Millisecond
	// firstRoundTrip is what the round trip is taken for before it is known.
	firstRoundTrip = 40 * time.Millisecond
	// maxMissing bounds the packets that are asked for at a time: half a second
	// of a 10 Mbit/s stream. Beyond it a keyframe is the better repair.
	maxMissing = 512
)

// losses knows which packets of one RTP stream have not come and when to ask for
// them. Pion's generator does not know which packets came in a retransmission
// stream and would go on asking for them.
type losses struct {
	highest   uint64    // 0: nothing came yet
	missing   []missing // in the order of seq, with what was given up lately
	roundTrip time.Duration
	slowest   time.Duration // that a packet took lately to come again; 0: none did so far
}

// missing is a packet that has not come.
type missing struct {
	seq   uint64
	since time.Duration // when it was found missing, and asked for
	next  time.Duration // when to ask for it again
	// givenUp reports that it is not waited for any more. Should it come all the same, it
	// tells that the way has become longer than the window, which would stay too short
	// otherwise.
	givenUp bool
}

func newLosses() losses { return losses{roundTrip: firstRoundTrip} }

// restart forgets everything: another RTP stream begins.
func (l *losses) restart() {
	l.highest, l.missing = 0, l.missing[:0]
}

// received takes in the packet with an extended number, which came at the time now. It
// returns what is to be asked for at once: the packets that it shows to be missing. missed
// reports whether it was missing itself. gaveUp reports that too much is missing for
// anything to be asked for.
func (l *losses) received(at uint64, now time.Duration) (ask []rtcp.NackPair, missed, gaveUp bool) {
	switch {
	case l.highest == 0 || at == l.highest+1:
		l.highest = at
		return nil, false, false
	case at <= l.highest:
		return nil, l.recovered(at, now), false
	}
	from := l.highest + 1
	l.highest = at
	if at-from > maxMissing {
		l.missing = l.missing[:0] // not a loss that can be repaired
		return nil, false, true
	}
	if over := len(l.missing) + int(at-from) - maxMissing; over > 0 {
		l.missing = slices.Delete(l.missing, 0, over)
	}
	numbers := make([]uint16, 0, at-from)
	for lost := from; lost < at; lost++ {
		l.missing = append(l.missing, missing{seq: lost, since: now, next: now + l.repeat()})
		numbers = append(numbers, uint16(lost))
	}
	return rtcp.NackPairsFromSequenceNumbers(numbers), false, false
}

// recovered takes a packet off the list and learns how long that took. Of many
// packets some came after the first request, and the shortest time counts; it
// is forgotten slowly, since the way may have become longer.
// It returns false if the packet was not waited for.
func (l *losses) recovered(seq uint64, now time.Duration) bool {
	i, found := l.search(seq)
	if !found {
		return false // twice, or given up long ago
	}
	m := l.missing[i]
	l.missing = slices.Delete(l.missing, i, i+1)
	took := now - m.since
	if m.givenUp && took > maxNackWindow {
		return false
	}
	if took < l.roundTrip {
		l.roundTrip = took
	} else {
		l.roundTrip += (took - l.roundTrip) / 16
	}
	if l.slowest -= l.slowest / 64; took > l.slowest {
		l.slowest = took
	}
	return !m.givenUp
}

// search finds a packet on the list.
func (l *losses) search(seq uint64) (i int, found bool) {
	return slices.BinarySearchFunc(l.missing, seq, func(m missing, seq uint64) int { return cmp.Compare(m.seq, seq) })
}

// misses reports whether a packet is waited for.
func (l *losses) misses(seq uint64) bool {
	i, found := l.search(seq)
	return found && !l.missing[i].givenUp
}

// window is how long a lost packet is waited for.
func (l *losses) window() time.Duration {
	if l.slowest == 0 {
		return maxNackWindow
	}
	return max(minNackWindow, min(maxNackWindow, 2*l.slowest+jitterMargin))
}

// waiting reports whether something is missing.
func (l *losses) waiting() bool {
	return slices.ContainsFunc(l.missing, func(m missing) bool { return !m.givenUp })
}

// repeat is the time from one request to the next.
func (l *losses) repeat() time.Duration {
	return max(minNackRepeat, min(maxNackRepeat, l.roundTrip+nackSlack))
}

// due returns what is to be asked for again at the time now, and forgets what is
// of no use any more; gaveUp reports whether something was.
func (l *losses) due(now time.Duration) (ask []rtcp.NackPair, gaveUp bool) {
	window := l.window()
	l.missing = slices.DeleteFunc(l.missing, func(m missing) bool {
		old := now-m.since > maxNackWindow
		gaveUp = gaveUp || old && !m.givenUp
		return old
	})
	var numbers []uint16
	for i := range l.missing {
		switch m := &l.missing[i]; {
		case m.givenUp:
		case now-m.since > window:
			m.givenUp, gaveUp = true, true
		case now >= m.next:
			m.next = now + l.repeat()
			numbers = append(numbers, uint16(m.seq))
		}
	}
	if numbers == nil {
		return nil, gaveUp
	}
	return rtcp.NackPairsFromSequenceNumbers(numbers), gaveUp
}
