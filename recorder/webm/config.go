package webm

import (
	"fmt"
	"io"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/layout"
	"weir/sfu/codec"
	"weir/sfu/media"
)

// File is where a Writer writes: an *os.File, or memory in tests. It must be
// empty and at its start when NewWriter gets it, and must not be open for
// appending (O_APPEND), because os.File refuses positioned writes then.
//
// Frames are handed to Write only. WriteAt changes bytes already written: the
// header when a picture's size becomes known, and header and cluster sizes in
// Finish.
type File interface {
	io.Writer
	io.WriterAt
}

// Config is how a file is to be written. The zero value works.
type Config struct {
	// Date is the wall-clock time of the file's time zero. The zero Date is left
	// out of the file.
	Date time.Time
	// Title is the title that players show, if not empty.
	Title string
	// WritingApp names the program that records, "weir VERSION"; by default "weir".
	WritingApp string
	// IndexReserve is how many bytes are kept free ahead of the first frame for
	// the index (Cues): 0 for 16 KiB, which holds 744 entries; negative for none.
	// An index that does not fit goes to the end of the file.
	IndexReserve int
	// MaxCluster is the longest time that one Cluster covers: 0 for 5 s, which
	// is what RFC 9559 section 25.1 recommends; at most 30 s.
	MaxCluster time.Duration
}

// Limits and defaults.
const (
	defaultMaxCluster = 5 * time.Second
	// 30 s stays clear of 32.767 s, the most that a block's 16-bit offset from its
	// Cluster can tell (RFC 9559 section 10.2).
	longestMaxCluster = 30 * time.Second
	// A block tells its track in one byte as long as the number is below 127.
	maxTracks = 126
)

// Validate returns an error that wraps ErrConfig if c cannot be used.
func (c Config) Validate() error {
	if c.MaxCluster < 0 || c.MaxCluster > longestMaxCluster {
		return fmt.Errorf("%w: MaxCluster %v is not in 0 to %v", ErrConfig, c.MaxCluster, longestMaxCluster)
	}
	if c.IndexReserve > layout.MaxReserve {
		return fmt.Errorf("%w: IndexReserve %d is more than %d", ErrConfig, c.IndexReserve, layout.MaxReserve)
	}
	return nil
}

// withDefaults returns c with its zero values replaced.
func (c Config) withDefaults() Config {
	if c.WritingApp == "" {
		c.WritingApp = ebml.MuxingApp
	}
	if c.IndexReserve == 0 {
		c.IndexReserve = layout.DefaultReserve
	}
	if c.MaxCluster == 0 {
		c.MaxCluster = defaultMaxCluster
	}
	return c
}

// validateTrack returns an error that wraps ErrConfig if a file cannot hold t.
func validateTrack(t *ebml.TrackEntry) error {
	format, ok := codec.For(t.Codec)
	known := t.Width != 0 || t.Height != 0
	switch {
	case !ok:
		return fmt.Errorf("%w: codec %d", ErrConfig, t.Codec)
	case t.Codec.Kind() == media.Audio:
		if t.Channels < 0 || t.Channels > 2 {
			return fmt.Errorf("%w: %d channels", ErrConfig, t.Channels)
		}
	case format.NeedsPrivate && len(t.CodecPrivate) == 0 && !t.PrivateLater:
		return fmt.Errorf("%w: %v without CodecPrivate", ErrConfig, t.Codec)
	case len(t.CodecPrivate) > maxCodecPrivate:
		return fmt.Errorf("%w: CodecPrivate of %d bytes", ErrConfig, len(t.CodecPrivate))
	case known && !validSize(t.Width, t.Height):
		return fmt.Errorf("%w: picture of %dx%d", ErrConfig, t.Width, t.Height)
	}
	return nil
}

// maxCodecPrivate is the largest CodecPrivate that is written, in bytes: what
// codecs need is a hundredth of it.
const maxCodecPrivate = 16 << 10

func validSize(width, height int) bool {
	return 0 < width && width <= ebml.MaxDimension && 0 < height && height <= ebml.MaxDimension
}

// validateTracks returns an error that wraps ErrConfig if tracks cannot make a file.
func validateTracks(tracks []ebml.TrackEntry) error {
	if len(tracks) == 0 || len(tracks) > maxTracks {
		return fmt.Errorf("%w: %d tracks", ErrConfig, len(tracks))
	}
	for i := range tracks {
		if err := validateTrack(&tracks[i]); err != nil {
			return fmt.Errorf("track %d: %w", i, err)
		}
	}
	return nil
}
