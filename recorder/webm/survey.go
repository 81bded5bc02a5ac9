package webm

import (
	"slices"
	"time"

	"weir/sfu/media"
)

// A survey is what one walk through a file tells: enough to say what is wrong
// with it and how it can be mended. It does not grow with the file.
type survey struct {
	head  fileHeader
	size  int64 // of the file
	end   int64 // what follows the last part that is whole and of use
	first int64 // the first Cluster; 0 if there is none

	tops     []top // children of the Segment but for Clusters
	tracks   []surveyed
	index    index
	clusters int64
	frames   int64 // that can be used, but filler
	unsized  int64 // Clusters with a size that is unknown or wrong and can be mended

	damages []Damage // the first maxDamages
	seek    indexPlan
	wrongs
	sure wrongs // what it was at end

	cluster part
	filled  bool // the Cluster has a block
}

// wrongs count what is wrong.
type wrongs struct {
	someTops, someDamages int // how many of the lists count

	more     int64 // damages that are not listed
	lost     int64 // bytes in all damages
	gaps     int64 // damages that a Void can cover
	gap      bool  // one is a single byte, which no Void can cover
	unusable int64 // blocks that shall become Voids
}

const (
	// maxDamages is how many damages are listed.
	maxDamages = 100
	// maxTops is how many children of the Segment are looked at. Files have some
	// ten; only nonsense has more.
	maxTops = 1000
	// maxIndex is how many cues are kept: 1 MiB. A file of 12 h with a keyframe
	// each 2 s has 21,600.
	maxIndex = 32 << 10
)

// top is a child of the Segment, or a damage between such.
type top struct {
	id      ElementID // that of a Void, if it is a damage
	at, end int64
	data    int64
}

// surveyed is what is known of a track.
type surveyed struct {
	stats TrackStats
	last  int64         // the latest time, in ticks
	step  time.Duration // how long a frame lasts: guessed
	end   time.Duration // of the frame that ends last
}

// begun reports whether the track has a block.
func (t *surveyed) begun() bool { return t.stats.Frames+t.stats.Filler > 0 }

// look walks through a file. An error wraps ErrNotWebM, ErrHeader, ErrSegments,
// ErrTooManyTracks or ErrRead.
func (w *walker) look() (*survey, error) {
	if err := w.readStart(); err != nil {
		return nil, err
	}
	s := &survey{size: w.src.size, end: w.head.segment}
	w.give = func(p *part) error {
		s.add(p, &w.head)
		return nil
	}
	err := w.run()
	s.head = w.head
	s.wrongs = s.sure
	s.tops, s.damages = s.tops[:s.sure.someTops], s.damages[:s.sure.someDamages]
	if s.tracks == nil {
		s.begin(&w.head)
	}
	return s, err
}

// begin makes room for the tracks.
func (s *survey) begin(h *fileHeader) {
	s.tracks = make([]surveyed, len(h.tracks))
	for i := range s.tracks {
		t, f := &s.tracks[i], &h.tracks[i]
		t.stats.Number = int(f.Number)
		t.stats.Width, t.stats.Height = f.Width, f.Height
		t.step = f.DefaultDuration
		if t.step == 0 {
			t.step = map[media.Kind]time.Duration{media.Audio: audioStep, media.Video: videoStep}[f.Kind]
		}
	}
}

// add takes the next part.
func (s *survey) add(p *part, h *fileHeader) {
	switch p.kind {
	case partTop:
		s.filled = false
		s.top(top{p.id, p.at, p.end, p.data})
		s.keep(p.end)
	case partDamage:
		s.damage(p)
	case partCluster:
		if s.tracks == nil {
			s.begin(h)
		}
		if s.first == 0 {
			s.first = p.at
		}
		s.cluster, s.filled = *p, false
	case partChild:
		if p.id == voidID || s.filled && p.id.inCluster() {
			s.keep(p.end)
		}
	case partBlock:
		if p.reason != "" {
			s.useless(p)
			return
		}
		if !s.filled {
			s.filled = true
			s.clusters++
		}
		s.keep(p.end)
		s.block(p, h)
	case partEnd:
		if sizePatch(p) != nil {
			s.unsized++
		}
	}
}

// useless notes a block that is whole, but cannot be used. It is kept if something
// follows that is; only that made it believable.
func (s *survey) useless(p *part) {
	if p.reason != reasonNoTime {
		s.unusable++
	}
	s.note(Damage{Offset: p.at, Length: p.end - p.at, Element: p.id, Reason: p.reason})
}

// keep makes what was found so far a part of the file.
func (s *survey) keep(end int64) {
	s.end = end
	s.someTops, s.someDamages = len(s.tops), len(s.damages)
	s.sure = s.wrongs
}

// top notes a child of the Segment; Voids only ahead of the Clusters.
func (s *survey) top(t top) {
	if (t.id != voidID || s.first == 0) && len(s.tops) < maxTops {
		s.tops = append(s.tops, t)
	}
}

// damage notes a piece that cannot be read. It counts only if something follows.
func (s *survey) damage(p *part) {
	s.note(Damage{Offset: p.at, Length: p.end - p.at, Element: p.id, Reason: p.reason})
	if p.end-p.at > 1 {
		s.gaps++
	} else {
		s.gap = true
	}
	s.top(top{voidID, p.at, p.end, p.at + int64(len(appendVoidHead(nil, p.end-p.at)))})
}

func (s *survey) note(d Damage) {
	s.lost += d.Length
	if len(s.damages) == maxDamages {
		s.more++
		return
	}
	s.damages = append(s.damages, d)
}

// block counts a block that can be used.
func (s *survey) block(p *part, h *fileHeader) {
	b, f := &p.block, &h.tracks[p.block.track]
	t := &s.tracks[b.track]
	at := time.Duration(b.ticks) * h.tick
	if step := b.ticks - t.last; step > 0 && t.begun() && f.DefaultDuration == 0 {
		t.step = min(time.Duration(step)*h.tick, maxStep)
	}
	if t.last = max(t.last, b.ticks); !t.begun() {
		t.stats.First, t.last = at, b.ticks
	}
	t.stats.Last = at
	if b.filler {
		t.stats.Filler++
		t.stats.Filled += b.lasts
	} else {
		t.stats.Frames += b.frames
		t.stats.Bytes += b.bytes - b.sizes
		s.frames += b.frames
	}
	tail := t.step
	if f.DefaultDuration > 0 {
		tail *= time.Duration(max(1, b.frames))
	}
	if b.duration > 0 {
		tail = time.Duration(b.duration) * h.tick
	}
	t.end = max(t.end, at+tail)

	if f.Kind == media.Video && b.key {
		t.stats.Keyframes++
	}
	s.index.take(h, b, s.cluster.at-h.segment)
}

// take adds a block that is in the Cluster at a position in the Segment, if it is
// one that an index names: a keyframe, or in a file of sound alone the start of a
// Cluster.
func (x *index) take(h *fileHeader, b *walked, position int64) {
	f := &h.tracks[b.track]
	video := f.Kind == media.Video
	if !(video && b.key || f.Kind == media.Audio && b.first) || b.ticks > maxCueTicks {
		return
	}
	ms := (time.Duration(b.ticks) * h.tick).Milliseconds()
	x.add(cue{ms: ms, ticks: b.ticks, position: position, track: f.Number}, video)
	if len(x.video) == maxIndex {
		x.video = halve(x.video)
	}
	if len(x.audio) == maxIndex {
		x.audio = halve(x.audio)
	}
}

// halve returns half of cues, evenly spread.
func halve(cues []cue) []cue {
	i := 0
	return slices.DeleteFunc(cues, func(cue) bool { i++; return i%2 == 0 })
}

// duration returns the end of the frame that ends last.
func (s *survey) duration() time.Duration {
	var d time.Duration
	for i := range s.tracks {
		d = max(d, s.tracks[i].end)
	}
	return d
}

// lastTime returns the time of the frame that begins last.
func (s *survey) lastTime() time.Duration {
	var d time.Duration
	for i := range s.tracks {
		d = max(d, time.Duration(s.tracks[i].last)*s.head.tick)
	}
	return d
}

// cut returns how many bytes lie behind the last part that is of use.
func (s *survey) cut() int64 { return s.size - s.end }

// silent returns the places of the TrackEntries of tracks without a block, in a
// file that has blocks and that weir wrote; others may mean something by them.
func (s *survey) silent() []int64 {
	var out []int64
	for i := range s.tracks {
		if !s.tracks[i].begun() && s.frames > 0 && s.head.own {
			out = append(out, s.head.tracks[i].at)
		}
	}
	return out
}

// sizePatch returns what makes the size of a Cluster, which p is the end of, right:
// nil if it is, or if its field is too short.
func sizePatch(p *part) *patch {
	if p.claimed == p.end {
		return nil
	}
	width := int(p.data - p.at - 4)
	return widthPatch(p.at+4, width, p.claimed < 0, p.end-p.data)
}

// widthPatch returns what puts n into a size of the given width in bytes. If it
// does not fit, the size becomes unknown, or stays so.
func widthPatch(at int64, width int, unknown bool, n int64) *patch {
	most := int64(1)<<(7*width) - 2
	if n > most {
		if unknown {
			return nil
		}
		n = most + 1
	}
	return &patch{at, appendWideSize(nil, uint64(n), width)}
}
