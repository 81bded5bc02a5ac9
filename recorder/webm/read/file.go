package read

import (
	"fmt"
	"io"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/walk"
	"weir/sfu/media"
)

// fileChunk is how much of a file is read at once.
const fileChunk = 32 << 10

// File reads the frames of a WebM file, from its start or from any time on. It is not
// safe for concurrent use.
type File struct {
	// Set once.
	file     io.ReaderAt
	size     int64
	config   Config
	head     walk.Header
	tracks   []ebml.TrackEntry
	first    int64   // where the first Cluster begins, or the file ends
	indexes  []int64 // where there may be Cues
	seekable int     // the place of the track whose keyframes are sought

	// Where a seek can start to look: seek.go.
	points  []point       // in the order of their times; nil until it is needed
	scanned bool          // they are from a scan, and last is known
	last    time.Duration // of all frames

	// For reading.
	reader *Reader
	at     int64 // of the next byte for the reader
	buf    []byte
	frames []Frame // read, from next on not given out yet
	next   int
	from   int64 // frames of the seekable track from before that place are left out
	lost   int64
	err    error // sticky until the next Seek
}

// Open returns a File that reads file, of the given size in bytes, from its first frame
// on. Of the limits of c only MaxElement counts. Its memory is bounded by some 10 MiB,
// whatever the file is.
//
// It reads the head of the file only. An error wraps ebml.ErrNotWebM, ebml.ErrHeader,
// ebml.ErrTooManyTracks, walk.ErrSegments or walk.ErrRead.
func Open(file io.ReaderAt, size int64, c Config) (*File, error) {
	f := &File{file: file, size: size, config: c.withDefaults(), buf: make([]byte, fileChunk)}
	if err := f.readHead(); err != nil {
		return nil, err
	}
	f.start(f.first, 0)
	return f, nil
}

// Tracks returns the tracks, in the order of the file. It must not be changed.
func (f *File) Tracks() []ebml.TrackEntry { return f.tracks }

// Duration returns how long the file lasts: what it says itself, or, if it was not
// finished, the time of its last frame, for which all of it is looked through once. An
// error wraps walk.ErrRead.
func (f *File) Duration() (time.Duration, error) {
	if d := f.head.Length(); d > 0 {
		return d, nil
	}
	err := f.scan()
	return f.last, err
}

// Lost returns how many bytes could not be read as frames so far.
func (f *File) Lost() int64 { return f.lost }

// Next returns the next frame, in the order of the file: the same as a Reader gives. An
// error wraps io.EOF behind the last one; walk.ErrRead; or, in a file that is several
// ones, walk.ErrSegments or ebml.ErrHeader where the second begins.
func (f *File) Next() (Frame, error) {
	for f.next == len(f.frames) {
		if f.err != nil {
			return Frame{}, f.err
		}
		clear(f.frames) // their data are the caller's
		f.frames, f.next = f.frames[:0], 0
		f.err = f.readMore()
	}
	f.next++
	return f.frames[f.next-1], nil
}

// readMore reads the next piece of the file.
func (f *File) readMore() error {
	n := min(f.size-f.at, fileChunk)
	if n <= 0 {
		return io.EOF
	}
	if err := walk.ReadFull(f.file, f.buf[:n], f.at); err != nil {
		return err
	}
	f.at += n
	return f.reader.Push(f.buf[:n])
}

// start makes Next begin with the Cluster at at, without the frames of the seekable
// track from before the place from.
func (f *File) start(at, from int64) {
	h := headerState{started: true, complete: true, at: at, tick: f.head.Tick, tracks: f.tracks}
	f.reader = newReaderFrom(at, h, fileReceiver{f}, f.config)
	clear(f.frames)
	f.at, f.from, f.frames, f.next, f.err = at, from, f.frames[:0], 0, nil
}

// fileReceiver takes what the Reader of a File finds.
type fileReceiver struct{ *File }

// Header ends a file that begins anew: its times do too.
func (f fileReceiver) Header(Header) error {
	return fmt.Errorf("%w: another begins at byte %d", walk.ErrSegments, f.reader.header.at)
}

// Frame keeps a frame for Next.
func (f fileReceiver) Frame(frame Frame) error {
	if frame.Track != f.seekable || f.reader.blockAt >= f.from {
		f.frames = append(f.frames, frame)
	}
	return nil
}

// Damage counts what cannot be read.
func (f fileReceiver) Damage(d ebml.Damage) { f.lost += d.Length }

// readHead reads what precedes the first Cluster.
func (f *File) readHead() error {
	w := walk.New(f.file, f.size)
	if err := w.ReadStart(); err != nil {
		return err
	}
	f.first = f.size
	w.Give = func(p *walk.Piece) error {
		switch {
		case p.Kind == walk.ClusterHead:
			f.first = p.At
			return errStop
		case len(f.indexes) >= maxIndexes:
		case p.ID == ebml.CuesID:
			f.indexes = append(f.indexes, p.At)
		case p.ID == ebml.SeekHeadID && p.Kind == walk.Top:
			_, err := w.Window.EachSeek(p.Data, p.End, func(id ebml.ElementID, position uint64) (bool, error) {
				if id == ebml.CuesID && position < uint64(f.size-w.Head.Segment) {
					f.indexes = append(f.indexes, w.Head.Segment+int64(position))
				}
				return len(f.indexes) < maxIndexes, nil
			})
			return err
		}
		return nil
	}
	if err := stopped(w.Run()); err != nil {
		return err
	}
	f.head = w.Head
	for i := range f.head.Tracks {
		f.tracks = append(f.tracks, f.head.Tracks[i].TrackEntry)
	}
	f.seekable = seekableTrack(f.tracks)
	return nil
}

// seekableTrack returns the place of the first track with pictures, or of the first one.
func seekableTrack(tracks []ebml.TrackEntry) int {
	for i := range tracks {
		if tracks[i].Carries(media.Video) {
			return i
		}
	}
	return 0
}
