package read

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"sort"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/walk"
	"weir/sfu/media"
)

const (
	// maxPoints is how many points are kept, 512 KiB. A file of 12 h with a keyframe
	// each 2 s has 21,600; where there are more, each second one is dropped.
	maxPoints = 32 << 10
	// maxIndexes is how many places are looked at for Cues: a file has one.
	maxIndexes = 8
	// apart is how far apart in time blocks of two tracks may lie that belong
	// together: behind a block that is later than that, no keyframe is sought.
	apart = 10 * time.Second
)

// point is a Cluster that has a keyframe.
type point struct {
	time    time.Duration // of the keyframe
	cluster int64         // where the Cluster begins
}

// errStop ends a walk that has found what it looked for.
var errStop = errors.New("found")

func stopped(err error) error {
	if errors.Is(err, errStop) {
		return nil
	}
	return err
}

// Seek makes Next go on at the Cluster of the newest keyframe at or before the time to,
// and returns that keyframe's time: the first one's if to lies before it. Of the first
// track with pictures, or of the first track if there is none, nothing precedes the
// keyframe; of other tracks there may be frames that lie before it in the Cluster. A
// file without a keyframe goes to its start and 0.
//
// A keyframe by the container's word is taken for one: see Frame.Key. It is found by
// the Cues, from which the Clusters are gone through up to the time, or, of a file
// without any or with ones that lead astray, by looking through all of it once. An
// error wraps walk.ErrRead; then Next goes on where it was.
func (f *File) Seek(to time.Duration) (time.Duration, error) {
	if f.points == nil {
		if err := f.readCues(); err != nil {
			return 0, err
		}
	}
	key, ok, err := f.find(to)
	if err == nil && !ok && !f.scanned {
		if err = f.scan(); err == nil {
			key, _, err = f.find(to)
		}
	}
	if err != nil {
		return 0, err
	}
	f.start(key.cluster, key.block)
	return key.time, nil
}

// keyframe is where a seek ends.
type keyframe struct {
	point
	block int64 // where its block begins
}

// find returns the newest keyframe at or before a time, or the first one. It returns
// false if the points do not lead to it, and then the file's start.
func (f *File) find(to time.Duration) (keyframe, bool, error) {
	key := keyframe{point: point{cluster: f.first}}
	if len(f.points) == 0 {
		return key, false, nil
	}
	i := sort.Search(len(f.points), func(i int) bool { return f.points[i].time > to }) - 1
	from := f.first
	if i >= 0 {
		from = f.points[i].cluster
	}
	cluster, ok := from, false
	err := f.walk(from, func(p *walk.Piece) error {
		switch {
		case p.Kind == walk.ClusterHead:
			cluster = p.At
			return nil
		case p.Kind != walk.Frames || p.Reason != "":
			return nil
		}
		when := f.time(&p.Block)
		switch first := i < 0 && !ok; {
		case !f.isKey(&p.Block):
			if when-to > apart && !first {
				return errStop
			}
		case when <= to, first:
			key, ok = keyframe{point{when, cluster}, p.At}, true
		default:
			return errStop
		}
		return nil
	})
	return key, ok, err
}

// isKey reports whether a seek can end at a block.
func (f *File) isKey(b *walk.Block) bool {
	return b.Track == f.seekable && (b.Key || f.tracks[b.Track].Carries(media.Audio))
}

// time returns the time of a block's frame.
func (f *File) time(b *walk.Block) time.Duration {
	return time.Duration(b.Ticks)*f.head.Tick - f.tracks[b.Track].CodecDelay
}

// walk gives the pieces from the Cluster on that begins at at, up to what cannot belong
// to the file.
func (f *File) walk(at int64, give func(*walk.Piece) error) error {
	w := walk.New(f.file, f.size)
	w.Head, w.Give = f.head, give
	err := stopped(w.RunFrom(at))
	if errors.Is(err, walk.ErrRead) {
		return err
	}
	return nil // a second Segment, or a Cluster of none
}

// readCues reads the points from the Cues. Without good ones there are none.
func (f *File) readCues() error {
	f.points = []point{}
	src := walk.NewWindow(f.file, f.size)
	for _, at := range f.indexes {
		e, ok, err := src.Head(at)
		if err != nil {
			return err
		}
		data := at + int64(e.Bytes)
		if !ok || e.ID != ebml.CuesID || e.Unknown || e.Size > f.size-data {
			continue
		}
		ok, err = src.EachCue(data, data+e.Size, func(c walk.CueEntry) (bool, error) {
			f.addCue(c)
			return true, nil
		})
		if err != nil {
			return err
		}
		if ok && len(f.points) > 0 {
			slices.SortStableFunc(f.points, func(a, b point) int { return cmp.Compare(a.time, b.time) })
			return nil
		}
		f.points = f.points[:0]
	}
	return nil
}

// addCue adds the entry of an index, if it is of use.
func (f *File) addCue(c walk.CueEntry) {
	t := &f.tracks[f.seekable]
	if c.Track == t.Number && c.Ticks <= uint64(ebml.MaxTime/f.head.Tick) && c.Position < uint64(f.size-f.head.Segment) {
		f.addPoint(point{time.Duration(c.Ticks)*f.head.Tick - t.CodecDelay, f.head.Segment + int64(c.Position)})
	}
}

func (f *File) addPoint(p point) {
	if f.points = append(f.points, p); len(f.points) == maxPoints {
		i := 0
		f.points = slices.DeleteFunc(f.points, func(point) bool { i++; return i%2 == 0 })
	}
}

// scan looks through the whole file for points, once.
func (f *File) scan() error {
	if f.scanned {
		return nil
	}
	f.points, f.last = []point{}, 0
	cluster, found := int64(0), false
	err := f.walk(f.first, func(p *walk.Piece) error {
		switch {
		case p.Kind == walk.ClusterHead:
			cluster, found = p.At, false
		case p.Kind == walk.Frames && p.Reason == "":
			f.last = max(f.last, f.time(&p.Block))
			if f.isKey(&p.Block) && !found { // find looks at the others
				f.addPoint(point{f.time(&p.Block), cluster})
				found = true
			}
		}
		return nil
	})
	if err != nil {
		f.points = nil
		return err
	}
	// Times may step back. Where they do, find has to begin before.
	for i, newest := len(f.points)-1, time.Duration(math.MaxInt64); i >= 0; i-- {
		newest = min(newest, f.points[i].time)
		f.points[i].time = newest
	}
	f.scanned = true
	return nil
}
