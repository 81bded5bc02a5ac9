package webm

import (
	"cmp"
	"slices"
	"sort"
)

// cue is one entry of the index: a Cluster at whose first block a player can
// start.
type cue struct {
	ms       int64 // the block's time
	ticks    int64 // the same as the file counts it; the Writer counts ms
	position int64 // of the Cluster, from the start of the Segment's data
	track    uint64
}

const (
	cuesHead = 4 + 5 // ID and 5-byte size: as long as voidHead, see seal.go
	cueBytes = 2 + (2 + 5) + 2 + (2 + 1) + (2 + 6)
	// maxCueTicks is the latest time that the 5 bytes of CueTime tell.
	maxCueTicks = 1<<40 - 1
	// audioCueStep is the least distance of index entries in a file without video.
	audioCueStep = 5000 // ms
	// maxCueStep is the largest distance that thinning may make: as much as a
	// player then reads and throws away for a seek.
	maxCueStep = 10000 // ms
)

// index collects the cues of a file.
type index struct {
	video []cue // Clusters that begin with a video keyframe
	audio []cue // others that begin with audio; only until there is a video cue
}

// add notes a Cluster that begins with a block at which a decoder can start.
func (x *index) add(c cue, video bool) {
	switch {
	case video:
		x.video = append(x.video, c)
		x.audio = nil
	case len(x.video) > 0:
	case len(x.audio) == 0 || c.ms-x.audio[len(x.audio)-1].ms >= audioCueStep:
		x.audio = append(x.audio, c)
	}
}

// cues returns the cues to be written, in the order of their times, as RFC 9559
// section 22.1 wants them. Those of two video tracks may not have come so.
func (x *index) cues() []cue {
	cues := x.video
	if len(cues) == 0 {
		cues = x.audio
	}
	slices.SortStableFunc(cues, func(a, b cue) int { return cmp.Compare(a.ms, b.ms) })
	return cues
}

// thin returns at most n of cues, spread evenly, with no gap longer than
// maxCueStep that cues does not have itself; or nil if that takes more than n.
func thin(cues []cue, n int) []cue {
	if len(cues) <= n {
		return cues
	}
	// The smallest step that leaves few enough: the count falls as the step grows.
	step := sort.Search(maxCueStep+1, func(step int) bool {
		return len(spread(nil, cues, int64(step))) <= n
	})
	if step > maxCueStep {
		return nil
	}
	return spread(make([]cue, 0, n), cues, int64(step))
}

// spread appends to dst the fewest of cues that lie at most step ms apart; where
// neighbours are farther apart than that, both. The first and the last are always
// taken.
func spread(dst, cues []cue, step int64) []cue {
	for i := 0; i < len(cues); {
		dst = append(dst, cues[i])
		next := i + 1
		for next+1 < len(cues) && cues[next+1].ms-cues[i].ms <= step {
			next++
		}
		i = next
	}
	return dst
}

// renderCues returns the Cues element: a head of cuesHead bytes and len(cues)
// times cueBytes.
func renderCues(cues []cue) ([]byte, error) {
	var points struct {
		CuePoint []cuePoint `ebml:"CuePoint"`
	}
	for _, c := range cues {
		points.CuePoint = append(points.CuePoint, cuePoint{
			CueTime: uint64(c.ticks),
			Where:   cueTrackPositions{c.track, uint64(c.position)},
		})
	}
	body, err := marshal(&points)
	if err != nil {
		return nil, err
	}
	b := appendID(nil, cuesID)
	b = appendWideSize(b, uint64(len(body)), cuesHead-cuesID.bytes())
	return append(b, body...), nil
}
