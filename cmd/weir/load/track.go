package load

import "weir/sfu/media"

// recall is how far back a track knows which packets have come: 6 s of 320 packets a
// second. A packet that comes later counts as lost.
const recall = 2048

// track counts the packets of one SSRC of one viewer.
type track struct {
	ssrc uint32
	kind media.Kind

	highest int64 // extended sequence number; the rollover counter is highest>>16
	seen    [recall / 64]uint64

	whole, window span
	measured      int64 // packets whose publisher's number is in the measurement
	duplicates    int64

	reported span // as it stood at the last receiver report
}

// span counts the packets from one sequence number to another, both included.
type span struct {
	from, to int64 // extended sequence numbers
	received int64 // each counted once
	first    point // of the stamps that were read
	last     point
	open     bool
}

// point is a packet's number at the server and at the publisher.
type point struct {
	seq    int64
	number uint32
	ok     bool
}

// newTrack returns a track that begins with a packet. A server's rollover
// counter starts at 0 with the keys (RFC 3711 section 3.3.1).
func newTrack(ssrc uint32, kind media.Kind, first uint16, windowOpen bool) *track {
	t := &track{ssrc: ssrc, kind: kind, highest: int64(first) - 1}
	t.whole = span{from: int64(first), open: true}
	t.window = span{from: int64(first), open: windowOpen}
	return t
}

// countPacket counts a packet. It returns its extended sequence number, and false if it
// is one that had come already or that lies before the first.
func (t *track) countPacket(seq uint16) (ext int64, fresh bool) {
	ext = t.highest + int64(int16(seq-uint16(t.highest)))
	if ext < t.whole.from || ext <= t.highest-recall {
		t.duplicates++
		return ext, false
	}
	if ext > t.highest {
		t.forget(t.highest+1, ext)
		t.highest = ext
	}
	word, bit := &t.seen[ext%recall/64], uint64(1)<<(ext%64)
	if *word&bit != 0 {
		t.duplicates++
		return ext, false
	}
	*word |= bit
	t.whole.count(ext)
	t.window.count(ext)
	return ext, true
}

// forget clears the places of the numbers from, ..., to.
func (t *track) forget(from, to int64) {
	for n := max(from, to-recall+1); n <= to; n++ {
		t.seen[n%recall/64] &^= 1 << (n % 64)
	}
}

// stamped notes the publisher's number of a packet.
func (t *track) stamped(ext int64, number uint32) {
	t.whole.note(ext, number)
	t.window.note(ext, number)
}

// following returns the publisher's number of a packet that has no stamp, if it is the
// next one behind a packet whose number is known.
func (t *track) following(ext int64) (number uint32, ok bool) {
	last := t.whole.last
	return last.number + 1, last.ok && ext == last.seq+1
}

// openWindow begins to count anew, with the next packet.
func (t *track) openWindow() { t.window = span{from: t.highest + 1, open: true} }

// closeWindow ends the window with the newest packet. Older ones that are under way
// still count.
func (t *track) closeWindow() {
	if t.window.open {
		t.window.to, t.window.open = t.highest, false
	}
}

func (s *span) holds(ext int64) bool { return ext >= s.from && (s.open || ext <= s.to) }

func (s *span) count(ext int64) {
	if s.holds(ext) {
		s.received++
	}
}

func (s *span) note(ext int64, number uint32) {
	if !s.holds(ext) {
		return
	}
	if p := (point{ext, number, true}); !s.first.ok {
		s.first, s.last = p, p
	} else if ext > s.last.seq {
		s.last = p
	}
}

// expected is how many packets there are from the first to the newest.
func (s span) expected(highest int64) int64 {
	if !s.open {
		highest = s.to
	}
	return max(0, highest-s.from+1)
}

// skipped is how many packets the server did not send and left no gap for: the
// publisher's numbers advanced by more than the server's.
func (s span) skipped() int64 {
	return max(0, int64(s.last.number-s.first.number)-(s.last.seq-s.first.seq))
}
