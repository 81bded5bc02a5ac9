package webm

import (
	"fmt"
	"math"
	"time"
)

// A plan is what has to be done to a file in place, in this order; repair.go says
// why in this one.
type plan struct {
	cut     bool    // remove what is behind survey.end
	walk    bool    // go through the Clusters again: see mender
	patches []patch // of the header; some Cues may be behind the end

	indexed bool     // it has an index that leads where it should
	told    bool     // it has a Duration that is right
	rewrite bool     // it cannot be done in place
	faults  []string // what is wrong, for people
}

func (p *plan) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// clean says that nothing has to be done.
func (p *plan) clean() bool {
	return !p.cut && !p.walk && !p.rewrite && len(p.patches) == 0
}

// plan makes the plan for a file that was surveyed. An error wraps ErrRead.
func (w *walker) plan(s *survey) (*plan, error) {
	p := &plan{}
	if p.cut = s.cut() > 0; p.cut {
		p.fault("the last %d bytes are no whole block", s.cut())
	}
	if n := int64(len(s.damages)) + s.more; n > 0 {
		p.fault("%d pieces with %d bytes cannot be read; the first: %v", n, s.lost, s.damages[0])
	}
	if s.gap {
		p.rewrite = true
	}
	if s.unsized > 0 {
		p.fault("%d Clusters have an unknown or wrong size", s.unsized)
	}
	p.walk = p.cut || s.unsized+s.unusable+s.gaps > 0
	for _, at := range s.silent() {
		p.fault("a track is declared that has no frame")
		p.patches = append(p.patches, patch{at, []byte{byte(voidID)}})
	}
	end, err := w.planIndex(s, p)
	if err != nil {
		return nil, err
	}
	if s.head.claimed != end {
		if c := widthPatch(s.head.sizeAt, s.head.sizeBytes, s.head.claimed < 0, end-s.head.segment); c != nil {
			p.fault("the size of the Segment is unknown or wrong")
			// Ahead of the SeekHead, which says that all is done.
			p.patches = append(p.patches, *c)
		}
	}
	s.planDuration(p)
	return p, w.planSeekHead(s, p)
}

// durationSlack is how far a Duration may be from what was found. Programs differ
// in whether the last frame has a duration, and in what it is.
const durationSlack = time.Second

// planDuration sees to the Duration (RFC 9559 section 5.1.2.10). When it is about
// to be replaced it says nothing, first; then what it says, and last that it does,
// so that a write that is cut short leaves none that looks right but is not.
func (s *survey) planDuration(p *plan) {
	if s.duration() == 0 { // a Duration is more than zero
		return
	}
	d, have := s.head.duration, s.head.length()
	if have > 0 && have >= s.lastTime()-durationSlack && have <= s.duration()+durationSlack {
		p.told = true
		return
	}
	switch {
	case d.bytes == 0:
		p.fault("there is no duration")
	default:
		p.fault("the duration is given as %v, but the frames end at %v", have, s.duration())
	}
	if d.at == 0 {
		p.rewrite = true
		return
	}
	if d.crc > 0 { // it would not match
		p.patches = append(p.patches, patch{d.crc, []byte{byte(voidID)}})
	}
	ticks := float64(s.duration()) / float64(s.head.tick)
	if d.bytes > 0 {
		at := d.at + 3
		b := appendDuration(nil, ticks)[3:]
		if d.bytes == 4 {
			n := math.Float32bits(float32(ticks))
			b = []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		}
		// With a first byte of zero it is next to nothing.
		p.patches = append(p.patches, patch{at, []byte{0}}, patch{at + 1, b[1:]}, patch{at, b[:1]})
		return
	}
	b := appendDuration(nil, ticks)
	if free := d.void - len(b); free > 0 {
		b = appendVoid(b, free)
	}
	p.patches = append(p.patches, patch{d.at + 2, b[2:]}, patch{d.at, b[:2]})
}
