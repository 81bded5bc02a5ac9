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
	// longer is not kept whole: who joins waits for the next keyframe.
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

// ring holds the newest units of a feed, for any number of readers at their own
// pace.
type ring struct {
	// guarded by mu
	mu      sync.Mutex
	init    []byte // nil before the first keyframe
	mime    string
	codec   media.Codec
	fmp4    bool   // it is fragmented MP4, else WebM
	alone   bool   // the picture is still missing
	begun   uint64 // how many headers there have been
	units   []entry
	tail    uint64 // number of units[0]; units are numbered from 0 on
	total   int64  // bytes of all units so far
	key     uint64 // number of the newest unit where a player can start
	hasKey  bool
	away    bool
	ended   bool
	refused media.Codec   // that no player takes here; 0: none
	changed chan struct{} // closed and replaced at each change
}

type entry struct {
	unit
	before int64 // bytes of all units before it
}

// unit is a piece of a feed.
type unit struct {
	webm.Unit
	fragment *mp4.Fragment // nil in a feed of WebM
}

// ofFragment makes a unit of a fragment.
func ofFragment(f mp4.Fragment) unit {
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

// tell wakes all readers. Called with mu held.
func (r *ring) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// header is what precedes the units of a feed.
type header struct {
	init  []byte
	mime  string
	codec media.Codec // of the picture, or of the sound
	fmp4  bool        // fragmented MP4, else WebM
	alone bool        // there is a picture to come, with a header of its own
}

// begin says what the header of the units to come is. Those that are there belong
// to another one: nobody gets them any more.
func (r *ring) begin(h header) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.init, r.mime, r.alone, r.codec, r.fmp4 = h.init, h.mime, h.alone, h.codec, h.fmp4
	r.begun++
	r.tail, r.units, r.hasKey = r.head(), nil, false
	r.tell()
}

// refuse says that no player can take a stream with this codec.
func (r *ring) refuse(c media.Codec) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.refused != c {
		r.refused = c
		r.tell()
	}
}

// startable reports whether a player could start now.
func (r *ring) startable() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.hasKey
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
func (r *ring) append(units []unit) bool {
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
	picture bool   // set once: sound alone is of no use
	takes   takes  // set once: which containers
	begun   uint64 // the header that it goes with, counted from 1
	started bool
	next    uint64 // number of the unit to be sent next
	from    uint64 // if not started: no unit before it will do
	burst   uint64 // units before it were there at the start, and are no lag
	cuts    int    // how often units were left out

	asks    bool          // its publisher answers requests for a keyframe
	asked   bool          // one was asked for at the start
	askedAt time.Duration // where the stream was then
}

// takes is what a viewer's SourceBuffer takes. The zero value is WebM, for who says
// nothing.
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
	refused media.Codec
	ended   bool            // and nothing is left
	changed <-chan struct{} // closed when it is worth to look again
}

// take returns the unit that is next for a viewer, and moves on. A viewer that is
// too far behind goes on at the newest keyframe, or the next one to come.
func (r *ring) take(p *position) taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alone && p.picture {
		return taken{away: r.away, ended: r.ended, changed: r.changed}
	}
	if r.init != nil && (r.fmp4 && !p.takes.fmp4 || !r.fmp4 && p.takes.noWebM) {
		return taken{refused: r.codec, changed: r.changed}
	}
	t := taken{init: r.init, mime: r.mime, away: r.away, refused: r.refused, changed: r.changed}
	if len(r.units) > 0 {
		t.newest = r.units[len(r.units)-1].Time
	}
	if p.begun != r.begun {
		*p = position{picture: p.picture, takes: p.takes, asks: p.asks, begun: r.begun, cuts: p.cuts}
		t.begins = true
	}
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
		if r.hasKey && r.waits(p) {
			t.request = !p.asked
			p.asked = true
			return t
		}
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
	t.unit, t.some = r.units[p.next-r.tail].unit, true
	p.next++
	return t
}

// waits reports whether a viewer that has just come does better to wait for a new
// keyframe. Called with mu held.
func (r *ring) waits(p *position) bool {
	if !p.asks || p.cuts > 0 || r.away || r.ended {
		return false
	}
	newest := r.units[len(r.units)-1].End
	if !p.asked {
		p.askedAt = newest
	}
	return newest-r.units[r.key-r.tail].Time > oldKey && newest-p.askedAt < newKeyWait
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
