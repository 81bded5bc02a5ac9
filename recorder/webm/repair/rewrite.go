package repair

import (
	"fmt"
	"io"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/recorder/webm/walk"
)

// copyBytes is how much is copied at once.
const copyBytes = 256 << 10

// Rewrite copies a file of the given size in bytes to another one, which is whole
// and has its index in front. Blocks are copied as they are, with the Tracks and
// all else that the file says of itself; what cannot be read is left out. Like a
// recording, the copy plays while it is being written.
//
// The report tells how the file was found. An error wraps ErrWrite or what Verify
// returns.
func Rewrite(r io.ReaderAt, size int64, to webm.File) (Report, error) {
	w, s, p, err := examine(r, size)
	if err != nil {
		return Report{}, err
	}
	report := s.report(p)
	c := &copier{from: r, to: to, head: &w.Head, report: &report}
	if err := c.writeHead(s); err != nil {
		return report, err
	}
	again := walk.New(r, s.end)
	again.Give = c.add
	if err := again.ReadStart(); err != nil {
		return report, err
	}
	if err := again.Run(); err != nil {
		return report, err
	}
	return report, c.finish()
}

// copier copies the pieces of a file.
type copier struct {
	from   io.ReaderAt
	to     webm.File
	head   *walk.Header
	report *Report

	layout  layout.Layout
	buf     []byte        // for copying
	pending span          // to be copied, in the old file
	written int64         // bytes handed to to
	others  []layout.Seek // what else the SeekHead names
	index   layout.Index

	start   int64 // of the Cluster in the new file; 0 while it has no block
	cluster int64 // its Timestamp, in ticks
}

// writeHead writes everything that precedes the first Cluster but what the file itself
// may have besides Info and Tracks.
func (c *copier) writeHead(s *survey) error {
	head := make([]byte, c.head.SizeAt-4) // the EBML header and what is behind it
	if len(head) > walk.MaxHeaderPart {
		return ebml.SegmentID.Fail(ebml.ErrHeader, c.head.SizeAt-4, "begins too late")
	}
	if err := walk.ReadFull(c.from, head, 0); err != nil {
		return err
	}
	l := &c.layout
	b := ebml.AppendID(head, ebml.SegmentID)
	l.SegmentSize = int64(len(b))
	b = append(b, ebml.UnknownSize...)
	l.Segment = int64(len(b))
	l.SeekHead, l.SeekRoom = l.Segment, layout.SeekHeadBytes
	for _, t := range s.tops {
		if named(t.id) && l.SeekRoom < layout.SeekHeadBytes+5*layout.SeekBytes {
			l.SeekRoom += layout.SeekBytes
		}
	}
	b = ebml.AppendVoid(b, l.SeekRoom)
	l.Info = int64(len(b))
	info, err := c.info()
	if err != nil {
		return err
	}
	b = append(b, info...)
	l.Duration = int64(len(b)) - ebml.DurationBytes

	l.Tracks = int64(len(b))
	tracks := make([]byte, c.head.TracksPart.End-c.head.TracksPart.At)
	if err := walk.ReadFull(c.from, tracks, c.head.TracksPart.At); err != nil {
		return err
	}
	for _, at := range s.silent() {
		tracks[at-c.head.TracksPart.At] = byte(ebml.VoidID)
	}
	b = append(b, tracks...)
	l.Index = int64(len(b))
	l.IndexRoom = ebml.VoidHead + (layout.DefaultReserve-ebml.VoidHead)/layout.CueBytes*layout.CueBytes
	b = ebml.AppendVoid(b, l.IndexRoom)
	return c.writeBytes(b)
}

// info returns the file's Info with room for a Duration as its last child.
func (c *copier) info() ([]byte, error) {
	var body []byte
	if p := c.head.InfoPart; p.End > 0 {
		data := make([]byte, p.End-p.Data)
		if err := walk.ReadFull(c.from, data, p.Data); err != nil {
			return nil, err
		}
		// An element that cannot be read ends it.
		_ = ebml.EachChild(data, 0, func(e ebml.Child) error {
			if e.ID != ebml.DurationID && e.ID != ebml.CRC32ID && e.ID != ebml.VoidID {
				body = append(body, data[e.At:e.DataAt+int64(len(e.Data))]...)
			}
			return nil
		})
	} else {
		var err error
		if body, err = layout.RenderUnknown(); err != nil {
			return nil, err
		}
	}
	body = ebml.AppendVoid(body, ebml.DurationBytes)
	b := ebml.AppendSize(ebml.AppendID(nil, ebml.InfoID), uint64(len(body)))
	return append(b, body...), nil
}

// add takes the next piece of the file. Positions, sizes and checksums in Clusters
// are those of the old file, so they are left out, and so are empty Clusters.
func (c *copier) add(p *walk.Piece) error {
	switch p.Kind {
	case walk.Top:
		if !named(p.ID) {
			return nil
		}
		c.others = append(c.others, layout.SeekTo(p.ID, c.end()-c.layout.Segment))
		return c.copy(p)
	case walk.ClusterHead:
		c.start = 0
	case walk.ClusterChild:
		if c.start > 0 && (p.ID == ebml.SilentTracksID || p.ID == ebml.EncryptedBlockID) {
			return c.copy(p)
		}
	case walk.Frames:
		if p.Reason != "" {
			return nil
		}
		return c.block(p)
	case walk.ClusterEnd:
		if c.start == 0 {
			return nil
		}
		at := c.start
		c.start = 0
		if err := c.flush(); err != nil {
			return err
		}
		return layout.Patch{At: at + int64(ebml.ClusterID.Width()), Data: ebml.AppendWideSize(nil, uint64(c.written-at-ebml.ClusterHead), 8)}.Write(c.to)
	}
	return nil
}

// block copies a block, and ahead of the first of a Cluster the Cluster's head.
func (c *copier) block(p *walk.Piece) error {
	if c.start == 0 {
		if err := c.open(p.Block.Cluster); err != nil {
			return err
		}
	}
	indexBlock(&c.index, c.head, &p.Block, c.start-c.layout.Segment)
	return c.copy(p)
}

// open begins a Cluster with that Timestamp in ticks.
func (c *copier) open(ticks int64) error {
	if err := c.flush(); err != nil {
		return err
	}
	c.start, c.cluster = c.written, ticks
	return c.writeBytes(ebml.AppendClusterAt(nil, ticks))
}

// copy copies a piece.
func (c *copier) copy(p *walk.Piece) error {
	if c.pending.end == p.At {
		c.pending.end = p.End
		return nil
	}
	if err := c.flush(); err != nil {
		return err
	}
	c.pending = span{at: p.At, end: p.End}
	return nil
}

// end returns the length of the copy so far.
func (c *copier) end() int64 { return c.written + c.pending.end - c.pending.at }

// flush copies what is pending.
func (c *copier) flush() error {
	if c.buf == nil {
		c.buf = make([]byte, copyBytes)
	}
	for at := c.pending.at; at < c.pending.end; {
		b := c.buf[:min(copyBytes, c.pending.end-at)]
		if err := walk.ReadFull(c.from, b, at); err != nil {
			return err
		}
		if err := c.writeBytes(b); err != nil {
			return err
		}
		at += int64(len(b))
	}
	c.pending = span{}
	return nil
}

func (c *copier) writeBytes(b []byte) error {
	n, err := c.to.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("%w: %w", layout.ErrWrite, err)
	}
	c.written += int64(n)
	return nil
}

// finish writes what is known only at the end.
func (c *copier) finish() error {
	if err := c.flush(); err != nil {
		return err
	}
	sum := layout.Summary{Others: c.others, Duration: c.report.Duration, Tick: c.head.Tick}
	cues := c.index.Cues()
	front := layout.Thin(cues, (c.layout.IndexRoom-layout.CuesHead)/entryBytes(c.head))
	b, err := layout.RenderCues(cues)
	if len(front) > 0 {
		b, err = layout.RenderCues(front)
		sum.Front, sum.Cues = b, c.layout.Index
	} else if len(cues) > 0 && err == nil {
		sum.Cues = c.written
		err = c.writeBytes(b)
	}
	if err != nil {
		return err
	}
	sum.End = c.written
	patches, err := sum.Header(c.layout)
	if err != nil {
		return err
	}
	for _, p := range patches {
		if err := p.Write(c.to); err != nil {
			return err
		}
	}
	return nil
}
