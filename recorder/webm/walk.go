package webm

import "time"

// A walker goes through a file from head to head and reads nothing of what lies
// between. Like the Reader it knows where it is by IDs alone: sizes of Segment
// and Clusters are unknown in a file that was not finished and wrong in one that
// was cut, so they are only compared with what was found.
//
// It gives the pieces of the file in their order. Where a piece cannot be read,
// it goes on at the next good Cluster, or other child of the Segment, that it
// finds by looking at every byte; see walker.lost.

// partKind says what a part is.
type partKind uint8

const (
	partTop     partKind = iota // a child of the Segment other than a Cluster
	partCluster                 // the head of a Cluster
	partChild                   // a child of a Cluster that holds no frame
	partBlock                   // a SimpleBlock or BlockGroup
	partDamage                  // what cannot be read
	partEnd                     // nothing: the Cluster that began at at ends at end
)

// part is a piece of a file. Those of one walk follow one another without a gap,
// but for partEnd, which repeats its Cluster.
type part struct {
	kind   partKind
	id     ElementID
	at     int64  // where it begins, in the file
	data   int64  // where its data begin
	end    int64  // what follows it; of a Cluster, its data
	reason string // why a damage is one, or a block cannot be used

	claimed int64 // of a Cluster: its end by its size; -1 if it has none
	block   walked
}

// walked is what is known of a block without its frame.
type walked struct {
	track    int   // its place in the header
	cluster  int64 // its Cluster's Timestamp, in ticks
	ticks    int64 // its time; never below zero
	duration int64 // BlockDuration in ticks; 0 if none
	key      bool
	frames   int64         // more than one if they are laced
	sizes    int64         // bytes that tell how many those are and how long each is
	filler   bool          // see Block.Filler
	lasts    time.Duration // of filler
	bytes    int64         // of its frame, or of frames that are laced with their sizes
	first    bool          // in its Cluster
	flags    byte          // of its head
	dataAt   int64         // where in the file its frame begins, or the head of laced ones
}

// walker walks through one file.
type walker struct {
	src  source
	far  source // for a look at what follows
	head fileHeader
	give func(*part) error

	// the Cluster that is read
	open, timed bool
	blocks      int
	ticks       int64 // Timestamp

	held    part // read, but not given yet: what follows may prove it wrong
	holding bool

	// the Cluster that is given
	given   part
	inside  bool
	end     int64 // of the last part
	reached bool  // its claimed end was at the end of a part, and nothing of it followed
}

// run gives all parts from the start of the Segment's data to the last one that
// is whole. readStart must have succeeded.
func (w *walker) run() error {
	for at := w.head.segment; at < w.src.size; {
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
		at = p.end
	}
	if err := w.pass(); err != nil {
		return err
	}
	if w.head.tracks == nil {
		return segmentID.fail(ErrHeader, w.head.segment, "has no Tracks")
	}
	return w.close(w.end)
}

// lost goes on behind at, where p is no part of a file, and returns where.
//
// If a good Cluster begins inside of what is held, the size of that was wrong. A
// Void that is held may be one that a Repair was writing over the damage when it
// was killed. Otherwise what is held is whole, and the damage begins at at.
func (w *walker) lost(at int64, p part) (int64, error) {
	from := at + 1
	if w.holding && w.held.id != infoID && w.held.id != tracksID { // they have been read
		from = max(w.held.data, w.held.at+1)
	}
	next, err := w.src.find(from, w.src.size, w.startsAgain)
	if err != nil {
		return 0, err
	}
	if next == w.src.size { // the end of the file is cut off, or worth nothing
		return next, nil
	}
	d := part{kind: partDamage, id: p.id, at: at, data: next, end: next, reason: p.reason}
	if w.holding && (next < at || w.held.id == voidID) {
		if d.at = w.held.at; next < at {
			d.id, d.reason = w.held.id, reasonCutShort
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
func (w *walker) pass() error {
	if !w.holding {
		return nil
	}
	w.holding = false
	return w.send(&w.held)
}

// send gives p, and before it the end of the Cluster that it ends.
func (w *walker) send(p *part) error {
	if w.inside {
		if p.at == w.given.claimed {
			w.reached = true
		}
		switch {
		case p.kind == partCluster, p.kind == partTop && p.id.outside():
			if err := w.close(p.at); err != nil {
				return err
			}
		case p.kind == partBlock, p.kind == partChild && p.id.inCluster():
			w.reached = false
		}
	}
	if p.kind == partCluster {
		w.given, w.inside, w.reached = *p, true, false
	}
	w.end = p.end
	return w.give(p)
}

// close gives the end of the Cluster that is given, if there is one. It ends at
// end, or before that where its size says so, if only Voids lie between.
func (w *walker) close(end int64) error {
	if !w.inside {
		return nil
	}
	w.inside = false
	w.given.kind, w.given.end = partEnd, end
	if w.reached {
		w.given.end = w.given.claimed
	}
	return w.give(&w.given)
}
