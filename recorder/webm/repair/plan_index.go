package repair

import (
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/walk"
)

// span is a piece of a file that can be used anew: Voids, damages, and what is to
// be replaced.
type span struct {
	at, end int64
	head    int // length of its head, if it is one Void; else 0
}

func (s span) room() int { return int(min(s.end-s.at, layout.MaxReserve)) }

// spans returns the pieces of tops that free allows to be used.
func spans(tops []top, free func(top) bool) []span {
	var out []span
	for _, t := range tops {
		if !free(t) {
			continue
		}
		if n := len(out); n > 0 && out[n-1].end == t.at {
			out[n-1].end = t.end
			out[n-1].head = 0
			continue
		}
		s := span{t.at, t.end, 0}
		if t.id == ebml.VoidID {
			s.head = int(t.data - t.at)
		}
		out = append(out, s)
	}
	return out
}

// indexPlan is what planIndex found and planSeekHead needs.
type indexPlan struct {
	cues int64 // where the Cues are or will be; 0 if nowhere
	seek span  // where a SeekHead is or can be; without room if nowhere
}

// planIndex sees to the Cues: those that are there, if they lead where they
// should, or else new ones in the largest room ahead of the Clusters, or at the
// end. It returns the end of the file with them.
func planIndex(w *walk.Walker, s *survey, p *plan) (end int64, err error) {
	useless, err := findCues(w, s)
	if err != nil {
		return 0, err
	}
	isFree := func(t top) bool {
		return t.id == ebml.VoidID || t.id == ebml.CuesID && t.at != s.seek.cues
	}
	s.seek.seek = s.seekSpan(isFree)
	if len(useless) > 0 {
		p.fault("there are Cues that do not lead to Clusters, or not to the last ones")
	}
	if s.seek.cues > 0 || len(s.index.Cues()) == 0 {
		p.indexed = true
		p.void(useless, span{})
		return s.end, nil
	}
	p.fault("there is no index")
	return planCues(s, p, useless, isFree)
}

// findCues notes the Cues that lead where they should, and returns the others.
func findCues(w *walk.Walker, s *survey) (useless []top, err error) {
	for _, t := range s.tops {
		if t.id != ebml.CuesID {
			continue
		}
		ok := false
		if s.seek.cues == 0 {
			if ok, err = leads(w, t, s); err != nil {
				return nil, err
			}
		}
		if ok {
			s.seek.cues = t.at
		} else {
			useless = append(useless, t)
		}
	}
	return useless, nil
}

// planCues puts new Cues into the largest room that is free, or to the end if none is
// large enough. It returns the end of the file with them.
func planCues(s *survey, p *plan, useless []top, isFree func(top) bool) (end int64, err error) {
	var largest span
	for _, f := range spans(s.ahead(), isFree) {
		used := f.at < s.seek.seek.end && s.seek.seek.at < f.end
		if !used && f.end-f.at > largest.end-largest.at {
			largest = f
		}
	}
	cues := s.index.Cues()
	front := layout.Thin(cues, max(0, largest.room()-layout.CuesHead)/entryBytes(&s.head))
	if len(front) == 0 {
		p.void(useless, span{})
		b, err := layout.RenderCues(cues)
		s.seek.cues = s.end
		p.patches = append(p.patches, layout.Patch{At: s.end, Data: b})
		return s.end + int64(len(b)), err
	}
	p.void(useless, largest)
	b, err := layout.RenderCues(front)
	if err != nil {
		return 0, err
	}
	s.seek.cues = largest.at
	p.replace(largest, ebml.Fill(ebml.CuesID, layout.CuesHead-ebml.CuesID.Width(), b[layout.CuesHead:], largest.room()), layout.CuesHead)
	return s.end, nil
}

// void makes a Void of each top that is not in a span that is filled anyway.
func (p *plan) void(tops []top, but span) {
	for _, t := range tops {
		if t.at < but.at || t.at >= but.end {
			p.patches = append(p.patches, layout.Patch{At: t.at, Data: ebml.AppendVoidHead(nil, t.end-t.at)})
		}
	}
}

// replace puts b, which begins with the head of an element, into a span. The span
// becomes one Void; then what that covers is written; then the head, which is so
// short that it is written wholly or not at all. If it is not, there are zeros
// behind it, and what begins there is no element, or no good one.
func (p *plan) replace(to span, b []byte, head int) {
	void := ebml.AppendVoidHead(nil, to.end-to.at)
	if to.head != len(void) {
		p.patches = append(p.patches, layout.Patch{At: to.at, Data: void})
	}
	rest := append(make([]byte, max(0, head-len(void))), b[max(head, len(void)):]...)
	p.patches = append(p.patches,
		layout.Patch{At: to.at + int64(len(void)), Data: rest},
		layout.Patch{At: to.at, Data: b[:max(head, len(void))]})
}

// ahead returns the children of the Segment that lie ahead of the Clusters.
func (s *survey) ahead() []top {
	for i, t := range s.tops {
		if s.first > 0 && t.at > s.first {
			return s.tops[:i]
		}
	}
	return s.tops
}

// seekSpan returns where a SeekHead can be written: where there is one, with the
// Voids behind it, or else in the smallest room ahead of the Clusters that is
// large enough.
func (s *survey) seekSpan(isFree func(top) bool) span {
	tops := s.ahead()
	for i, t := range tops {
		if t.id != ebml.SeekHeadID {
			continue
		}
		return spans(tops[i:], func(u top) bool { return u == t || isFree(u) })[0]
	}
	var best span
	for _, f := range spans(tops, isFree) {
		if f.end-f.at >= layout.SeekHeadBytes && (best.end == 0 || f.end-f.at < best.end-best.at) {
			best = f
		}
	}
	return best
}

// planSeekHead sees to the SeekHead (RFC 9559 section 5.1.1). A file needs one that is
// right or none, and one if Cues are behind the Clusters, since no player looks there
// unasked.
func planSeekHead(w *walk.Walker, s *survey, p *plan) error {
	var have *top
	for i := range s.tops {
		if s.tops[i].id == ebml.SeekHeadID {
			have = &s.tops[i]
			break
		}
	}
	behind := s.seek.cues > s.first && s.first > 0
	switch {
	case have != nil:
		if ok, err := pointsRight(w, *have, s); ok || err != nil {
			return err
		}
	case !behind && !s.head.Own:
		return nil
	}
	room := s.seek.seek.room()
	b, err := seekHead(w, s, room)
	if err != nil {
		return err
	}
	fits := len(b) > 0 && len(b) == room
	switch {
	case have != nil:
		p.fault("the SeekHead does not lead where it should")
	case fits, behind:
		p.fault("there is no SeekHead")
	}
	if !fits {
		p.rewrite = p.rewrite || have != nil || behind
		return nil
	}
	p.replace(s.seek.seek, b, ebml.SeekHeadID.Width()+1)
	return nil
}

// seekHead returns a SeekHead of as many bytes as there are, or nil if it does not
// fit. If not all entries fit, it has that for Cues.
func seekHead(w *walk.Walker, s *survey, room int) ([]byte, error) {
	var all, least []layout.Seek
	to := func(id ebml.ElementID, at int64) layout.Seek { return layout.SeekTo(id, at-s.head.Segment) }
	if s.head.InfoPart.End > 0 {
		all = append(all, to(ebml.InfoID, s.head.InfoPart.At))
	}
	all = append(all, to(ebml.TracksID, s.head.TracksPart.At))
	if s.seek.cues > 0 {
		least = append(least, to(ebml.CuesID, s.seek.cues))
		all = append(all, least...)
	}
	for _, t := range s.tops {
		if named(t.id) && len(all) < 8 {
			all = append(all, to(t.id, t.at))
		}
	}
	for _, entries := range [][]layout.Seek{all, least} {
		b, err := layout.RenderSeekHead(entries, room)
		if err != nil || len(b) <= room && len(entries) > 0 {
			return b, err
		}
	}
	return nil, nil
}

// named reports whether a SeekHead names the element although weir does not need it.
func named(id ebml.ElementID) bool {
	return id == ebml.TagsID || id == ebml.ChaptersID || id == ebml.AttachmentsID
}

// entryBytes returns how long an entry of a file's index can be.
func entryBytes(h *walk.Header) int {
	for i := range h.Tracks {
		if h.Tracks[i].Number > 0xFF {
			return layout.CueBytes + 7
		}
	}
	return layout.CueBytes
}
