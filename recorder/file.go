package recorder

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"weir/recorder/webm"
	"weir/sfu"
	"weir/sfu/codec"
)

// file is the one file of a recording. It is made with the first frame, so that
// a publisher who never sends leaves nothing behind.
type file struct {
	// set once
	recorder *Recorder
	log      *slog.Logger
	stream   sfu.StreamInfo
	inputs   []*input

	// owned by the recording's goroutine
	record  Recording
	zero    time.Duration // the file's time zero, on the stream's clock
	file    *os.File      // nil before the first frame
	writer  *webm.Writer
	formats []codec.Format
	last    []time.Duration // time of each track's last frame
	updated time.Time
}

// open makes the file and its sidecar. zero is the time of the first frame.
func (f *file) open(zero time.Duration) error {
	f.zero = zero
	id := strings.ToLower(rand.Text()[:16])
	start := f.stream.StartedAt.Add(zero).UTC()
	f.record = Recording{
		ID: id, Stream: f.stream.Name, StreamID: f.stream.ID, State: Active,
		StartedAt: start, Gaps: []Gap{}, base: basePath(f.stream.Name, start, id),
	}
	tracks := make([]webm.Track, len(f.inputs))
	f.formats = make([]codec.Format, len(f.inputs))
	f.last = make([]time.Duration, len(f.inputs))
	for i, in := range f.inputs {
		tracks[i] = webm.Track{Codec: in.info.Codec, Name: in.info.ID}
		f.formats[i], _ = codec.For(in.info.Codec) // the hub has checked
		f.record.Tracks = append(f.record.Tracks, Track{
			ID: in.info.ID, Kind: in.info.Kind().String(), Codec: in.info.Codec.String(),
		})
	}
	r := f.recorder
	if err := r.root.MkdirAll(path.Dir(f.record.base), 0o755); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	var err error
	f.file, err = r.root.OpenFile(f.record.base+suffix+partSuffix, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	f.writer, err = webm.NewWriter(f.file, webm.Config{Date: start, Title: f.stream.Name, WritingApp: r.app}, tracks)
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if err := r.writeSidecar(&f.record); err != nil {
		return err
	}
	r.catalogue.set(&f.record)
	f.log.Info("recording started", "recording", id)
	return nil
}

// write adds a frame of a track.
func (f *file) write(track int, frame heldFrame) error {
	if f.file == nil {
		if err := f.open(frame.PTS); err != nil {
			return err
		}
	}
	// What was ahead of the first frame, but came later, is at the start.
	at := max(0, frame.PTS-f.zero)
	t := &f.record.Tracks[track]
	if frame.gap && t.Frames > 0 {
		f.record.addGap(Gap{Track: t.ID, AtMS: milliseconds(f.last[track]), DurationMS: milliseconds(at - f.last[track])})
	}
	if frame.Sync && f.formats[track].FrameSize != nil {
		if err := f.size(track, frame.Data, at); err != nil {
			return err
		}
	}
	block := webm.Block{Time: at, Sync: frame.Sync, Data: frame.Data}
	if f.formats[track].FrameDuration != nil {
		block.Duration = f.formats[track].FrameDuration(frame.Data)
	}
	err := f.writer.WriteFrame(track, block)
	if errors.Is(err, webm.ErrFrame) { // too large for any file
		f.record.addGap(Gap{Track: t.ID, AtMS: milliseconds(at)})
		return nil
	}
	if err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	f.last[track] = at
	t.Frames++
	t.Bytes += int64(len(frame.Data))
	return nil
}

// size notes the picture size of a keyframe: the first in the header, changes in
// the sidecar.
func (f *file) size(track int, data []byte, at time.Duration) error {
	width, height, ok := f.formats[track].FrameSize(data)
	if !ok {
		return nil
	}
	t := &f.record.Tracks[track]
	if t.Width == 0 {
		t.Width, t.Height = width, height
		if err := f.writer.SetSize(track, width, height); err != nil && !errors.Is(err, webm.ErrFrame) {
			return fmt.Errorf("recorder: %w", err)
		}
		return nil
	}
	current := Size{Width: t.Width, Height: t.Height}
	if n := len(t.Sizes); n > 0 {
		current = t.Sizes[n-1]
	}
	if (width != current.Width || height != current.Height) && len(t.Sizes) < maxSizes {
		t.Sizes = append(t.Sizes, Size{AtMS: milliseconds(at), Width: width, Height: height})
	}
	return nil
}

// flush hands what was written to the kernel, and tells the catalogue now and
// then.
func (f *file) flush(now time.Time) error {
	if f.file == nil {
		return nil
	}
	if err := f.writer.Flush(); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if now.Sub(f.updated) >= updateInterval {
		f.updated = now
		f.summarize()
		f.recorder.catalogue.set(&f.record)
	}
	return nil
}

// summarize takes over the writer's figures.
func (f *file) summarize() {
	s := f.writer.Stats()
	f.record.Bytes, f.record.DurationMS = s.Bytes, milliseconds(s.Duration)
	f.record.Frames, f.record.Keyframes = s.Blocks, s.Keyframes
	for i := range f.record.Tracks {
		f.record.Tracks[i].Keyframes = s.Tracks[i].Keyframes
	}
}

// finish ends the recording: after a clean end, with cause nil, the file gets
// its index and its name; otherwise it stays what it is, a readable part.
func (f *file) finish(cause error) {
	if f.file == nil {
		if cause != nil {
			f.log.Error("recording not started", "reason", cause)
		}
		return
	}
	err := f.seal(cause)
	ended := f.recorder.endTime(&f.record)
	f.record.EndedAt = &ended
	f.record.State = Finished
	if err != nil {
		f.record.State, f.record.Reason = Failed, publicReason(err)
	}
	err = errors.Join(err, f.recorder.writeSidecar(&f.record))
	f.recorder.catalogue.set(&f.record)
	if err != nil {
		f.log.Error("recording failed", "recording", f.record.ID, "reason", err)
		return
	}
	f.log.Info("recording finished", "recording", f.record.ID, "duration_ms", f.record.DurationMS,
		"bytes", f.record.Bytes, "gaps", len(f.record.Gaps)+f.record.MoreGaps)
}

// publicReason is what clients are told of an error: what the system said, without
// the paths of this machine, which are in the log.
func publicReason(err error) string {
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return "the recording could not be written: " + number.Error()
	}
	return "the recording could not be written"
}

// seal completes, syncs, closes and renames the file.
func (f *file) seal(cause error) error {
	if f.writer == nil {
		return errors.Join(cause, f.file.Close())
	}
	err := cause
	if err == nil {
		err = f.writer.Finish()
	} else {
		err = errors.Join(err, f.writer.Flush())
	}
	f.summarize()
	err = errors.Join(err, f.file.Sync(), f.file.Close())
	if err != nil {
		return err
	}
	return f.recorder.root.Rename(f.record.base+suffix+partSuffix, f.record.base+suffix)
}

// endTime is when the last frame of the recording ends.
func (r *Recorder) endTime(rec *Recording) time.Time {
	return rec.StartedAt.Add(time.Duration(rec.DurationMS) * time.Millisecond)
}
