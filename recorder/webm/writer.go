package webm

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
)

const (
	// flushAt is how many bytes gather before they are handed to the File.
	flushAt = 64 << 10
	// keepBuffer is the largest buffer that is kept for the next frames. A file
	// must not cost a megabyte of memory because of one large keyframe.
	keepBuffer = 512 << 10
	// maxCluster is the largest data of a Cluster, in bytes, unless one frame alone
	// is larger: what RFC 9559 section 25.1 recommends.
	maxCluster = 5 << 20
)

// Block is one frame and its place in the file.
type Block struct {
	// Time is when the frame is to be shown, from the file's time zero. The file
	// holds it rounded to the nearest millisecond.
	Time time.Duration
	// Duration is how long the frame lasts, if known. Only that of the last frame
	// matters, for the file's duration; when it is zero, the frame is taken to
	// last as long as the one before it did.
	Duration time.Duration
	// Sync reports whether a decoder can start here. Audio frames always count as such.
	Sync bool
	// Filler reports whether the frame is not one of the medium, but stands where that
	// has a hole. It is counted apart, and marked in the file as discardable, so that
	// the file tells too. One that is older than what was written last gets that time.
	Filler bool
	// Data is the coded frame. It is not retained.
	Data []byte
}

// Writer writes one WebM file. It is not safe for concurrent use, and it does
// not close its File.
type Writer struct {
	// Set once.
	file     File
	layout   layout.Layout
	maxSpan  int64 // of a Cluster, ms
	declared []ebml.TrackEntry

	buf     []byte // written by WriteFrame, not yet handed to file
	written int64  // bytes handed to file, which is where buf begins
	tracks  []trackState

	clusters    []uint32 // data sizes of the closed Clusters
	open        bool     // there is a Cluster
	start       int64    // of the open Cluster, from the start of the file
	clusterTime int64    // Timestamp of the open Cluster, ms
	lastTime    int64    // of the last block in the open Cluster, ms
	index       layout.Index

	finished bool
	err      error // sticky: the File failed
}

// NewWriter returns a Writer for tracks and writes the file's header to f with
// one Write. It returns an error that wraps ErrConfig or ErrWrite.
func NewWriter(f File, c Config, tracks []ebml.TrackEntry) (*Writer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := validateTracks(tracks); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	header, l, err := layout.RenderHeader(layout.About{Date: c.Date, Title: c.Title, WritingApp: c.WritingApp}, c.IndexReserve, tracks)
	if err != nil {
		return nil, err
	}
	w := &Writer{
		file:     f,
		layout:   l,
		maxSpan:  max(c.MaxCluster.Milliseconds(), 1),
		declared: append([]ebml.TrackEntry(nil), tracks...),
		buf:      header,
		tracks:   make([]trackState, len(tracks)),
	}
	for i, t := range tracks {
		w.tracks[i] = newTrackState(t, i+1)
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return w, nil
}

// WriteFrame adds a frame to the track at the given place in NewWriter's list.
//
// Frames of all tracks should come in the order of their times. One that is
// older than its predecessor from another track costs a Cluster of its own; one
// that is older than its predecessor in its own track gets that one's time.
//
// An error wraps ErrFinished; ErrTrack or ErrFrame, and then the frame is
// skipped and nothing else is changed; or ErrWrite, which is sticky.
func (w *Writer) WriteFrame(track int, b Block) error {
	if err := w.writable(); err != nil {
		return err
	}
	if track < 0 || track >= len(w.tracks) {
		return fmt.Errorf("%w: %d of %d", ErrTrack, track, len(w.tracks))
	}
	if len(b.Data) == 0 || len(b.Data) > ebml.MaxFrame || b.Time > ebml.MaxTime {
		return fmt.Errorf("%w: %d bytes at %v", ErrFrame, len(b.Data), b.Time)
	}
	if b.Filler && w.open {
		b.Time = max(b.Time, msec(w.lastTime))
	}
	t := &w.tracks[track]
	ms := t.advance(b)
	key := b.Sync || !t.video
	if w.needsCluster(ms, t.video && b.Sync, len(b.Data)) {
		w.openCluster(ms)
		if key {
			w.index.Add(layout.Cue{MS: ms, Ticks: ms, Position: w.start - w.layout.Segment, Track: t.number}, t.video)
		}
	}
	w.lastTime = ms
	flags := ebml.KeyFlag(key)
	if b.Filler {
		flags |= ebml.FlagDiscard
	}
	w.buf = ebml.AppendBlock(w.buf, t.number, ms-w.clusterTime, flags, b.Data)
	if len(w.buf) >= flushAt {
		return w.Flush()
	}
	return nil
}

// needsCluster reports whether a block of n bytes at ms cannot or should not go
// into the open Cluster.
func (w *Writer) needsCluster(ms int64, videoKey bool, n int) bool {
	switch {
	case !w.open, videoKey, ms < w.lastTime:
		return true
	case ms-w.clusterTime >= w.maxSpan, ms-w.clusterTime > ebml.MaxOffset:
		return true
	default:
		return w.clusterSize()+int64(n) > maxCluster
	}
}

// openCluster ends the open Cluster and begins one at ms.
func (w *Writer) openCluster(ms int64) {
	w.closeCluster()
	w.open = true
	w.start = w.end()
	w.clusterTime = ms
	w.buf = ebml.AppendCluster(w.buf, ms)
}

// closeCluster notes the size of the open Cluster, if there is one.
func (w *Writer) closeCluster() {
	if w.open {
		w.clusters = append(w.clusters, uint32(w.clusterSize()))
		w.open = false
	}
}

// clusterSize returns the length of the open Cluster's data so far.
func (w *Writer) clusterSize() int64 { return w.end() - w.start - ebml.ClusterHead }

// end returns the length of the file once it is flushed.
func (w *Writer) end() int64 { return w.written + int64(len(w.buf)) }

// SetSize tells the picture size of a video track, in pixels, as soon as it is
// known: at the first keyframe. The header holds one size; once it is there,
// SetSize does nothing. Errors are those of WriteFrame.
func (w *Writer) SetSize(track, width, height int) error {
	return w.declareSize(track, width, height, false)
}

// Enlarge is SetSize for a picture that may be larger than the one in the header,
// which it replaces then.
func (w *Writer) Enlarge(track, width, height int) error {
	return w.declareSize(track, width, height, true)
}

func (w *Writer) declareSize(track, width, height int, larger bool) error {
	if err := w.writable(); err != nil {
		return err
	}
	if track < 0 || track >= len(w.tracks) || !w.tracks[track].video {
		return fmt.Errorf("%w: %d has no picture", ErrTrack, track)
	}
	if !validSize(width, height) {
		return fmt.Errorf("%w: picture of %dx%d", ErrFrame, width, height)
	}
	t := &w.declared[track]
	if t.Width != 0 && !(larger && width*height > t.Width*t.Height) {
		return nil
	}
	if err := w.writeAt(layout.Patch{At: w.layout.Sizes[track], Data: ebml.AppendPictureSize(nil, width, height)}); err != nil {
		return err
	}
	t.Width, t.Height = width, height
	return nil
}

// SetPrivate tells the CodecPrivate of a video track that was declared without, ahead
// of its first frame. It returns an error that wraps ErrFrame if the header has no room
// for it, and otherwise those of SetSize.
func (w *Writer) SetPrivate(track int, private []byte) error {
	if err := w.writable(); err != nil {
		return err
	}
	if track < 0 || track >= len(w.tracks) || w.layout.Privates[track] == 0 || len(w.declared[track].CodecPrivate) > 0 {
		return fmt.Errorf("%w: %d has no room for a CodecPrivate", ErrTrack, track)
	}
	const head = 3 // of the Void that keeps the room
	b := ebml.Fill(ebml.CodecPrivateID, 1, private, layout.PrivateRoom)
	if len(private) == 0 || len(b) != layout.PrivateRoom {
		return fmt.Errorf("%w: CodecPrivate of %d bytes", ErrFrame, len(private))
	}
	// The bytes behind the Void's head are not seen until that is another one.
	at := w.layout.Privates[track]
	if err := w.writeAt(layout.Patch{At: at + head, Data: b[head:]}); err != nil {
		return err
	}
	if err := w.writeAt(layout.Patch{At: at, Data: b[:head]}); err != nil {
		return err
	}
	w.declared[track].CodecPrivate = bytes.Clone(private)
	return nil
}

// Flush hands everything that was written so far to the File. After it a crash of
// the process loses none of it. It returns an error that wraps ErrWrite.
func (w *Writer) Flush() error {
	if w.err != nil {
		return w.err
	}
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.file.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return w.fail(err)
	}
	w.written += int64(len(w.buf))
	if w.buf = w.buf[:0]; cap(w.buf) > keepBuffer {
		w.buf = nil
	}
	return nil
}

// writable returns why nothing can be added to the file, or nil.
func (w *Writer) writable() error {
	if w.err != nil {
		return w.err
	}
	if w.finished {
		return ErrFinished
	}
	return nil
}

func (w *Writer) writeAt(p layout.Patch) error {
	if err := p.Write(w.file); err != nil {
		return w.stick(err)
	}
	return nil
}

// fail makes the File's err the error of every later call.
func (w *Writer) fail(err error) error {
	return w.stick(fmt.Errorf("%w: %w", layout.ErrWrite, err))
}

// stick makes err the error of every later call, unless there is one.
func (w *Writer) stick(err error) error {
	if w.err == nil {
		w.err = err
		w.buf = nil
	}
	return w.err
}
