package repair

import (
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/walk"
	"weir/sfu/media"
)

// A survey is what one walk through a file tells: enough to say what is wrong
// with it and how it can be mended. It does not grow with the file.
type survey struct {
	head  walk.Header
	size  int64 // of the file
	end   int64 // what follows the last piece that is whole and of use
	first int64 // the first Cluster; 0 if there is none

	tops     []top // children of the Segment but for Clusters
	tracks   []surveyed
	index    layout.Index
	clusters int64
	frames   int64 // that can be used, but filler
	unsized  int64 // Clusters with a size that is unknown or wrong and can be mended

	damages []ebml.Damage // the first maxDamages
	seek    indexPlan
	wrongs
	sure wrongs // what it was at end

	cluster walk.Piece
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
	id      ebml.ElementID // that of a Void, if it is a damage
	at, end int64
	data    int64
}

// surveyed is what is known of a track.
type surveyed struct {
	stats webm.TrackStats
	last  int64         // the latest time, in ticks
	step  time.Duration // how long a frame lasts: guessed
	end   time.Duration // of the frame that ends last
}

// begun reports whether the track has a block.
func (t *surveyed) begun() bool { return t.stats.Frames+t.stats.Filler > 0 }

// look walks through a file. An error wraps ErrNotWebM, ErrHeader, ErrSegments,
// ErrTooManyTracks or ErrRead.
func look(w *walk.Walker) (*survey, error) {
	if err := w.ReadStart(); err != nil {
		return nil, err
	}
	s := &survey{size: w.Window.Size, end: w.Head.Segment}
	w.Give = func(p *walk.Piece) error {
		s.add(p, &w.Head)
		return nil
	}
	err := w.Run()
	s.head = w.Head
	s.wrongs = s.sure
	s.tops, s.damages = s.tops[:s.sure.someTops], s.damages[:s.sure.someDamages]
	if s.tracks == nil {
		s.addTracks(&w.Head)
	}
	return s, err
}

// addTracks makes room for the tracks.
func (s *survey) addTracks(h *walk.Header) {
	s.tracks = make([]surveyed, len(h.Tracks))
	for i := range s.tracks {
		t, f := &s.tracks[i], &h.Tracks[i]
		t.stats.Number = int(f.Number)
		t.stats.Width, t.stats.Height = f.Width, f.Height
		t.step = f.DefaultDuration
		if t.step == 0 {
			t.step = map[media.Kind]time.Duration{media.Audio: layout.AudioStep, media.Video: layout.VideoStep}[f.Kind]
		}
	}
}

// add takes the next piece.
func (s *survey) add(p *walk.Piece, h *walk.Header) {
	switch p.Kind {
	case walk.Top:
		s.filled = false
		s.top(top{p.ID, p.At, p.End, p.Data})
		s.keep(p.End)
	case walk.Damaged:
		s.damage(p)
	case walk.ClusterHead:
		if s.tracks == nil {
			s.addTracks(h)
		}
		if s.first == 0 {
			s.first = p.At
		}
		s.cluster, s.filled = *p, false
	case walk.ClusterChild:
		if p.ID == ebml.VoidID || s.filled && p.ID.InCluster() {
			s.keep(p.End)
		}
	case walk.Frames:
		if p.Reason != "" {
			s.useless(p)
			return
		}
		if !s.filled {
			s.filled = true
			s.clusters++
		}
		s.keep(p.End)
		s.block(p, h)
	case walk.ClusterEnd:
		if sizePatch(p) != nil {
			s.unsized++
		}
	}
}

// useless notes a block that is whole, but cannot be used. It is kept if something
// follows that is; only that made it believable.
func (s *survey) useless(p *walk.Piece) {
	if p.Reason != ebml.ReasonNoTime {
		s.unusable++
	}
	s.note(ebml.Damage{Offset: p.At, Length: p.End - p.At, Element: p.ID, Reason: p.Reason})
}

// keep makes what was found so far belong to the file.
func (s *survey) keep(end int64) {
	s.end = end
	s.someTops, s.someDamages = len(s.tops), len(s.damages)
	s.sure = s.wrongs
}

// top notes a child of the Segment; Voids only ahead of the Clusters.
func (s *survey) top(t top) {
	if (t.id != ebml.VoidID || s.first == 0) && len(s.tops) < maxTops {
		s.tops = append(s.tops, t)
	}
}

// damage notes a piece that cannot be read. It counts only if something follows.
func (s *survey) damage(p *walk.Piece) {
	s.note(ebml.Damage{Offset: p.At, Length: p.End - p.At, Element: p.ID, Reason: p.Reason})
	if p.End-p.At > 1 {
		s.gaps++
	} else {
		s.gap = true
	}
	s.top(top{ebml.VoidID, p.At, p.End, p.At + int64(len(ebml.AppendVoidHead(nil, p.End-p.At)))})
}

func (s *survey) note(d ebml.Damage) {
	s.lost += d.Length
	if len(s.damages) == maxDamages {
		s.more++
		return
	}
	s.damages = append(s.damages, d)
}

// block counts a block that can be used.
func (s *survey) block(p *walk.Piece, h *walk.Header) {
	b, f := &p.Block, &h.Tracks[p.Block.Track]
	t := &s.tracks[b.Track]
	at := time.Duration(b.Ticks) * h.Tick
	if step := b.Ticks - t.last; step > 0 && t.begun() && f.DefaultDuration == 0 {
		t.step = min(time.Duration(step)*h.Tick, layout.MaxStep)
	}
	if t.last = max(t.last, b.Ticks); !t.begun() {
		t.stats.First, t.last = at, b.Ticks
	}
	t.stats.Last = at
	if b.Filler {
		t.stats.Filler++
		t.stats.Filled += b.Lasts
	} else {
		t.stats.Frames += b.Frames
		t.stats.Bytes += b.Bytes - b.Sizes
		s.frames += b.Frames
	}
	tail := t.step
	if f.DefaultDuration > 0 {
		tail *= time.Duration(max(1, b.Frames))
	}
	if b.Duration > 0 {
		tail = time.Duration(b.Duration) * h.Tick
	}
	t.end = max(t.end, at+tail)

	if f.Kind == media.Video && b.Key {
		t.stats.Keyframes++
	}
	indexBlock(&s.index, h, b, s.cluster.At-h.Segment)
}

// indexBlock adds a block that is in the Cluster at a position in the Segment to an
// index, if it is one that an index names: a keyframe, or in a file of sound alone the
// start of a Cluster.
func indexBlock(x *layout.Index, h *walk.Header, b *walk.Block, position int64) {
	f := &h.Tracks[b.Track]
	video := f.Kind == media.Video
	if !(video && b.Key || f.Kind == media.Audio && b.First) || b.Ticks > layout.MaxCueTicks {
		return
	}
	ms := (time.Duration(b.Ticks) * h.Tick).Milliseconds()
	x.Add(layout.Cue{MS: ms, Ticks: b.Ticks, Position: position, Track: f.Number}, video)
	x.Bound(maxIndex)
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
		d = max(d, time.Duration(s.tracks[i].last)*s.head.Tick)
	}
	return d
}

// cut returns how many bytes lie behind the last piece that is of use.
func (s *survey) cut() int64 { return s.size - s.end }

// silent returns the places of the TrackEntries of tracks without a block, in a
// file that has blocks and that weir wrote; others may mean something by them.
func (s *survey) silent() []int64 {
	var out []int64
	for i := range s.tracks {
		if !s.tracks[i].begun() && s.frames > 0 && s.head.Own {
			out = append(out, s.head.Tracks[i].At)
		}
	}
	return out
}

// sizePatch returns what makes the size of a Cluster, which p is the end of, right:
// nil if it is, or if its field is too short.
func sizePatch(p *walk.Piece) *layout.Patch {
	if p.Claimed == p.End {
		return nil
	}
	width := int(p.Data - p.At - 4)
	return widthPatch(p.At+4, width, p.Claimed < 0, p.End-p.Data)
}

// widthPatch returns what puts n into a size of the given width in bytes. If it
// does not fit, the size becomes unknown, or stays so.
func widthPatch(at int64, width int, unknown bool, n int64) *layout.Patch {
	most := int64(1)<<(7*width) - 2
	if n > most {
		if unknown {
			return nil
		}
		n = most + 1
	}
	return &layout.Patch{At: at, Data: ebml.AppendWideSize(nil, uint64(n), width)}
}
