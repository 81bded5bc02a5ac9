package peer

import (
	"cmp"
	"slices"
	"time"

	"github.com/pion/rtcp"

	"weir/sfu/media"
)

const (
	// How long a lost packet is of use, and waited for, lies within these bounds:
	// two tries to have it sent again, and something for the network's moods. At
	// first, while nobody knows how far away the client is, it is the longest.
	minNackWindow = 200 * time.Millisecond
	maxNackWindow = time.Second
	nackMoods     = 100 * time.Millisecond
	// nackTick is how often it is looked whether something is to be asked for
	// again.
	nackTick = 10 * time.Millisecond
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
	seq       media.Unwrapper[uint16]
	highest   uint64    // 0: nothing came yet
	missing   []missing // in the order of seq
	roundTrip time.Duration
	slowest   time.Duration // that a packet took lately to come again; 0: none did so far
	behind    uint16        // the number that would continue a run of unexpected old ones
	run       int           // how many came in sequence
}

// missing is a packet that has not come.
type missing struct {
	seq   uint64
	since time.Duration // when it was found missing, and asked for
	next  time.Duration // when to ask for it again
}

func newLosses() *losses { return &losses{roundTrip: firstRoundTrip} }

// restart forgets everything: another RTP stream begins.
func (l *losses) restart() {
	l.seq, l.highest, l.missing = media.Unwrapper[uint16]{}, 0, l.missing[:0]
}

// received says that a packet has come at the time now. It returns what is to be
// asked for at once: the packets that it shows to be missing. again says that it
// was missing itself. In a retransmission stream nothing begins anew: what was asked
// for comes in sequence, and may come after it was given up. gaveUp says that too
// much is missing for anything to be asked for.
func (l *losses) received(seq uint16, retransmitted bool, now time.Duration) (ask []rtcp.NackPair, again, gaveUp bool) {
	at := l.seq.Unwrap(seq)
	switch {
	case l.highest == 0 || at == l.highest+1:
		l.highest, l.run = at, 0
		return nil, false, false
	case at <= l.highest:
		if l.recovered(at, now) {
			return nil, true, false
		}
		if !retransmitted && l.startedAnew(seq) {
			l.seq, l.missing = media.Unwrapper[uint16]{}, l.missing[:0]
			l.highest = l.seq.Unwrap(seq)
		}
		return nil, false, false
	}
	l.run = 0
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
// It returns false if the packet was not on the list.
func (l *losses) recovered(seq uint64, now time.Duration) bool {
	i, found := l.search(seq)
	if !found {
		return false // twice, or given up
	}
	took := now - l.missing[i].since
	if took < l.roundTrip {
		l.roundTrip = took
	} else {
		l.roundTrip += (took - l.roundTrip) / 16
	}
	if l.slowest -= l.slowest / 64; took > l.slowest {
		l.slowest = took
	}
	l.missing = slices.Delete(l.missing, i, i+1)
	return true
}

// search finds a packet on the list.
func (l *losses) search(seq uint64) (i int, found bool) {
	return slices.BinarySearchFunc(l.missing, seq, func(m missing, seq uint64) int { return cmp.Compare(m.seq, seq) })
}

// misses reports whether a packet is waited for.
func (l *losses) misses(seq uint16) bool {
	_, found := l.search(l.seq.Near(seq))
	return found
}

// window is how long a lost packet is waited for.
func (l *losses) window() time.Duration {
	if l.slowest == 0 {
		return maxNackWindow
	}
	return max(minNackWindow, min(maxNackWindow, 2*l.slowest+nackMoods))
}

// restartRun is how many old numbers in sequence, with nothing new in between,
// show that the publisher counts anew under the same SSRC.
const restartRun = 16

// startedAnew counts a packet that nobody waits for, and returns whether it is
// the last of a run that tells a restart.
func (l *losses) startedAnew(seq uint16) bool {
	if seq != l.behind {
		l.run = 0
	}
	l.behind = seq + 1
	l.run++
	return l.run >= restartRun
}

// waiting says that something is missing.
func (l *losses) waiting() bool {
	return len(l.missing) > 0
}

// repeat is the time from one request to the next.
func (l *losses) repeat() time.Duration {
	return max(minNackRepeat, min(maxNackRepeat, l.roundTrip+nackSlack))
}

// due returns what is to be asked for again at the time now, and forgets what is
// of no use any more; gaveUp says that something was.
func (l *losses) due(now time.Duration) (ask []rtcp.NackPair, gaveUp bool) {
	window := l.window()
	before := len(l.missing)
	l.missing = slices.DeleteFunc(l.missing, func(m missing) bool { return now-m.since > window })
	gaveUp = len(l.missing) < before
	var numbers []uint16
	for i := range l.missing {
		if m := &l.missing[i]; now >= m.next {
			m.next = now + l.repeat()
			numbers = append(numbers, uint16(m.seq))
		}
	}
	if numbers == nil {
		return nil, gaveUp
	}
	return rtcp.NackPairsFromSequenceNumbers(numbers), gaveUp
}
