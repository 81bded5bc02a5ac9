package repair

import (
	"io"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/walk"
	"weir/sfu/codec"
	"weir/sfu/media"
)

const (
	// fillAhead is how much of a file's time is looked through for sound that belongs
	// ahead of a picture: programs write sound up to a second or two behind.
	fillAhead = 5 * time.Second
	// maxFillAhead is how many pieces are looked through.
	maxFillAhead = 4096
	// fillSpan is the longest time that a Cluster of silence covers.
	fillSpan = 5 * time.Second
	// fillSoon is how soon sound may come behind a picture when it is nowhere to be
	// seen.
	fillSoon = 10 * time.Millisecond
)

// Filled tells what silence a file needs, or got.
type Filled struct {
	Holes    int64         // places where sound was missing
	Frames   int64         // of silence
	Duration time.Duration // of all of them
}

// Holes tells what FillSound would put into a file of the given size in bytes, and
// changes nothing. Errors are those of Verify.
func Holes(r io.ReaderAt, size int64) (Filled, error) {
	w, s, _, err := examine(r, size)
	if err != nil {
		return Filled{}, err
	}
	f := newFiller(r, &w.Head)
	return f.filled, f.run(r, s.end)
}

// FillSound is Rewrite, and puts silence where the Opus tracks of the file have a hole,
// from the first picture on. It drops nothing: where sound is longer than its time, the
// next hole is filled less.
func FillSound(r io.ReaderAt, size int64, to webm.File) (Report, Filled, error) {
	w, s, p, err := examine(r, size)
	if err != nil {
		return Report{}, Filled{}, err
	}
	report := s.report(p)
	f := newFiller(r, &w.Head)
	f.to = &copier{from: r, to: to, head: &w.Head, report: &report}
	if err := f.to.writeHead(s); err != nil {
		return report, f.filled, err
	}
	if err := f.run(r, s.end); err != nil {
		return report, f.filled, err
	}
	return report, f.filled, f.to.finish()
}

// filler goes through the pieces of a file and finds the holes in its sound.
type filler struct {
	to     *copier     // nil: it only looks
	src    walk.Window // for what is in blocks of sound
	head   *walk.Header
	sound  []soundTrack
	sizes  [ebml.MaxLaced]int // of laced sound
	filled Filled

	queue  []walk.Piece  // read, not yet copied
	newest time.Duration // of the blocks in the queue
	ended  bool          // nothing follows
	closed *walk.Piece   // the end of the Cluster that was copied last, if that is still open
}

// soundTrack is a track whose holes can be filled.
type soundTrack struct {
	track   int // its place in the header
	account codec.OpusFiller
	inHole  bool
}

func newFiller(r io.ReaderAt, h *walk.Header) *filler {
	f := &filler{head: h}
	for i, t := range h.Tracks {
		if format, ok := codec.For(t.Codec); ok && format.NewFiller != nil {
			f.sound = append(f.sound, soundTrack{track: i})
		}
	}
	return f
}

// run goes through a file up to end.
func (f *filler) run(r io.ReaderAt, end int64) error {
	f.src = walk.NewWindow(r, end)
	w := walk.New(r, end)
	w.Give = f.add
	if err := w.ReadStart(); err != nil {
		return err
	}
	if err := w.Run(); err != nil {
		return err
	}
	f.ended = true
	if err := f.release(); err != nil {
		return err
	}
	return f.close()
}

// add takes the next piece.
func (f *filler) add(p *walk.Piece) error {
	f.queue = append(f.queue, *p)
	if f.usable(p) {
		f.newest = max(f.newest, f.time(p))
	}
	return f.release()
}

func (f *filler) usable(p *walk.Piece) bool { return p.Kind == walk.Frames && p.Reason == "" }

func (f *filler) time(p *walk.Piece) time.Duration { return time.Duration(p.Block.Ticks) * f.head.Tick }

func (f *filler) isSound(s *soundTrack, p *walk.Piece) bool {
	return f.usable(p) && p.Block.Track == s.track
}

// release copies the pieces whose turn it is.
func (f *filler) release() error {
	n := 0
	for n < len(f.queue) {
		p := &f.queue[n]
		if f.usable(p) {
			known, err := f.fillBefore(p, f.queue[n+1:])
			if err != nil {
				return err
			}
			if !known {
				break
			}
		}
		if err := f.copy(p); err != nil {
			return err
		}
		n++
	}
	f.queue = append(f.queue[:0], f.queue[n:]...)
	return nil
}

// fillBefore puts the silence in that belongs ahead of a block. It returns false if it
// takes more of the file to know it.
func (f *filler) fillBefore(p *walk.Piece, behind []walk.Piece) (known bool, err error) {
	of := &f.head.Tracks[p.Block.Track]
	at, picture := f.time(p), of.Carries(media.Video)
	for i := range f.sound {
		if _, known := f.next(&f.sound[i], at, behind); picture && !known {
			return false, nil
		}
	}
	for i := range f.sound {
		s := &f.sound[i]
		switch {
		case picture:
			s.account.Begin(at)
			next, _ := f.next(s, at, behind)
			err = f.fill(s, p, next)
		case f.isSound(s, p):
			if err = f.fill(s, p, at); err == nil {
				err = f.hear(s, p)
			}
		}
		if err != nil {
			return false, err
		}
	}
	return true, nil
}

// next returns the time of a track's next sound, or if there is none for long, one that
// it will hardly be before. It returns false if it takes more of the file to know it.
func (f *filler) next(s *soundTrack, at time.Duration, behind []walk.Piece) (time.Duration, bool) {
	for i := range behind {
		if f.isSound(s, &behind[i]) {
			return f.time(&behind[i]), true
		}
	}
	return at + fillSoon, f.ended || f.newest-at >= fillAhead || len(behind) >= maxFillAhead
}

// fill puts silence into a track ahead of the block p, as far as there is a hole up to
// the time next.
func (f *filler) fill(s *soundTrack, p *walk.Piece, next time.Duration) error {
	to := f.time(p)
	for {
		silence, ok := s.account.Hole(next)
		if !ok || silence.Time >= to {
			return nil
		}
		s.account.AddSilence(silence)
		if !s.inHole {
			s.inHole = true
			f.filled.Holes++
		}
		f.filled.Frames++
		f.filled.Duration += silence.Duration
		if f.to == nil {
			continue
		}
		if err := f.writeSilence(s, silence, p); err != nil {
			return err
		}
	}
}

// hear puts the packets of a block to the account of its track.
func (f *filler) hear(s *soundTrack, p *walk.Piece) error {
	s.inHole = false
	at := f.time(p)
	if p.Block.Flags&ebml.FlagLacing == ebml.LacingNone {
		const head = 2 // they tell how long a packet lasts
		data, err := f.src.Peek(p.Block.DataAt, int(min(head, p.Block.Bytes)))
		s.account.Add(at, data)
		return err
	}
	if p.Block.Bytes > ebml.MaxFrame || p.Block.Bytes < 1 {
		return nil
	}
	data := make([]byte, p.Block.Bytes)
	if err := walk.ReadFull(f.src.File, data, p.Block.DataAt); err != nil {
		return err
	}
	frames, sizes, ok := ebml.Unlace(p.Block.Flags, data, &f.sizes)
	if !ok {
		return nil
	}
	for _, size := range sizes {
		s.account.Add(at, frames[:size])
		frames = frames[size:]
	}
	return nil
}

// copy copies a piece. The end of a Cluster waits until it is known whether silence
// belongs there.
func (f *filler) copy(p *walk.Piece) error {
	if f.to == nil {
		return nil
	}
	switch {
	case p.Kind == walk.ClusterEnd:
		end := *p
		f.closed = &end
		return nil
	case p.Kind == walk.ClusterHead, p.Kind == walk.ClusterChild && f.closed != nil:
		return nil // the copier begins one with its first block
	case p.Kind == walk.Top, f.usable(p):
		if err := f.close(); err != nil {
			return err
		}
	}
	return f.to.add(p)
}

// close ends the Cluster that waits for that.
func (f *filler) close() error {
	if f.closed == nil || f.to == nil {
		return nil
	}
	p := f.closed
	f.closed = nil
	return f.to.add(p)
}

// writeSilence puts silence ahead of the block p: into its Cluster, if that begins before, or
// else into the one before or one of its own.
func (f *filler) writeSilence(s *soundTrack, silence codec.Silence, p *walk.Piece) error {
	ticks := int64(silence.Time / f.head.Tick)
	switch {
	case ticks >= p.Block.Cluster && (f.closed != nil || f.to.start == 0):
		if err := f.close(); err != nil {
			return err
		}
		if err := f.to.open(p.Block.Cluster); err != nil {
			return err
		}
	case f.to.start == 0:
		if err := f.to.open(ticks); err != nil {
			return err
		}
		f.closed = &walk.Piece{Kind: walk.ClusterEnd}
	case f.closed != nil && (ticks < f.to.cluster || ticks-f.to.cluster > min(ebml.MaxOffset, int64(fillSpan/f.head.Tick))):
		if err := f.close(); err != nil {
			return err
		}
		if err := f.to.open(ticks); err != nil {
			return err
		}
		f.closed = &walk.Piece{Kind: walk.ClusterEnd}
	}
	if err := f.to.flush(); err != nil {
		return err
	}
	offset := min(max(ticks-f.to.cluster, 0), ebml.MaxOffset)
	number := f.head.Tracks[s.track].Number
	return f.to.writeBytes(ebml.AppendBlock(nil, number, offset, ebml.FlagKey|ebml.FlagDiscard, silence.Data))
}
