package repair

import (
	"errors"
	"fmt"
	"io"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/walk"
)

// ErrRewrite is returned by Repair for a file that has no room for what it lacks. It
// is not changed; use Rewrite.
var ErrRewrite = errors.New("webm: file has no room to be repaired in place")

// RepairFile is a file that is repaired where it is: an *os.File that is open for
// reading and writing, but not for appending. WriteAt is called with bytes inside
// of the file, and at its end.
type RepairFile interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
}

// Report tells what a file was found to be.
type Report struct {
	// Faults are what is wrong with the file, each in a line of English without a
	// full stop; nil if there is nothing.
	Faults []string
	// Clean reports whether Repair has nothing to do. A file whose frames are damaged
	// may be clean: nothing can be done about that.
	Clean bool
	// Rewrite reports whether Repair cannot do it, and Rewrite can.
	Rewrite bool

	// Bytes is how long the file is up to the end of the last block that is whole,
	// or of an element that lies behind it, and Cut how many bytes follow, which
	// Repair removes.
	Bytes, Cut int64
	// Duration is the end of the frame that ends last. If the file has a Duration
	// that can be right it is that; otherwise the last frame is taken to last as
	// long as the one before it.
	Duration  time.Duration
	Frames    int64 // also of blocks with several, which are laced
	Keyframes int64 // frames of video tracks at which a decoder can start
	Filler    int64 // frames that weir put where sound was missing; in no other count
	Clusters  int64 // with a block
	// Tracks are those that the file declares, in its order. Repair undeclares one
	// without a block if weir wrote the file.
	Tracks []TrackReport
	// Indexed reports whether the file has Cues that lead to its Clusters, or needs
	// none.
	Indexed bool
	// Damages are the first 100 pieces in the middle of the file that cannot be
	// read, MoreDamages how many others there are, and Lost the length of all in
	// bytes. Repair covers them, once, so that players pass over them.
	Damages     []ebml.Damage
	MoreDamages int64
	Lost        int64
}

// TrackReport tells what a file has of a track.
type TrackReport struct {
	Entry ebml.TrackEntry
	Stats webm.TrackStats
}

// Verify says what a file of the given size in bytes holds and what is wrong with
// it, and changes nothing. It reads the heads of all blocks but, where the file is
// good, not what is in them; so it does not see damage in there. Memory is bounded
// by some 10 MiB, whatever the file is.
//
// An error wraps ErrNotWebM, ErrHeader, ErrTooManyTracks or ErrSegments if nothing
// can be said about the file, or ErrRead.
func Verify(r io.ReaderAt, size int64) (Report, error) {
	_, s, p, err := examine(r, size)
	if err != nil {
		return Report{}, err
	}
	return s.report(p), nil
}

// examine surveys a file and makes a plan for it. If its end is to be cut off, it
// looks at what is left as at a file of its own, so that all that follows, and a
// Repair that is started anew, finds the same.
func examine(r io.ReaderAt, size int64) (*walk.Walker, *survey, *plan, error) {
	w := walk.New(r, size)
	s, err := look(w)
	for range 8 { // rarely more than one, and what is still found then does no harm
		if err != nil || s.cut() == 0 {
			break
		}
		w = walk.New(r, s.end)
		s, err = look(w)
	}
	if err != nil {
		return nil, nil, nil, err
	}
	s.size = size
	p, err := makePlan(w, s)
	return w, s, p, err
}

// Repair makes a file of the given size in bytes a whole one, where it is: without a
// piece of a block at its end, with right sizes, a duration and an index. It keeps each
// block that is whole, where it is and as it is. The report tells how the file was
// found; if that is Clean, nothing was written.
//
// It may be stopped at any moment, and started again: see "Repair" in the
// description of the package. It does not sync; the caller does that before it
// relies on the result.
//
// An error wraps ErrWrite; ErrRewrite, and then the report is good and the file as
// it was; or what Verify returns.
func Repair(f RepairFile, size int64) (Report, error) {
	_, s, p, err := examine(f, size)
	if err != nil {
		return Report{}, err
	}
	report := s.report(p)
	if p.clean() {
		return report, nil
	}
	if p.rewrite {
		return report, ErrRewrite
	}
	if p.cut {
		if err := f.Truncate(s.end); err != nil {
			return report, fmt.Errorf("%w: %w", layout.ErrWrite, err)
		}
	}
	if p.walk {
		if err := mend(f, s.end); err != nil {
			return report, err
		}
	}
	for _, c := range p.patches {
		if err := c.Write(f); err != nil {
			return report, err
		}
	}
	return report, nil
}

// mender mends Clusters while a walk goes through them: their sizes, and Voids
// over what cannot be read.
type mender struct {
	to  io.WriterAt
	crc int64 // of the Cluster's CRC-32; 0 if it has none
}

// mend walks through a file up to end.
func mend(f RepairFile, end int64) error {
	m := &mender{to: f}
	w := walk.New(f, end)
	w.Give = m.add
	if err := w.ReadStart(); err != nil {
		return err
	}
	return w.Run()
}

// add takes the next piece.
func (m *mender) add(p *walk.Piece) error {
	switch p.Kind {
	case walk.ClusterHead:
		m.crc = 0
	case walk.ClusterChild:
		if p.ID == ebml.CRC32ID && m.crc == 0 {
			m.crc = p.At
		}
	case walk.Damaged:
		return m.writePatch(layout.Patch{At: p.At, Data: ebml.AppendVoidHead(nil, p.End-p.At)})
	case walk.Frames:
		if p.Reason != "" && p.Reason != ebml.ReasonNoTime {
			return m.writePatch(layout.Patch{At: p.At, Data: []byte{byte(ebml.VoidID)}})
		}
	case walk.ClusterEnd:
		if c := sizePatch(p); c != nil {
			return m.writePatch(*c)
		}
	}
	return nil
}

// writePatch writes p, after it has made a Void of a checksum that is right no longer.
func (m *mender) writePatch(p layout.Patch) error {
	if m.crc > 0 {
		if err := (layout.Patch{At: m.crc, Data: []byte{byte(ebml.VoidID)}}).Write(m.to); err != nil {
			return err
		}
		m.crc = 0
	}
	return p.Write(m.to)
}

// report returns what is known of a file.
func (s *survey) report(p *plan) Report {
	r := Report{
		Faults: p.faults, Clean: p.clean(), Rewrite: p.rewrite,
		Bytes: s.end, Cut: s.cut(), Duration: s.duration(),
		Frames: s.frames, Clusters: s.clusters, Indexed: p.indexed,
		Damages: s.damages, MoreDamages: s.more, Lost: s.lost,
	}
	if p.told {
		r.Duration = time.Duration(s.head.Duration.Value * float64(s.head.Tick))
	}
	for i := range s.tracks {
		t := TrackReport{s.head.Tracks[i].TrackEntry, s.tracks[i].stats}
		r.Keyframes += t.Stats.Keyframes
		r.Filler += t.Stats.Filler
		r.Tracks = append(r.Tracks, t)
	}
	return r
}
