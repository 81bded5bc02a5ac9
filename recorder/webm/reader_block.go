package webm

import (
	"bytes"
	"time"
)

// Flags of a block (RFC 9559 sections 10.1 and 10.2).
const (
	flagKey     = 0x80 // in SimpleBlocks only
	flagLacing  = 0x06
	flagDiscard = 0x01 // in SimpleBlocks only: "discardable". Here: no medium, see Block.Filler
)

func keyFlag(key bool) byte {
	if key {
		return flagKey
	}
	return 0
}

// Kinds of lacing (RFC 9559 section 10.3).
const (
	lacingNone  = 0x00
	lacingXiph  = 0x02
	lacingFixed = 0x04
	lacingEBML  = 0x06
)

// maxLaced is the most frames that a block holds: one byte tells their number.
const maxLaced = 256

// block is a SimpleBlock or Block.
type block struct {
	track       int // its place in the header
	time        time.Duration
	flags       byte
	key         bool
	discardable bool
	duration    time.Duration // BlockDuration; 0 if none
	sizes       []int         // of the frames, in bytes; they add up to len(data)
	data        []byte        // the frames
}

// parseBlock parses the data of a block. It returns a reason if it cannot be used.
func (r *Reader) parseBlock(data []byte) (b block, reason string) {
	number, n, _, ok := parseVint(data)
	if !ok || len(data) <= n+3 {
		return b, reasonShortBlock
	}
	b.track = -1
	for i := range r.header.tracks {
		if r.header.tracks[i].Number == number {
			b.track = i
		}
	}
	if b.track < 0 {
		return b, reasonNoTrack
	}
	offset := int16(uint16(data[n])<<8 | uint16(data[n+1]))
	b.time = time.Duration(r.cluster.time+int64(offset))*r.header.tick - r.header.tracks[b.track].CodecDelay
	b.flags = data[n+2]
	b.data = data[n+3:]
	b.sizes = r.sizes[:1]
	b.sizes[0] = len(b.data)
	if b.flags&flagLacing != lacingNone {
		b.sizes = r.sizes[:int(b.data[0])+1]
		b.data = b.data[1:]
		if !b.unlace() {
			return b, reasonLacing
		}
	}
	return b, ""
}

// unlace reads the sizes of len(b.sizes) laced frames from the front of b.data. It
// returns false if they do not fit or a frame is empty.
func (b *block) unlace() bool {
	told := b.sizes[:len(b.sizes)-1] // the last frame is the rest
	ok := false
	switch b.flags & flagLacing {
	case lacingXiph:
		b.data, ok = xiphSizes(b.data, told)
	case lacingEBML:
		b.data, ok = ebmlSizes(b.data, told)
	case lacingFixed:
		ok = len(b.data)%len(b.sizes) == 0
		for i := range told {
			told[i] = len(b.data) / len(b.sizes)
		}
	}
	rest := len(b.data)
	for _, size := range told {
		if !ok || size <= 0 || size > rest {
			return false
		}
		rest -= size
	}
	b.sizes[len(told)] = rest
	return ok && rest > 0
}

// xiphSizes reads sizes as sums of bytes, of which all but the last are 255 (RFC
// 9559 section 10.3.2). It returns what follows them.
func xiphSizes(p []byte, sizes []int) ([]byte, bool) {
	for i := range sizes {
		sizes[i] = 0
		for more := true; more; {
			if len(p) == 0 {
				return nil, false
			}
			sizes[i] += int(p[0])
			more = p[0] == 255
			p = p[1:]
		}
	}
	return p, true
}

// ebmlSizes reads the first size as a variable-size integer and the others as
// differences, moved so as to be unsigned (RFC 9559 section 10.3.3). It returns
// what follows them.
func ebmlSizes(p []byte, sizes []int) ([]byte, bool) {
	size := int64(0)
	for i := range sizes {
		v, n, _, ok := parseVint(p)
		if !ok {
			return nil, false
		}
		if i == 0 {
			size = int64(v)
		} else {
			size += int64(v) - (1<<(7*n-1) - 1)
		}
		p = p[n:]
		if size <= 0 || size > int64(len(p)) {
			return nil, false
		}
		sizes[i] = int(size)
	}
	return p, true
}

// laceHead returns how many bytes at the front of the data of a block that is laced
// tell the number and the sizes of its frames (RFC 9559 section 10.3).
func laceHead(flags byte, p []byte) int {
	n := 1
	for range int(p[0]) { // the size of the last frame is not told
		switch {
		case flags&flagLacing == lacingXiph:
			for n < len(p) && p[n] == 255 {
				n++
			}
			n++
		case flags&flagLacing == lacingEBML && n < len(p):
			_, size, _, ok := parseVint(p[n:])
			if !ok {
				return len(p)
			}
			n += size
		}
	}
	return min(n, len(p))
}

// emit gives the frames of b to the receiver, in memory of their own: in b's,
// if it is owned.
func (r *Reader) emit(b *block, owned bool) error {
	data := b.data
	if !owned {
		data = bytes.Clone(data)
	}
	t := &r.header.tracks[b.track]
	f := Frame{Track: b.track, Time: b.time, Key: b.key, Discardable: b.discardable, Duration: t.DefaultDuration}
	if b.duration > 0 {
		f.Duration = b.duration / time.Duration(len(b.sizes))
	}
	for _, size := range b.sizes {
		f.Data, data = data[:size:size], data[size:]
		if err := r.to.Frame(f); err != nil {
			return err
		}
		if len(b.sizes) > 1 {
			f.Time += r.lacedStep(t, f)
		}
	}
	return nil
}

// lacedStep returns how long after f the next frame in its block is. A block has
// one time only (RFC 9559 section 10.3).
func (r *Reader) lacedStep(t *TrackEntry, f Frame) time.Duration {
	if r.config.FrameDuration != nil && t.Codec != 0 {
		if d := r.config.FrameDuration(t.Codec, f.Data); d > 0 {
			return d
		}
	}
	return f.Duration
}
