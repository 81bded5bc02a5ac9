package recorder

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"weir/recorder/place"
)

// DefaultPath is where recordings lie unless Config.Path says otherwise.
const DefaultPath = place.Default

// Config configures a Recorder.
type Config struct {
	// Dir is the folder for recordings. It is made if it does not exist.
	Dir string
	// Path is where a recording lies below Dir, without suffix: a path with the
	// placeholders of place.Check. Default DefaultPath.
	Path string
	// RotateAfter and RotateBytes begin a new part at the first keyframe after that
	// time, or that many bytes. Zero: never.
	RotateAfter time.Duration
	RotateBytes int64
	// SyncInterval is how often what the kernel holds is forced to the disk. Zero
	// for 1 s; negative: only at the end.
	SyncInterval time.Duration
	// MinFree is how much of the disk is to stay free: with less, no recording is
	// begun. Zero for the smaller one of 5 % and 1 GiB.
	MinFree Space
	// RetainAge and RetainBytes bound what is kept: recordings that ended so long
	// ago, and the oldest ones beyond that size in all, are deleted. Zero: all is
	// kept.
	RetainAge   time.Duration
	RetainBytes int64
	// Poster returns the newest picture of a live stream, if there is one. Where none is
	// from since on, one is wanted soon. It must not block, and may be nil: no pictures
	// are kept.
	Poster func(streamID string, since time.Time) (p Poster, ok bool)
	// WritingApp is what files name as their writer. Default "weir".
	WritingApp string
	// OnEvent is told when a recording starts, pauses and ends. It must not block.
	// It may be nil.
	OnEvent func(Event)
	// Log takes a line for the start and the end of each recording. Default:
	// discarded.
	Log *slog.Logger

	disk func(disk) disk // tests make it fail
}

const defaultSyncInterval = time.Second

// Validate reports what is wrong with c.
func (c Config) Validate() error {
	switch {
	case c.Dir == "":
		return errors.New("recorder: Dir is needed")
	case c.RotateAfter < 0 || c.RotateBytes < 0 || c.RetainAge < 0 || c.RetainBytes < 0:
		return errors.New("recorder: limits must not be negative")
	case c.RotateAfter > 0 && c.RotateAfter < minRotate:
		return fmt.Errorf("recorder: RotateAfter is %v; a part has %v at least", c.RotateAfter, minRotate)
	}
	if err := place.Check(cmp.Or(c.Path, DefaultPath)); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	return c.MinFree.validate()
}

// minRotate keeps a slip of the keyboard from making a file of each group of
// pictures.
const minRotate = time.Second

func (c Config) withDefaults() Config {
	if c.Path == "" {
		c.Path = DefaultPath
	}
	if c.SyncInterval == 0 {
		c.SyncInterval = defaultSyncInterval
	}
	if c.WritingApp == "" {
		c.WritingApp = "weir"
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.disk == nil {
		c.disk = func(d disk) disk { return d }
	}
	return c
}
