package read

import (
	"time"

	"weir/recorder/webm/ebml"
	"weir/sfu/media"
)

// Receiver gets what a Reader finds, in the order of the stream, during the
// calls of Push, Gap and Close. It must not call the Reader. An error that it
// returns ends the stream and is what these calls return then.
type Receiver interface {
	// Header is called at each Tracks element: once at the start, and again when
	// the recorder was started anew in mid-stream. Frames that follow belong to
	// the tracks of the latest header; numbers, order, codecs and sizes may be
	// other ones than before, and times start anew.
	Header(Header) error
	// Frame is called for each frame that arrived whole.
	Frame(Frame) error
	// Damage is called for each piece of the stream that could not be used, once
	// its end is known. Frames before and after it are good.
	Damage(ebml.Damage)
}

// Header is what the stream says of its tracks.
type Header struct {
	Tracks []ebml.TrackEntry // 1 to 8, in the order of the stream
}

// Frame is one frame that was read.
type Frame struct {
	// Track is the place of the frame's track in the latest Header.
	Track int
	// Time is when the frame is to be shown, from the stream's own zero. It can
	// lie below zero by up to 32768 ticks and the track's CodecDelay. It is what
	// the stream says: nothing makes sure that times grow.
	Time time.Duration
	// Duration is the BlockDuration (shared evenly by laced frames) or else the
	// track's DefaultDuration; zero if the stream tells neither.
	Duration time.Duration
	// Key is what the container says: a SimpleBlock's flag, or that a BlockGroup
	// has no ReferenceBlock. Do not start a decoder by it. For VP8 only the frame
	// itself can be believed (RFC 6386 section 9.1): hostile streams lie, and
	// Chromium's canvas recordings hold ReferenceBlocks of no meaning.
	Key bool
	// Discardable is a SimpleBlock's flag. In a recording of weir's it tells silence
	// that stands where sound is missing from the medium: see webm.Block.Filler.
	Discardable bool
	// Data is the coded frame, never empty. It is the receiver's to keep: nothing
	// else refers to it, but frames laced into one block share one allocation.
	Data []byte
}

// Config bounds a Reader. The zero value works.
type Config struct {
	// MaxElement is the most data, in bytes, that one element but the Segment and
	// Clusters may have; larger ones are passed over as damage. 0 for 8 MiB.
	MaxElement int
	// MaxHeader is how many bytes may lie before the first Cluster. 0 for 64 KiB.
	MaxHeader int
	// FrameDuration tells how long a coded frame lasts, or zero; it says how far
	// apart frames laced into one block are. For Opus, codec.OpusDuration does it.
	// Without it, or when it returns zero or less, the step is Frame.Duration.
	FrameDuration func(c media.Codec, data []byte) time.Duration
}

const (
	defaultMaxElement = 8 << 20
	defaultMaxHeader  = 64 << 10
	// maxReadTracks is the most tracks that a stream may declare.
	maxReadTracks = 8
	// keepCollected is the largest buffer that is kept for the next element that
	// arrives in pieces. Larger ones become the frame itself.
	keepCollected = 256 << 10
)

// withDefaults returns c with its zero values replaced.
func (c Config) withDefaults() Config {
	if c.MaxElement <= 0 {
		c.MaxElement = defaultMaxElement
	}
	if c.MaxHeader <= 0 {
		c.MaxHeader = defaultMaxHeader
	}
	return c
}

// step is what the next byte of the stream is.
type step uint8

const (
	stepHead    step = iota // of an element's ID and size
	stepSkip                // of data that is passed over
	stepCollect             // of data that is needed as a whole
	stepLost                // of anything: the place in the structure is not known
)

// Reader reads one WebM stream from the network. It is not safe for concurrent
// use.
type Reader struct {
	// Set once.
	to     Receiver
	config Config

	off  int64 // of the next byte, counted from the first that was pushed
	step step
	head [ebml.MaxHead]byte // of the current element, as far as it arrived
	have int                // bytes in head
	at   int64              // where the current element begins
	id   ebml.ElementID     // of the current element, once its head is whole
	left int64              // bytes of the current element's data still to come
	buf  []byte             // what was collected of it

	look    lookout
	pending ebml.Damage // what is being passed over, if damaged
	damaged bool
	told    int64 // where the damage began that was told of last

	header  headerState
	cluster clusterState
	group   groupState
	sizes   [ebml.MaxLaced]int // of the frames in the current block
	blockAt int64              // where that begins, or its BlockGroup

	closed bool
	err    error // sticky
}

// NewReader returns a Reader that gives what it finds to to.
func NewReader(to Receiver, c Config) *Reader {
	c = c.withDefaults()
	return &Reader{to: to, config: c, look: newLookout(c.MaxHeader)}
}

// newReaderFrom returns a Reader of a stream whose header is known, from the Cluster on
// that begins at at.
func newReaderFrom(at int64, h headerState, to Receiver, c Config) *Reader {
	r := NewReader(to, c)
	r.header, r.off, r.told, r.look.end = h, at, at, at
	r.next()
	return r
}

// Push reads the next bytes of the stream, cut anywhere. It keeps no reference to p.
// The calls of the Receiver, over the whole stream, do not depend on where the stream
// is cut.
//
// Damage is no error. An error ends the stream, every later call returns it too:
// one that wraps ErrNotWebM, ErrHeader, ErrHeaderSize or ErrTooManyTracks, or
// the Receiver's; ErrClosed after Close.
func (r *Reader) Push(p []byte) error {
	return r.run(func() error { return r.push(p) })
}

// Gap tells the Reader that bytes of the stream are missing here. An element that had
// begun to arrive is dropped, and reading goes on at the next Cluster or EBML header.
// Without this call a frame would be glued together from both sides. Errors are those
// of Push.
func (r *Reader) Gap() error {
	return r.run(func() error {
		r.look.restart()
		if r.step == stepLost {
			return nil
		}
		return r.bad(ebml.ReasonGap)
	})
}

// Close ends the stream. An element that had only begun to arrive is reported as
// damage, if it is long enough to have something of a frame. Close returns an error
// that wraps ErrNotWebM or ErrHeader if the stream ends before its tracks are known, or
// the error that had ended it before. A second Close returns what the first did.
func (r *Reader) Close() error {
	if r.closed {
		if r.err == ErrClosed {
			return nil
		}
		return r.err
	}
	r.closed = true
	if r.err != nil {
		return r.err
	}
	if r.header.tracks == nil {
		return r.run(func() error { return r.bad(ebml.ReasonEnd) })
	}
	if r.midway() && !r.restIsNothing(r.off) {
		r.report(r.off, ebml.ReasonEnd)
	}
	r.buf, r.group = nil, groupState{}
	r.err = ErrClosed
	return nil
}

// Buffered returns how many bytes of memory hold what has arrived of elements that are
// not whole.
func (r *Reader) Buffered() int { return cap(r.buf) + cap(r.group.block) }

// run calls f unless the stream has ended, and keeps its error.
func (r *Reader) run(f func() error) error {
	if r.err == nil {
		r.err = f()
	}
	if r.err != nil {
		r.buf, r.group = nil, groupState{}
	}
	return r.err
}
