package repair

import (
	"fmt"
	"math"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/walk"
)

// A plan is what has to be done to a file in place, in this order; doc.go says
// why in this one.
type plan struct {
	cut     bool           // remove what is behind survey.end
	walk    bool           // go through the Clusters again: see mender
	patches []layout.Patch // of the header; some Cues may be behind the end

	indexed bool     // it has an index that leads where it should
	told    bool     // it has a Duration that is right
	rewrite bool     // it cannot be done in place
	faults  []string // what is wrong, for people
}

func (p *plan) fault(format string, args ...any) {
	p.faults = append(p.faults, fmt.Sprintf(format, args...))
}

// clean reports whether nothing has to be done.
func (p *plan) clean() bool {
	return !p.cut && !p.walk && !p.rewrite && len(p.patches) == 0
}

// makePlan makes the plan for a file that was surveyed. An error wraps ErrRead.
func makePlan(w *walk.Walker, s *survey) (*plan, error) {
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
		p.patches = append(p.patches, layout.Patch{At: at, Data: []byte{byte(ebml.VoidID)}})
	}
	end, err := planIndex(w, s, p)
	if err != nil {
		return nil, err
	}
	if s.head.Claimed != end {
		if c := widthPatch(s.head.SizeAt, s.head.SizeBytes, s.head.Claimed < 0, end-s.head.Segment); c != nil {
			p.fault("the size of the Segment is unknown or wrong")
			// Ahead of the SeekHead, which tells that all is done.
			p.patches = append(p.patches, *c)
		}
	}
	s.planDuration(p)
	return p, planSeekHead(w, s, p)
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
	d, have := s.head.Duration, s.head.Length()
	if have > 0 && have >= s.lastTime()-durationSlack && have <= s.duration()+durationSlack {
		p.told = true
		return
	}
	switch {
	case d.Bytes == 0:
		p.fault("there is no duration")
	default:
		p.fault("the duration is given as %v, but the frames end at %v", have, s.duration())
	}
	if d.At == 0 {
		p.rewrite = true
		return
	}
	if d.CRC > 0 { // it would not match
		p.patches = append(p.patches, layout.Patch{At: d.CRC, Data: []byte{byte(ebml.VoidID)}})
	}
	ticks := float64(s.duration()) / float64(s.head.Tick)
	if d.Bytes > 0 {
		at := d.At + 3
		b := ebml.AppendDuration(nil, ticks)[3:]
		if d.Bytes == 4 {
			n := math.Float32bits(float32(ticks))
			b = []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
		}
		// With a first byte of zero it is next to nothing.
		p.patches = append(p.patches, layout.Patch{At: at, Data: []byte{0}}, layout.Patch{At: at + 1, Data: b[1:]}, layout.Patch{At: at, Data: b[:1]})
		return
	}
	b := ebml.AppendDuration(nil, ticks)
	if free := d.Void - len(b); free > 0 {
		b = ebml.AppendVoid(b, free)
	}
	p.patches = append(p.patches, layout.Patch{At: d.At + 2, Data: b[2:]}, layout.Patch{At: d.At, Data: b[:2]})
}
