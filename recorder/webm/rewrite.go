package webm

import (
	"fmt"
	"io"
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
func Rewrite(r io.ReaderAt, size int64, to File) (Report, error) {
	w, s, p, err := examine(r, size)
	if err != nil {
		return Report{}, err
	}
	report := s.report(p)
	c := &copier{from: r, to: to, head: &w.head, report: &report}
	if err := c.begin(s); err != nil {
		return report, err
	}
	walk := newWalker(r, s.end)
	walk.give = c.add
	if err := walk.readStart(); err != nil {
		return report, err
	}
	if err := walk.run(); err != nil {
		return report, err
	}
	return report, c.finish()
}

// copier copies the parts of a file.
type copier struct {
	from   io.ReaderAt
	to     File
	head   *fileHeader
	report *Report

	layout  layout
	buf     []byte // for copying
	pending span   // to be copied, in the old file
	written int64  // bytes handed to to
	others  []seek // what else the SeekHead names
	index   index

	start   int64 // of the Cluster in the new file; 0 while it has no block
	cluster int64 // its Timestamp, in ticks
}

// begin writes everything that precedes the first Cluster but what the file itself
// may have besides Info and Tracks.
func (c *copier) begin(s *survey) error {
	head := make([]byte, c.head.sizeAt-4) // the EBML header and what is behind it
	if len(head) > maxHeaderPart {
		return segmentID.fail(ErrHeader, c.head.sizeAt-4, "begins too late")
	}
	if err := readFull(c.from, head, 0); err != nil {
		return err
	}
	l := &c.layout
	b := appendID(head, segmentID)
	l.segmentSize = int64(len(b))
	b = append(b, unknownSize...)
	l.segment = int64(len(b))
	l.seekHead, l.seekRoom = l.segment, seekHeadBytes
	for _, t := range s.tops {
		if named(t.id) && l.seekRoom < seekHeadBytes+5*seekBytes {
			l.seekRoom += seekBytes
		}
	}
	b = appendVoid(b, l.seekRoom)
	l.info = int64(len(b))
	info, err := c.info()
	if err != nil {
		return err
	}
	b = append(b, info...)
	l.duration = int64(len(b)) - durationBytes

	l.tracks = int64(len(b))
	tracks := make([]byte, c.head.at.end-c.head.at.at)
	if err := readFull(c.from, tracks, c.head.at.at); err != nil {
		return err
	}
	for _, at := range s.silent() {
		tracks[at-c.head.at.at] = byte(voidID)
	}
	b = append(b, tracks...)
	l.index = int64(len(b))
	l.indexRoom = voidHead + (defaultReserve-voidHead)/cueBytes*cueBytes
	b = appendVoid(b, l.indexRoom)
	return c.write(b)
}

// info returns the file's Info with room for a Duration as its last child.
func (c *copier) info() ([]byte, error) {
	var body []byte
	if p := c.head.info; p.end > 0 {
		data := make([]byte, p.end-p.data)
		if err := readFull(c.from, data, p.data); err != nil {
			return nil, err
		}
		// What cannot be read ends it.
		_ = eachChild(data, 0, func(e child) error {
			if e.id != durationID && e.id != crc32ID && e.id != voidID {
				body = append(body, data[e.at:e.dataAt+int64(len(e.data))]...)
			}
			return nil
		})
	} else {
		more, err := marshal(&struct {
			TimecodeScale uint64 `ebml:"TimecodeScale"`
			MuxingApp     string `ebml:"MuxingApp"`
			WritingApp    string `ebml:"WritingApp"`
		}{uint64(defaultTick), "unknown", muxingApp})
		if err != nil {
			return nil, err
		}
		body = more
	}
	body = appendVoid(body, durationBytes)
	b := appendSize(appendID(nil, infoID), uint64(len(body)))
	return append(b, body...), nil
}

// add takes the next part of the file. Positions, sizes and checksums in Clusters
// are those of the old file, so they are left out, and so are empty Clusters.
func (c *copier) add(p *part) error {
	switch p.kind {
	case partTop:
		if !named(p.id) {
			return nil
		}
		c.others = append(c.others, seekTo(p.id, c.end()-c.layout.segment))
		return c.copy(p)
	case partCluster:
		c.start = 0
	case partChild:
		if c.start > 0 && (p.id == silentTracksID || p.id == encryptedBlockID) {
			return c.copy(p)
		}
	case partBlock:
		if p.reason != "" {
			return nil
		}
		return c.block(p)
	case partEnd:
		if c.start == 0 {
			return nil
		}
		at := c.start
		c.start = 0
		if err := c.flush(); err != nil {
			return err
		}
		return patch{at + int64(clusterID.bytes()), appendWideSize(nil, uint64(c.written-at-clusterHead), 8)}.write(c.to)
	}
	return nil
}

// block copies a block, and ahead of the first of a Cluster the Cluster's head.
func (c *copier) block(p *part) error {
	if c.start == 0 {
		if err := c.open(p.block.cluster); err != nil {
			return err
		}
	}
	c.index.take(c.head, &p.block, c.start-c.layout.segment)
	return c.copy(p)
}

// open begins a Cluster with that Timestamp in ticks.
func (c *copier) open(ticks int64) error {
	if err := c.flush(); err != nil {
		return err
	}
	c.start, c.cluster = c.written, ticks
	return c.write(appendClusterAt(nil, ticks))
}

// copy copies a part.
func (c *copier) copy(p *part) error {
	if c.pending.end == p.at {
		c.pending.end = p.end
		return nil
	}
	if err := c.flush(); err != nil {
		return err
	}
	c.pending = span{at: p.at, end: p.end}
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
		if err := readFull(c.from, b, at); err != nil {
			return err
		}
		if err := c.write(b); err != nil {
			return err
		}
		at += int64(len(b))
	}
	c.pending = span{}
	return nil
}

func (c *copier) write(b []byte) error {
	n, err := c.to.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	c.written += int64(n)
	return nil
}

// finish writes what is known only at the end.
func (c *copier) finish() error {
	if err := c.flush(); err != nil {
		return err
	}
	sum := summary{others: c.others, duration: c.report.Duration, tick: c.head.tick}
	cues := c.index.cues()
	front := thin(cues, (c.layout.indexRoom-cuesHead)/c.head.cueBytes())
	b, err := renderCues(cues)
	if len(front) > 0 {
		b, err = renderCues(front)
		sum.front, sum.cues = b, c.layout.index
	} else if len(cues) > 0 && err == nil {
		sum.cues = c.written
		err = c.write(b)
	}
	if err != nil {
		return err
	}
	sum.end = c.written
	patches, err := sum.header(c.layout)
	if err != nil {
		return err
	}
	for _, p := range patches {
		if err := p.write(c.to); err != nil {
			return err
		}
	}
	return nil
}
