package simulcast

import (
	"time"

	"weir/sfu/media"
)

const (
	// startWait is for how long the beginning waits for larger encodings: those that
	// begin together come one after the other.
	startWait = 150 * time.Millisecond
	// holdLimit and holdPackets are how much is kept back of the encoding that is to
	// take over, until the other one has ended its picture.
	holdLimit   = 50 * time.Millisecond
	holdPackets = 512
	// settle is how long the first keyframe of an encoding may take, lost packets and
	// all, before one is asked for, and askAgain the time from one request to the next.
	settle   = 200 * time.Millisecond
	askAgain = time.Second
	// manyTries requests without an answer show that the encoder does not heed them:
	// from then on it is asked as many times more seldom.
	manyTries = 10
	// dwell is the least time between two changes for the sake of the bit rate alone.
	dwell = 5 * time.Second
	// minStep is the least time from the last picture of one encoding to the first one
	// of the next: files tell whole milliseconds.
	minStep = time.Millisecond
)

// EncodingPacket is one packet of an encoding, with the extended number and time of its
// RTP stream; as it is passed on, with those of the joined stream.
type EncodingPacket struct {
	media.Packet
	// Repeat reports whether it came in a retransmission stream: it may have been sent
	// long ago.
	Repeat        bool
	Width, Height int // of the picture, if Sync and if it is told
}

// Group is the encodings of one picture. It is not safe for concurrent use.
type Group struct {
	codec     media.Codec
	emit      func(EncodingPacket)
	encodings []encoding

	current int           // that is passed on; -1: none was so far
	began   time.Duration // when the first packet came
	changed time.Duration // when the current one took over

	// of what was passed on
	next   uint64        // number that follows
	newest uint64        // highest time
	last   time.Duration // when that was captured, on its encoding's clock
	from   origin        // of that clock, once it is another one
	open   bool          // a picture has begun, and has not ended

	cut    bool // another RTP stream of the current one begins with its next packet
	broken bool // and it has had no keyframe yet
}

// New returns the group of n encodings of a codec. emit gets the packets that are
// passed on, with the numbers and times of the joined stream.
func New(c media.Codec, n int, emit func(EncodingPacket)) *Group {
	return &Group{codec: c, emit: emit, encodings: make([]encoding, n), current: -1}
}

// Current returns which encoding is passed on, or -1 before there is one.
func (g *Group) Current() int { return g.current }

// Best returns the best encoding that is being sent, or -1 if none is.
func (g *Group) Best() int {
	best := -1
	for i := range g.encodings {
		if e := &g.encodings[i]; e.begun && !e.stopped && (best < 0 || e.outranks(&g.encodings[best], 0)) {
			best = i
		}
	}
	return best
}

// Asked returns which encoding is to be asked for a keyframe if one is wanted of what
// is passed on, or -1 if nothing has come.
func (g *Group) Asked() int {
	if g.current >= 0 && !g.encodings[g.current].stopped {
		return g.current
	}
	if best := g.Best(); best >= 0 {
		return best
	}
	return g.current
}

// Restart has the next packet of encoding i begin another RTP stream.
func (g *Group) Restart(i int) {
	e := &g.encodings[i]
	e.release()
	if i == g.current && !g.cut {
		g.from = e.origin
		g.cut, g.broken = true, true
	}
	e.origin, e.stamp, e.lost, e.segment = origin{}, 0, 0, segment{}
}

// Report takes in a sender report of encoding i (RFC 3550 section 6.4.1): the time of
// its RTP stream, extended, is the instant at on the clock of all calls. It returns the
// time in the joined stream, and whether the report is of what is passed on.
func (g *Group) Report(i int, time uint64, at time.Duration) (joined uint64, ok bool) {
	e := &g.encodings[i]
	if !e.begun {
		return 0, false
	}
	e.origin.tell(g.codec.Duration(int64(time)), at)
	return time + e.segment.time, i == g.current && !g.cut
}

// Add takes in a packet of encoding i. It returns which encoding is to be asked for a
// keyframe, or -1.
func (g *Group) Add(i int, p EncodingPacket) (ask int) {
	e := &g.encodings[i]
	some := len(p.Payload) > 0
	if some {
		if !p.Repeat {
			e.origin.arrive(g.captured(&p), p.Arrival)
		}
		e.note(&p)
		if g.began == 0 {
			g.began = max(1, p.Arrival)
		}
	}
	switch {
	case i == g.current:
		g.pass(e, p)
	case e.segment.known && p.Seq <= e.segment.last:
		if p.Seq >= e.segment.first {
			g.write(e, p) // it was missing when another one took over
		}
	case some && g.wants(e, p.Arrival):
		e.keep(p)
	default:
		e.drop(&p)
	}
	return g.Tick(p.Arrival)
}

// Tick does what is due at the time now, which is to be done from time to time though
// no packets come. It returns what Add does.
func (g *Group) Tick(now time.Duration) (ask int) {
	for i := range g.encodings {
		if e := &g.encodings[i]; e.begun && !e.stopped && now-e.last >= e.silence() && g.overtaken(i) {
			e.stop(now)
		}
	}
	if to := g.due(now); to >= 0 {
		g.turn(to, now)
	}
	return g.request(now)
}

// overtaken reports whether others have had frames since the last one of encoding i.
func (g *Group) overtaken(i int) bool {
	for j := range g.encodings {
		if oldest := g.encodings[j].frames[silentFrames-1]; j != i && oldest > g.encodings[i].last {
			return true
		}
	}
	return false
}

// wants reports whether an encoding is to take over from the current one.
func (g *Group) wants(e *encoding, now time.Duration) bool {
	if e.stopped || !e.begun {
		return false
	}
	if g.current < 0 || g.encodings[g.current].stopped {
		return true
	}
	c := &g.encodings[g.current]
	if now < e.wanted {
		return false
	}
	if !e.keyed {
		return true // its size is still to be seen
	}
	if !e.outranks(c, clearly) {
		return false
	}
	bySize := e.width*e.height > c.width*c.height && c.width > 0
	return bySize || c.rate > 0 && now-g.changed >= dwell
}

// due returns the encoding that takes over now, or -1.
func (g *Group) due(now time.Duration) int {
	best, armed := -1, 0
	for i := range g.encodings {
		e := &g.encodings[i]
		if !e.armed {
			continue
		}
		if !g.wants(e, now) {
			e.release() // its keyframe has told that it is smaller
			continue
		}
		if armed++; best < 0 || e.outranks(&g.encodings[best], 0) {
			best = i
		}
	}
	if best < 0 {
		return -1
	}
	e := &g.encodings[best]
	switch {
	case g.current < 0:
		if now-g.began < startWait && armed < len(g.encodings) {
			return -1
		}
	case g.encodings[g.current].stopped:
	case g.open && now-e.armedAt < holdLimit && len(e.held) < holdPackets:
		return -1
	}
	return best
}

// turn has an encoding take over with what is kept back of it.
func (g *Group) turn(to int, now time.Duration) {
	e := &g.encodings[to]
	if g.current >= 0 && !g.cut {
		g.from = g.encodings[g.current].origin
	}
	g.join(e, &e.held[0])
	g.current, g.changed = to, now
	g.cut, g.broken = false, false
	for _, p := range e.held {
		g.write(e, p)
	}
	e.release()
	for i := range g.encodings {
		if other := &g.encodings[i]; !g.wants(other, now) {
			other.release()
		}
	}
}

// join begins a segment of the joined stream with a packet: one number is left out if
// the picture before has not ended, and the time goes on by that between the two
// pictures.
func (g *Group) join(e *encoding, first *EncodingPacket) {
	e.segment = segment{known: true, first: first.Seq, last: first.Seq}
	if g.newest == 0 {
		g.next = first.Seq
		return
	}
	if g.open {
		g.next++
	}
	step := g.captured(first) - g.last + e.origin.apart(&g.from)
	at := g.newest + uint64(g.codec.Ticks(max(minStep, step)))
	e.segment.seq, e.segment.time = g.next-first.Seq, at-first.Time
}

// pass passes on a packet of the current encoding.
func (g *Group) pass(e *encoding, p EncodingPacket) {
	if !g.cut && p.Seq < e.segment.first {
		return
	}
	if g.cut {
		if len(p.Payload) == 0 {
			return
		}
		g.open, g.cut = true, false
		g.join(e, &p)
	}
	g.broken = g.broken && !p.Sync
	g.write(e, p)
}

// write passes on a packet of a segment.
func (g *Group) write(e *encoding, p EncodingPacket) {
	e.segment.last = max(e.segment.last, p.Seq)
	seq, at := p.Seq+e.segment.seq, p.Time+e.segment.time
	if seq >= g.next {
		g.next = seq + 1
		if len(p.Payload) > 0 {
			g.open = !p.Marker
		}
	}
	if len(p.Payload) > 0 && at > g.newest {
		g.newest, g.last = at, g.captured(&p)
	}
	p.Seq, p.Time = seq, at
	g.emit(p)
}

// request returns the encoding that is to be asked for a keyframe now, or -1.
func (g *Group) request(now time.Duration) int {
	ask := -1
	if g.broken {
		ask = g.current
	}
	for i := range g.encodings {
		e := &g.encodings[i]
		if i == g.current || e.armed || !g.wants(e, now) || now-e.since < settle {
			continue
		}
		if ask < 0 || e.outranks(&g.encodings[ask], 0) {
			ask = i
		}
	}
	if ask < 0 || !g.encodings[ask].mayAsk(now) {
		return -1
	}
	return ask
}
