package layout

import (
	"cmp"
	"slices"
	"sort"

	"weir/recorder/webm/ebml"
)

// Cue is one entry of the index: a Cluster at whose first block a player can
// start.
type Cue struct {
	MS       int64 // the block's time
	Ticks    int64 // the same as the file counts it; the Writer counts ms
	Position int64 // of the Cluster, from the start of the Segment's data
	Track    uint64
}

const (
	CuesHead = 4 + 5 // ID and 5-byte size: as long as ebml.VoidHead, see Seal
	CueBytes = 2 + (2 + 5) + 2 + (2 + 1) + (2 + 6)
	// MaxCueTicks is the latest time that the 5 bytes of CueTime tell.
	MaxCueTicks = 1<<40 - 1
	// audioCueStep is the least distance of index entries in a file without video.
	audioCueStep = 5000 // ms
	// MaxCueStep is the largest distance that thinning may make: as much as a
	// player then reads and throws away for a seek.
	MaxCueStep = 10000 // ms
)

// Index collects the cues of a file.
type Index struct {
	video []Cue // Clusters that begin with a video keyframe
	audio []Cue // others that begin with audio; only until there is a video cue
}

// Add notes a Cluster that begins with a block at which a decoder can start.
func (x *Index) Add(c Cue, video bool) {
	switch {
	case video:
		x.video = append(x.video, c)
		x.audio = nil
	case len(x.video) > 0:
	case len(x.audio) == 0 || c.MS-x.audio[len(x.audio)-1].MS >= audioCueStep:
		x.audio = append(x.audio, c)
	}
}

// Bound drops half of the cues of a kind, evenly spread, when there are n of them.
func (x *Index) Bound(n int) {
	if len(x.video) == n {
		x.video = halve(x.video)
	}
	if len(x.audio) == n {
		x.audio = halve(x.audio)
	}
}

// halve returns half of cues, evenly spread.
func halve(cues []Cue) []Cue {
	i := 0
	return slices.DeleteFunc(cues, func(Cue) bool { i++; return i%2 == 0 })
}

// Cues returns the cues to be written, in the order of their times, as RFC 9559
// section 22.1 wants them. Those of two video tracks may not have come so.
func (x *Index) Cues() []Cue {
	cues := x.video
	if len(cues) == 0 {
		cues = x.audio
	}
	slices.SortStableFunc(cues, func(a, b Cue) int { return cmp.Compare(a.MS, b.MS) })
	return cues
}

// Thin returns at most n of cues, spread evenly, with no gap longer than MaxCueStep
// that cues does not have itself; or nil if that takes more than n.
func Thin(cues []Cue, n int) []Cue {
	if len(cues) <= n {
		return cues
	}
	// The smallest step that leaves few enough: the count falls as the step grows.
	step := sort.Search(MaxCueStep+1, func(step int) bool {
		return len(spread(nil, cues, int64(step))) <= n
	})
	if step > MaxCueStep {
		return nil
	}
	return spread(make([]Cue, 0, n), cues, int64(step))
}

// spread appends to dst the fewest of cues that lie at most step ms apart; where
// neighbours are farther apart than that, both. The first and the last are always
// taken.
func spread(dst, cues []Cue, step int64) []Cue {
	for i := 0; i < len(cues); {
		dst = append(dst, cues[i])
		next := i + 1
		for next+1 < len(cues) && cues[next+1].MS-cues[i].MS <= step {
			next++
		}
		i = next
	}
	return dst
}

// RenderCues returns the Cues element: a head of cuesHead bytes and len(cues)
// times cueBytes.
func RenderCues(cues []Cue) ([]byte, error) {
	var points struct {
		CuePoint []cuePoint `ebml:"CuePoint"`
	}
	for _, c := range cues {
		points.CuePoint = append(points.CuePoint, cuePoint{
			CueTime: uint64(c.Ticks),
			Where:   cueTrackPositions{c.Track, uint64(c.Position)},
		})
	}
	body, err := marshal(&points)
	if err != nil {
		return nil, err
	}
	b := ebml.AppendID(nil, ebml.CuesID)
	b = ebml.AppendWideSize(b, uint64(len(body)), CuesHead-ebml.CuesID.Width())
	return append(b, body...), nil
}
