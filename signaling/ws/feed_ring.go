package ws

import (
	"slices"
	"sync"
	"time"

	"weir/recorder/webm"
)

const (
	// ringSpan and ringBytes bound what a feed keeps. A group of pictures that is
	// longer is not kept whole: who joins waits for the next keyframe.
	ringSpan  = 12 * time.Second
	ringBytes = 8 << 20
	// lagSpan and lagBytes are how far a viewer may be behind.
	lagSpan  = 2 * time.Second
	lagBytes = 1 << 20
)

// ring holds the newest units of a feed, for any number of readers at their own
// pace.
type ring struct {
	// guarded by mu
	mu      sync.Mutex
	init    []byte // nil before the first keyframe
	mime    string
	units   []entry
	tail    uint64 // number of units[0]; units are numbered from 0 on
	total   int64  // bytes of all units so far
	key     uint64 // number of the newest unit where a player can start
	hasKey  bool
	away    bool
	ended   bool
	changed chan struct{} // closed and replaced at each change
}

type entry struct {
	webm.Unit
	before int64 // bytes of all units before it
}

// tell wakes all readers. Called with mu held.
func (r *ring) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// begin says what the units' header is.
func (r *ring) begin(init []byte, mime string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.init, r.mime = init, mime
	r.tell()
}

// end says that nothing will follow.
func (r *ring) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	r.tell()
}

// setAway says whether the publisher sends nothing for now.
func (r *ring) setAway(away bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.away != away {
		r.away = away
		r.tell()
	}
}

// append adds units and lets go of what nobody needs: units before the newest
// keyframe that are older than a viewer may be behind. It returns false if no
// player could start at any unit.
func (r *ring) append(units []webm.Unit) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, u := range units {
		if u.Key {
			r.key, r.hasKey = r.head(), true
		}
		r.units = append(r.units, entry{u, r.total})
		r.total += int64(len(u.Blocks))
	}
	newest := r.units[len(r.units)-1].End
	drop := 0
	for i, u := range r.units {
		span, size := newest-u.Time, r.total-u.before
		old := r.tail+uint64(i) < r.key && (span > lagSpan || size > lagBytes)
		if !old && span <= ringSpan && size <= ringBytes {
			break
		}
		drop = i + 1
	}
	r.units = slices.Delete(r.units, 0, drop)
	r.tail += uint64(drop)
	r.hasKey = r.hasKey && r.key >= r.tail
	r.tell()
	return r.hasKey
}

// head is the number of the next unit to come. Called with mu held.
func (r *ring) head() uint64 { return r.tail + uint64(len(r.units)) }

// position is where a viewer is in a ring. The zero value is before its start.
type position struct {
	started bool
	next    uint64 // number of the unit to be sent next
	from    uint64 // if not started: no unit before it will do
	burst   uint64 // units before it were there at the start, and are no lag
	cuts    int    // how often units were left out
}

// taken is what a viewer has to do next.
type taken struct {
	init    []byte // not nil: the stream has begun
	mime    string
	unit    webm.Unit
	some    bool // there is a unit
	joins   bool // the unit does not follow the one before
	request bool // no player can start before the next keyframe
	away    bool
	ended   bool            // and nothing is left
	changed <-chan struct{} // closed when it is worth to look again
}

// take returns the unit that is next for a viewer, and moves on. A viewer that is
// too far behind goes on at the newest keyframe, or the next one to come.
func (r *ring) take(p *position) taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := taken{init: r.init, mime: r.mime, away: r.away, changed: r.changed}
	if p.started && r.behind(p) {
		p.started = false
		p.from = max(p.next+1, r.tail)
		p.cuts++
		if !r.hasKey || r.key < p.from {
			p.from = r.head()
			t.request = true
		}
	}
	if !p.started {
		if !r.hasKey || r.key < p.from {
			t.ended = r.ended
			return t
		}
		p.started, p.next, p.burst = true, r.key, r.head()
		t.joins = true
	}
	if p.next == r.head() {
		t.ended = r.ended
		return t
	}
	t.unit, t.some = r.units[p.next-r.tail].Unit, true
	p.next++
	return t
}

// behind reports whether a viewer is too far behind, not counting what there was
// when it started. Called with mu held.
func (r *ring) behind(p *position) bool {
	if p.next < r.tail {
		return true
	}
	first := max(p.next, p.burst)
	if first >= r.head() {
		return false
	}
	u := r.units[first-r.tail]
	return r.units[len(r.units)-1].End-u.Time > lagSpan || r.total-u.before > lagBytes
}
