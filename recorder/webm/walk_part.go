package webm

import (
	"weir/sfu/codec"
	"weir/sfu/media"
)

// read returns the part that begins at at. If none does, ok is false, and p has
// the ID and a reason.
func (w *walker) read(at int64) (p part, ok bool, err error) {
	p = part{at: at, reason: reasonNoElement}
	e, ok, err := w.src.head(at)
	if !ok || err != nil {
		return p, false, err
	}
	p.id, p.data = e.id, at+int64(e.bytes)
	if e.id == clusterID {
		return w.readCluster(p, e)
	}
	if e.id == segmentID || e.id == ebmlID {
		return p, false, e.id.fail(ErrSegments, at, "is a second one")
	}
	p.end = p.data + e.size
	switch {
	case e.unknown:
		p.reason = reasonNoSize
		return p, false, nil
	case p.end > w.src.size:
		p.reason = reasonEnd
		return p, false, nil
	}
	p.kind, p.reason = partTop, ""
	if e.id.outside() {
		w.open = false
		return p, true, w.readTop(p)
	}
	if w.open {
		p.kind = partChild
	}
	switch e.id {
	case voidID:
		return p, true, nil
	case crc32ID:
		p.reason = reasonNoElement
		return p, e.size == 4, nil
	}
	if !e.id.inCluster() { // of a later version of the format, or nonsense
		p.reason = reasonNoElement
		if ok, err := w.follows(p.end); !ok || err != nil {
			return p, false, err
		}
		next, err := w.src.find(p.data, p.end, w.startsAgain)
		return p, next == p.end, err
	}
	if !w.open {
		p.reason = reasonNotHere
		return p, false, nil
	}
	switch e.id {
	case timestampID:
		v, ok, err := w.src.uint(p.data, e.size)
		w.timed = ok && v <= uint64(maxTime/w.head.tick)
		w.ticks = int64(v)
		p.reason = reasonTooLarge
		return p, ok, err
	case simpleBlockID, blockGroupID:
		return w.readBlock(p)
	}
	return p, true, nil
}

// readCluster reads the head of a Cluster.
func (w *walker) readCluster(p part, e elementHead) (part, bool, error) {
	if w.head.tracks == nil {
		return p, false, e.id.fail(ErrHeader, p.at, reasonNoTracks)
	}
	p.kind, p.end, p.claimed = partCluster, p.data, -1
	if !e.unknown {
		p.claimed = p.data + e.size
	}
	ok, err := w.src.opens(p.data)
	if ok {
		w.open, w.timed, w.blocks = true, false, 0
	}
	return p, ok, err
}

// opens says whether at data, behind the head of a Cluster, is a first child.
func (s *source) opens(data int64) (bool, error) {
	first, ok, err := s.head(data)
	if !ok || err != nil || first.unknown {
		return false, err
	}
	switch first.id {
	case timestampID, crc32ID, positionID, prevSizeID, voidID:
		return true, nil
	}
	return false, nil
}

// readBlock reads a SimpleBlock or BlockGroup. One that cannot be used is a part
// all the same if its size is right.
func (w *walker) readBlock(p part) (part, bool, error) {
	p.kind = partBlock
	var err error
	if p.id == blockGroupID {
		err = w.readGroup(&p)
	} else {
		err = w.readFields(&p, p.data, p.end)
		p.block.key = p.block.flags&flagKey != 0
		if err == nil && p.block.flags&flagDiscard != 0 && p.reason == "" && w.head.tracks[p.block.track].Codec == media.Opus {
			err = w.readFiller(&p)
		}
	}
	if err != nil {
		return p, false, err
	}
	if p.reason != "" && p.reason != reasonNoTime {
		ok, err := w.follows(p.end)
		return p, ok, err
	}
	if p.reason == "" {
		p.block.first = w.blocks == 0
		w.blocks++
	}
	return p, true, nil
}

// readFields reads what precedes the frame in the data of a SimpleBlock or Block
// (RFC 9559 sections 10.1 and 10.2), from at to end, into p.
func (w *walker) readFields(p *part, at, end int64) error {
	b, err := w.src.peek(at, int(min(maxBlockHead, end-at)))
	if err != nil {
		return err
	}
	head, ok := parseBlockHead(b)
	if !ok {
		p.reason = reasonShortBlock
		return nil
	}
	track, ok := w.head.byNumber(head.number)
	if !ok {
		p.reason = reasonNoTrack
		return nil
	}
	if !w.timed {
		p.reason = reasonNoTime
		return nil
	}
	p.block.track, p.block.cluster = track, w.ticks
	p.block.ticks = max(0, w.ticks+int64(head.offset))
	p.block.dataAt, p.block.flags = at+int64(head.bytes), head.flags
	p.block.bytes = end - p.block.dataAt
	if p.block.frames = 1; head.flags&flagLacing != lacingNone {
		return w.readLacing(&p.block)
	}
	return nil
}

// readLacing reads how many frames are in a block, and how much of it tells their
// sizes. Of sizes that are wrong as much counts as there is.
func (w *walker) readLacing(b *walked) error {
	head, err := w.src.peek(b.dataAt, int(min(sourceWindow, b.bytes)))
	if err != nil || len(head) == 0 {
		return err
	}
	b.frames = int64(head[0]) + 1
	b.sizes = int64(laceHead(b.flags, head))
	return nil
}

// readFiller reads how long silence lasts that weir put into a hole. In a file of
// another program, which FillSound leaves that program's, the packet tells as well: who
// else marks sound as discardable has a meaning of their own.
func (w *walker) readFiller(p *part) error {
	packet, err := w.src.peek(p.block.dataAt, int(min(codec.OpusSilence, p.block.bytes)))
	if err != nil || !w.head.own && (p.block.bytes != codec.OpusSilence || !codec.IsOpusSilence(packet)) {
		return err
	}
	p.block.filler, p.block.lasts = true, codec.OpusDuration(packet)
	return nil
}

// readGroup reads the children of a BlockGroup (RFC 9559 section 5.1.3.5).
func (w *walker) readGroup(p *part) error {
	var group Group
	for at := p.data; at < p.end; {
		e, ok, err := w.src.head(at)
		if err != nil {
			return err
		}
		data := at + int64(e.bytes)
		if !ok || e.unknown || data+e.size > p.end {
			p.reason = reasonOverrun
			return nil
		}
		at = data + e.size
		wanted, reason := group.child(e)
		switch {
		case reason == reasonSecond:
			p.reason = reason
			return nil
		case !wanted: // or a BlockDuration of nonsense: the Block is good all the same
		case e.id == blockID:
			if err := w.readFields(p, data, at); err != nil || p.reason != "" {
				return err
			}
		default:
			v, ok, err := w.src.uint(data, e.size)
			if err != nil {
				return err
			}
			if ok && v <= uint64(maxTime/w.head.tick) {
				p.block.duration = int64(v)
			}
		}
	}
	if !group.hasBlock {
		p.reason = reasonNoBlock
	}
	p.block.key = group.key()
	return nil
}
