package walk

import (
	"weir/recorder/webm/ebml"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// read returns the piece that begins at at. If none does, ok is false, and p has
// the ID and a reason.
func (w *Walker) read(at int64) (p Piece, ok bool, err error) {
	p = Piece{At: at, Reason: ebml.ReasonNoElement}
	e, ok, err := w.Window.Head(at)
	if !ok || err != nil {
		return p, false, err
	}
	p.ID, p.Data = e.ID, at+int64(e.Bytes)
	if e.ID == ebml.ClusterID {
		return w.readCluster(p, e)
	}
	if e.ID == ebml.SegmentID || e.ID == ebml.HeaderID {
		return p, false, e.ID.Fail(ErrSegments, at, "is a second one")
	}
	p.End = p.Data + e.Size
	switch {
	case e.Unknown:
		p.Reason = ebml.ReasonNoSize
		return p, false, nil
	case p.End > w.Window.Size:
		p.Reason = ebml.ReasonEnd
		return p, false, nil
	}
	p.Kind, p.Reason = Top, ""
	if e.ID.Outside() {
		w.open = false
		return p, true, w.readTop(p)
	}
	if w.open {
		p.Kind = ClusterChild
	}
	return w.readChild(p, e)
}

// readChild is read for an element that can lie in a Cluster.
func (w *Walker) readChild(p Piece, e ebml.Head) (Piece, bool, error) {
	switch e.ID {
	case ebml.VoidID:
		return p, true, nil
	case ebml.CRC32ID:
		p.Reason = ebml.ReasonNoElement
		return p, e.Size == 4, nil
	}
	if !e.ID.InCluster() { // of a later version of the format, or nonsense
		p.Reason = ebml.ReasonNoElement
		if ok, err := w.follows(p.End); !ok || err != nil {
			return p, false, err
		}
		next, err := w.Window.find(p.Data, p.End, w.startsAgain)
		return p, next == p.End, err
	}
	if !w.open {
		p.Reason = ebml.ReasonNotHere
		return p, false, nil
	}
	switch e.ID {
	case ebml.TimestampID:
		v, ok, err := w.Window.uint(p.Data, e.Size)
		w.timed = ok && v <= uint64(ebml.MaxTime/w.Head.Tick)
		w.ticks = int64(v)
		p.Reason = ebml.ReasonTooLarge
		return p, ok, err
	case ebml.SimpleBlockID, ebml.BlockGroupID:
		return w.readBlock(p)
	}
	return p, true, nil
}

// readCluster reads the head of a Cluster.
func (w *Walker) readCluster(p Piece, e ebml.Head) (Piece, bool, error) {
	if w.Head.Tracks == nil {
		return p, false, e.ID.Fail(ebml.ErrHeader, p.At, ebml.ReasonNoTracks)
	}
	p.Kind, p.End, p.Claimed = ClusterHead, p.Data, -1
	if !e.Unknown {
		p.Claimed = p.Data + e.Size
	}
	ok, err := w.Window.Opens(p.Data)
	if ok {
		w.open, w.timed, w.blocks = true, false, 0
	}
	return p, ok, err
}

// Opens reports whether at data, behind the head of a Cluster, is a first child.
func (s *Window) Opens(data int64) (bool, error) {
	first, ok, err := s.Head(data)
	if !ok || err != nil || first.Unknown {
		return false, err
	}
	switch first.ID {
	case ebml.TimestampID, ebml.CRC32ID, ebml.PositionID, ebml.PrevSizeID, ebml.VoidID:
		return true, nil
	}
	return false, nil
}

// fillable reports whether holes in a track of the codec are filled with silence.
func fillable(c media.Codec) bool {
	format, ok := codec.For(c)
	return ok && format.NewFiller != nil
}

// readBlock reads a SimpleBlock or BlockGroup. One that cannot be used is a piece
// all the same if its size is right.
func (w *Walker) readBlock(p Piece) (Piece, bool, error) {
	p.Kind = Frames
	var err error
	if p.ID == ebml.BlockGroupID {
		err = w.readGroup(&p)
	} else {
		err = w.readFields(&p, p.Data, p.End)
		p.Block.Key = p.Block.Flags&ebml.FlagKey != 0
		if err == nil && p.Block.Flags&ebml.FlagDiscard != 0 && p.Reason == "" && fillable(w.Head.Tracks[p.Block.Track].Codec) {
			err = w.readFiller(&p)
		}
	}
	if err != nil {
		return p, false, err
	}
	if p.Reason != "" && p.Reason != ebml.ReasonNoTime {
		ok, err := w.follows(p.End)
		return p, ok, err
	}
	if p.Reason == "" {
		p.Block.First = w.blocks == 0
		w.blocks++
	}
	return p, true, nil
}

// readFields reads what precedes the frame in the data of a SimpleBlock or Block
// (RFC 9559 sections 10.1 and 10.2), from at to end, into p.
func (w *Walker) readFields(p *Piece, at, end int64) error {
	b, err := w.Window.Peek(at, int(min(ebml.MaxBlockHead, end-at)))
	if err != nil {
		return err
	}
	head, ok := ebml.ParseBlockHead(b)
	if !ok {
		p.Reason = ebml.ReasonShortBlock
		return nil
	}
	track, ok := w.Head.byNumber(head.Number)
	if !ok {
		p.Reason = ebml.ReasonNoTrack
		return nil
	}
	if !w.timed {
		p.Reason = ebml.ReasonNoTime
		return nil
	}
	p.Block.Track, p.Block.Cluster = track, w.ticks
	p.Block.Ticks = max(0, w.ticks+int64(head.Offset))
	p.Block.DataAt, p.Block.Flags = at+int64(head.Bytes), head.Flags
	p.Block.Bytes = end - p.Block.DataAt
	if p.Block.Frames = 1; head.Flags&ebml.FlagLacing != ebml.LacingNone {
		return w.readLacing(&p.Block)
	}
	return nil
}

// readLacing reads how many frames are in a block, and how much of it tells their
// sizes. Of sizes that are wrong as much counts as there is.
func (w *Walker) readLacing(b *Block) error {
	head, err := w.Window.Peek(b.DataAt, int(min(windowBytes, b.Bytes)))
	if err != nil || len(head) == 0 {
		return err
	}
	b.Frames = int64(head[0]) + 1
	b.Sizes = int64(ebml.LaceHead(b.Flags, head))
	return nil
}

// readFiller reads how long silence lasts that weir put into a hole. In a file of
// another program, which FillSound leaves that program's, the packet tells as well:
// other programs that mark sound as discardable mean something of their own.
func (w *Walker) readFiller(p *Piece) error {
	packet, err := w.Window.Peek(p.Block.DataAt, int(min(codec.OpusSilence, p.Block.Bytes)))
	if err != nil || !w.Head.Own && (p.Block.Bytes != codec.OpusSilence || !codec.IsOpusSilence(packet)) {
		return err
	}
	p.Block.Filler, p.Block.Lasts = true, codec.OpusDuration(packet)
	return nil
}

// readGroup reads the children of a BlockGroup (RFC 9559 section 5.1.3.5).
func (w *Walker) readGroup(p *Piece) error {
	var group ebml.Group
	for at := p.Data; at < p.End; {
		e, ok, err := w.Window.Head(at)
		if err != nil {
			return err
		}
		data := at + int64(e.Bytes)
		if !ok || e.Unknown || data+e.Size > p.End {
			p.Reason = ebml.ReasonOverrun
			return nil
		}
		at = data + e.Size
		wanted, reason := group.Child(e)
		switch {
		case reason == ebml.ReasonSecond:
			p.Reason = reason
			return nil
		case !wanted: // or a BlockDuration of nonsense: the Block is good all the same
		case e.ID == ebml.BlockID:
			if err := w.readFields(p, data, at); err != nil || p.Reason != "" {
				return err
			}
		default:
			v, ok, err := w.Window.uint(data, e.Size)
			if err != nil {
				return err
			}
			if ok && v <= uint64(ebml.MaxTime/w.Head.Tick) {
				p.Block.Duration = int64(v)
			}
		}
	}
	if !group.HasBlock {
		p.Reason = ebml.ReasonNoBlock
	}
	p.Block.Key = group.Key()
	return nil
}
