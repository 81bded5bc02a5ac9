package ws

import (
	"slices"
	"sync"
	"time"

	"weir/recorder/mp4"
	"weir/recorder/webm"
	"weir/sfu/media"
)

const (
	// ringSpan and ringBytes bound what a feed keeps. A group of pictures that is
	// longer is not kept whole: a joiner waits for the next keyframe.
	ringSpan  = 12 * time.Second
	ringBytes = 8 << 20
	// lagSpan and lagBytes are how far a viewer may be behind.
	lagSpan  = 2 * time.Second
	lagBytes = 1 << 20
	// oldKey is how old the newest keyframe may be for a viewer to start there
	// without asking for a new one: all that came since has to be sent and decoded
	// before there is anything live to see. It is the least time between two
	// requests to a publisher, so that a crowd that comes at once waits no longer
	// than each of them alone.
	oldKey = time.Second
	// newKeyWait is how long that viewer waits for it: some round trips, and no
	// longer than a publisher needs that answers at all.
	newKeyWait = 400 * time.Millisecond
)

// The lines of a feed.
const (
	mainLine      = iota // all that the broadcast has
	audioOnlyLine        // the sound alone, for viewers that cannot start on the main line
	lineCount
)

// ring holds the newest units of a feed, for any number of readers at their own
// pace.
type ring struct {
	// guarded by mu
	mu      sync.Mutex
	lines   [lineCount]line
	begun   uint64 // how many headers there have been
	away    bool
	paused  bool // the picture of the main line is
	ended   bool
	refused media.Codec   // that no player takes here; 0: none
	changed chan struct{} // closed and replaced at each change
}

// line is a header and the newest units that belong to it.
type line struct {
	header
	number uint64 // of the header, counted from 1; 0: the line has not begun
	units  []entry
	tail   uint64 // number of units[0]; units are numbered from 0 on
	total  int64  // bytes of all units so far
	key    uint64 // number of the newest unit where a player can start
	hasKey bool
}

type entry struct {
	unit
	before int64 // bytes of all units before it
}

// unit is a piece of a feed.
type unit struct {
	webm.Unit
	fragment *mp4.MovieFragment // nil in a feed of WebM
}

// ofFragment makes a unit of a fragment.
func ofFragment(f mp4.MovieFragment) unit {
	return unit{webm.Unit{Time: f.Time, End: f.End, Key: f.Key, Begins: true, Blocks: f.Data}, &f}
}

// appendHead appends what a viewer has to get ahead of u.Blocks: see
// webm.Unit.AppendHead.
func (u *unit) appendHead(b []byte, f webm.Framing, zero time.Duration, joins bool) []byte {
	if u.fragment != nil {
		return u.fragment.AppendHead(b, zero)
	}
	return u.AppendHead(b, f, zero, joins)
}

// wakeAll wakes all readers. Called with mu held.
func (r *ring) wakeAll() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// head is the number of the next unit to come.
func (l *line) head() uint64 { return l.tail + uint64(len(l.units)) }

// newest returns where the line's units end.
func (l *line) newest() time.Duration { return l.units[len(l.units)-1].End }

// header is what precedes the units of a feed.
type header struct {
	init  []byte
	mime  string
	codec media.Codec // of the picture, or of the sound
	fmp4  bool        // fragmented MP4, else WebM
}

// setHeader begins a line: h is the header of its units to come. Those that are there
// belong to another one: no viewer gets them any more.
func (r *ring) setHeader(line int, h header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	r.lines[line].clear()
	r.lines[line].header, r.lines[line].number = h, r.begun
	r.wakeAll()
}

// dropLine ends a line. Its viewers go over to the other one.
func (r *ring) dropLine(line int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines[line].clear()
	r.wakeAll()
}

// clear forgets the header and the units.
func (l *line) clear() {
	l.header, l.number = header{}, 0
	l.tail, l.units, l.hasKey = l.head(), nil, false
}

// refuse notes that no player can take a stream with this codec.
func (r *ring) refuse(c media.Codec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused != c {
		r.refused = c
		r.wakeAll()
	}
}

// startable reports whether a player could start on the main line now.
func (r *ring) startable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lines[mainLine].hasKey
}

// end notes that nothing will follow.
func (r *ring) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.wakeAll()
}

// setAway notes whether the publisher sends nothing for now.
func (r *ring) setAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away != away {
		r.away = away
		r.wakeAll()
	}
}

// setPaused notes whether the picture of the main line stands still.
func (r *ring) setPaused(paused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.paused != paused {
		r.paused = paused
		r.wakeAll()
	}
}

// append adds units to a line and lets go of what no viewer needs. It returns false if
// no player could start at any unit.
func (r *ring) append(line int, units []unit) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := &r.lines[line]
	for _, u := range units {
		if u.Key {
			l.key, l.hasKey = l.head(), true
		}
		l.units = append(l.units, entry{u, l.total})
		l.total += int64(len(u.Blocks))
	}
	l.trim()
	r.wakeAll()
	return l.hasKey
}

// trim lets go of units before the newest keyframe that are older than a viewer may be
// behind, and of what is too much.
func (l *line) trim() {
	newest := l.newest()
	drop := 0
	for i, u := range l.units {
		span, size := newest-u.Time, l.total-u.before
		old := l.tail+uint64(i) < l.key && (span > lagSpan || size > lagBytes)
		if !old && span <= ringSpan && size <= ringBytes {
			break
		}
		drop = i + 1
	}
	l.units = slices.Delete(l.units, 0, drop)
	l.tail += uint64(drop)
	l.hasKey = l.hasKey && l.key >= l.tail
}

// position is where a viewer is in a ring. The zero value is before its start.
type position struct {
	picture bool   // set once: the sound alone is of no use
	takes   takes  // set once: which containers
	begun   uint64 // the header that it goes with; 0: none
	started bool
	next    uint64 // number of the unit to be sent next
	from    uint64 // if not started: no unit before it will do
	burst   uint64 // units before it were there at the start, and are no lag
	cuts    int    // how often units were left out

	asks    bool          // its publisher answers requests for a keyframe
	asked   bool          // one was asked for at the start
	askedAt time.Duration // where the stream was then
}

// takes is what a viewer's SourceBuffer takes. The zero value is WebM, for a viewer
// that says nothing.
type takes struct{ fmp4, noWebM bool }

// taken is what a viewer has to do next.
type taken struct {
	init    []byte // not nil: the stream has begun
	begins  bool   // it is a new one, to be sent first
	mime    string
	unit    unit
	some    bool          // there is a unit
	joins   bool          // the unit does not follow the one before
	request bool          // no player can start before the next keyframe
	newest  time.Duration // where the stream is
	away    bool
	paused  bool // the picture is, which it has
	refused media.Codec
	ended   bool            // and nothing is left
	changed <-chan struct{} // closed when it is worth to look again
}

// next returns the unit that is next for a viewer, and moves on. A viewer that is
// too far behind goes on at the newest keyframe, or the next one to come.
func (r *ring) next(p *position) taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.line(p)
	t := taken{init: l.init, mime: l.mime, away: r.away, refused: r.refused, changed: r.changed}
	t.paused = r.paused && l == &r.lines[mainLine]
	if l.number == 0 {
		t.ended = r.ended
		return t
	}
	if l.fmp4 && !p.takes.fmp4 || !l.fmp4 && p.takes.noWebM {
		return taken{refused: l.codec, changed: r.changed}
	}
	if len(l.units) > 0 {
		t.newest = l.units[len(l.units)-1].Time
	}
	if p.begun != l.number {
		*p = position{picture: p.picture, takes: p.takes, asks: p.asks, begun: l.number, cuts: p.cuts}
		t.begins = true
	}
	if p.started && l.behind(p) {
		p.started = false
		p.from = max(p.next+1, l.tail)
		p.cuts++
		if !l.hasKey || l.key < p.from {
			p.from = l.head()
			t.request = true
		}
	}
	if !p.started {
		if l.hasKey && r.waits(l, p) {
			t.request = !p.asked
			p.asked = true
			return t
		}
		if !l.hasKey || l.key < p.from {
			t.ended = r.ended
			return t
		}
		p.started, p.next, p.burst = true, l.key, l.head()
		t.joins = true
	}
	if p.next == l.head() {
		t.ended = r.ended
		return t
	}
	t.unit, t.some = l.units[p.next-l.tail].unit, true
	p.next++
	return t
}

// line returns the line that a viewer goes with: the main one, unless it has yet to
// start there and cannot, and can beside. Called with mu held.
func (r *ring) line(p *position) *line {
	main, audioOnly := &r.lines[mainLine], &r.lines[audioOnlyLine]
	goesOn := p.started && main.number != 0 && p.begun == main.number
	if p.picture || main.hasKey || goesOn || audioOnly.number == 0 {
		return main
	}
	return audioOnly
}

// waits reports whether a viewer that has just come does better to wait for a new
// keyframe. Called with mu held.
func (r *ring) waits(l *line, p *position) bool {
	if !p.asks || p.cuts > 0 || r.away || r.ended {
		return false
	}
	newest := l.newest()
	if !p.asked {
		p.askedAt = newest
	}
	return newest-l.units[l.key-l.tail].Time > oldKey && newest-p.askedAt < newKeyWait
}

// behind reports whether a viewer is too far behind, not counting what there was
// when it started.
func (l *line) behind(p *position) bool {
	if p.next < l.tail {
		return true
	}
	first := max(p.next, p.burst)
	if first >= l.head() {
		return false
	}
	u := l.units[first-l.tail]
	return l.newest()-u.Time > lagSpan || l.total-u.before > lagBytes
}
