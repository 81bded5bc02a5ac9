package interleave

import (
	"time"

	"weir/sfu/pace"
)

// How long a frame waits for an earlier one of another track.
const (
	// HoldSilent is for a track of which nothing comes.
	HoldSilent = 150 * time.Millisecond
	// ActiveFor is for how long after its last frame a track counts as one that
	// something comes of. Opus sends something every 400 ms in silence (RFC 6716
	// section 2.1.9).
	ActiveFor = time.Second
	// HoldActive is for such a track: what follows a lost packet may come that much
	// later, because it was waited for, and silence that took its place could not be
	// taken back.
	HoldActive = 600 * time.Millisecond
	// HoldMost is for a track that always comes late.
	HoldMost = 1500 * time.Millisecond
)

// Patience is how long the frames of a stream wait for each track. It learns from when
// frames arrive, and belongs to one goroutine.
type Patience struct {
	tracks []arrivals
	begun  bool
	out    pace.Edge // of the frames whose turn has come the one with the highest PTS
}

// arrivals is what is known of one track.
type arrivals struct {
	last time.Duration // when its last frame came, or the first of any track
	late time.Duration // how long others should have waited for it, and a margin
}

// NewPatience returns a Patience with that many tracks.
func NewPatience(tracks int) *Patience { return &Patience{tracks: make([]arrivals, tracks)} }

// Arrived notes that a frame of a track came at the instant now.
func (p *Patience) Arrived(track int, pts, now time.Duration) {
	if !p.begun {
		p.begun = true
		for i := range p.tracks {
			p.tracks[i].last = now
		}
	}
	t := &p.tracks[track]
	if !t.active(now) {
		t.late = 0
	}
	if p.out.Known() && pts < p.out.PTS {
		t.late = max(t.late, min(p.out.Late(pts, now)+HoldSilent, HoldMost))
	}
	t.last = now
}

// Passed notes that the turn of a frame has come that had arrived at the instant at.
func (p *Patience) Passed(pts, at time.Duration) {
	if !p.out.Known() || pts > p.out.PTS {
		p.out.Advance(pts, at)
	}
}

// Hold returns how long a frame waits for one of the track at the instant now.
func (p *Patience) Hold(track int, now time.Duration) time.Duration {
	if t := &p.tracks[track]; t.active(now) {
		return max(HoldActive, t.late)
	}
	return HoldSilent
}

// Late reports whether the track always comes later than it is waited for.
func (p *Patience) Late(track int, now time.Duration) bool {
	t := &p.tracks[track]
	return t.late >= HoldMost && t.active(now)
}

// active reports whether something comes of the track.
func (t *arrivals) active(now time.Duration) bool { return now-t.last < ActiveFor }
