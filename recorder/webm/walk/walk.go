package walk

import (
	"io"
	"time"

	"weir/recorder/webm/ebml"
)

// Kind is what a piece is.
type Kind uint8

// The kinds of piece.
const (
	Top          Kind = iota // a child of the Segment other than a Cluster
	ClusterHead              // the head of a Cluster
	ClusterChild             // a child of a Cluster that holds no frame
	Frames                   // a SimpleBlock or BlockGroup
	Damaged                  // what cannot be read
	ClusterEnd               // nothing: the Cluster that began at at ends at end
)

// Piece is a piece of a file. Those of one walk follow one another without a gap,
// but for ClusterEnd, which repeats its Cluster.
type Piece struct {
	Kind   Kind
	ID     ebml.ElementID
	At     int64  // where it begins, in the file
	Data   int64  // where its data begin
	End    int64  // what follows it; of a Cluster, its data
	Reason string // why a damage is one, or a block cannot be used

	Claimed int64 // of a Cluster: its end by its size; -1 if it has none
	Block   Block
}

// Block is what is known of a block without its frame.
type Block struct {
	Track    int   // its place in the header
	Cluster  int64 // its Cluster's Timestamp, in ticks
	Ticks    int64 // its time; never below zero
	Duration int64 // BlockDuration in ticks; 0 if none
	Key      bool
	Frames   int64         // more than one if they are laced
	Sizes    int64         // bytes that tell how many those are and how long each is
	Filler   bool          // silence in a hole of the sound: see webm.Block
	Lasts    time.Duration // of filler
	Bytes    int64         // of its frame, or of frames that are laced with their sizes
	First    bool          // in its Cluster
	Flags    byte          // of its head
	DataAt   int64         // where in the file its frame begins, or the head of laced ones
}

// Walker walks through one file: ReadStart, then Run. It knows where it is by IDs alone:
// sizes of Segment and Clusters are unknown in a file that was not finished and wrong in
// one that was cut, so they are only compared with what was found.
type Walker struct {
	Window Window // for what is read
	Ahead  Window // for a look at what follows
	Head   Header
	Give   func(*Piece) error // gets the pieces; an error ends the walk. Not to be kept

	// the Cluster that is read
	open, timed bool
	blocks      int
	ticks       int64 // Timestamp

	held    Piece // read, but not given yet: what follows may prove it wrong
	holding bool

	// the Cluster that is given
	given   Piece
	inside  bool
	end     int64 // of the last piece
	reached bool  // its claimed end was at the end of a piece, and nothing of it followed
}

// New returns a Walker through a file of the given size in bytes.
func New(r io.ReaderAt, size int64) *Walker {
	return &Walker{Window: NewWindow(r, size), Ahead: NewWindow(r, size)}
}

// Run gives all parts from the start of the Segment's data to the last one that
// is whole. ReadStart must have succeeded.
func (w *Walker) Run() error { return w.RunFrom(w.Head.Segment) }

// RunFrom is Run from the Cluster that begins at at, in a file whose Head is known.
func (w *Walker) RunFrom(at int64) error {
	for at < w.Window.Size {
		p, ok, err := w.read(at)
		if err != nil {
			return err
		}
		if !ok {
			if at, err = w.lost(at, p); err != nil {
				return err
			}
			continue
		}
		if err := w.pass(); err != nil {
			return err
		}
		w.held, w.holding = p, true
		at = p.End
	}
	if err := w.pass(); err != nil {
		return err
	}
	if w.Head.Tracks == nil {
		return ebml.SegmentID.Fail(ebml.ErrHeader, w.Head.Segment, "has no Tracks")
	}
	return w.close(w.end)
}

// lost goes on behind at, where p is no piece of a file, and returns where.
//
// If a good Cluster begins inside of what is held, the size of that was wrong. A
// Void that is held may be one that a Repair was writing over the damage when it
// was killed. Otherwise what is held is whole, and the damage begins at at.
func (w *Walker) lost(at int64, p Piece) (int64, error) {
	from := at + 1
	if w.holding && w.held.ID != ebml.InfoID && w.held.ID != ebml.TracksID { // they have been read
		from = max(w.held.Data, w.held.At+1)
	}
	next, err := w.Window.find(from, w.Window.Size, w.startsAgain)
	if err != nil {
		return 0, err
	}
	if next == w.Window.Size { // the end of the file is cut off, or worth nothing
		return next, nil
	}
	d := Piece{Kind: Damaged, ID: p.ID, At: at, Data: next, End: next, Reason: p.Reason}
	if w.holding && (next < at || w.held.ID == ebml.VoidID) {
		if d.At = w.held.At; next < at {
			d.ID, d.Reason = w.held.ID, ebml.ReasonCutShort
		}
		w.holding = false
	}
	if err := w.pass(); err != nil {
		return 0, err
	}
	w.open = false
	return next, w.send(&d)
}

// pass gives what is held.
func (w *Walker) pass() error {
	if !w.holding {
		return nil
	}
	w.holding = false
	return w.send(&w.held)
}

// send gives p, and before it the end of the Cluster that it ends.
func (w *Walker) send(p *Piece) error {
	if w.inside {
		if p.At == w.given.Claimed {
			w.reached = true
		}
		switch {
		case p.Kind == ClusterHead, p.Kind == Top && p.ID.Outside():
			if err := w.close(p.At); err != nil {
				return err
			}
		case p.Kind == Frames, p.Kind == ClusterChild && p.ID.InCluster():
			w.reached = false
		}
	}
	if p.Kind == ClusterHead {
		w.given, w.inside, w.reached = *p, true, false
	}
	w.end = p.End
	return w.Give(p)
}

// close gives the end of the Cluster that is given, if there is one. It ends at
// end, or before that where its size says so, if only Voids lie between.
func (w *Walker) close(end int64) error {
	if !w.inside {
		return nil
	}
	w.inside = false
	w.given.Kind, w.given.End = ClusterEnd, end
	if w.reached {
		w.given.End = w.given.Claimed
	}
	return w.Give(&w.given)
}
