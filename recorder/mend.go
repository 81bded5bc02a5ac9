package recorder

import (
	"errors"
	"fmt"
	"io/fs"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/repair"
)

// mend repairs a recording that a program left open which is gone: what is whole
// of it becomes a finished file. It may be stopped at any moment, and done again.
func (r *Recorder) mend(rec *Recording) {
	report, err := r.mendFile(rec)
	r.saving.Lock()
	defer r.saving.Unlock()
	if errors.Is(err, errEmpty) {
		r.log.Info("recording without a frame removed", "recording", rec.ID, "reason", r.discard(rec))
		return
	}
	if err != nil {
		r.log.Error("recording not repaired", "recording", rec.ID, "file", rec.partName(), "reason", err)
		return
	}
	// Since the sidecar was read, a caller may have described it, and its publisher may
	// have come back.
	if now, err := r.Recording(rec.ID); err == nil {
		rec.Metadata, rec.Next = now.Metadata, now.Next
		rec.setTexts(now.texts())
	}
	rec.repaired(report)
	ended := endTime(rec)
	rec.EndedAt = &ended
	r.save(rec)
	r.tell(EventFinished, rec)
	r.log.Info("recording repaired", "recording", rec.ID, "stream", rec.Stream, "duration_ms", rec.DurationMS, "cut_bytes", report.Cut)
}

// emptyBytes is how large a file is at most of which not more than the header was
// written. A larger one is never taken for empty, whatever it looks like.
const emptyBytes = 32 << 10

// errEmpty means that a file has no frame.
var errEmpty = errors.New("recorder: no frame")

// mendFile repairs the file and gives it its name.
func (r *Recorder) mendFile(rec *Recording) (repair.Report, error) {
	name, part := rec.partName(), true
	f, err := r.disk.Open(name)
	if errors.Is(err, fs.ErrNotExist) { // it was renamed, and then the program was killed
		name, part = rec.name(), false
		f, err = r.disk.Open(name)
	}
	if err != nil {
		return repair.Report{}, fmt.Errorf("recorder: %w", err)
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return repair.Report{}, err
	}
	report, err := repair.Repair(f, size)
	if errors.Is(err, repair.ErrRewrite) {
		report, err = r.rewrite(f, size, name)
	}
	if size <= emptyBytes && (errors.Is(err, ebml.ErrNotWebM) || errors.Is(err, ebml.ErrHeader) || err == nil && report.Frames == 0) {
		return report, errEmpty
	}
	if err == nil && report.Frames == 0 {
		err = errors.New("no frame can be read in it")
	}
	if err != nil {
		return report, fmt.Errorf("recorder: %w", err)
	}
	if err := f.Sync(); err != nil {
		return report, fmt.Errorf("recorder: %w", err)
	}
	if part {
		if err := r.disk.Rename(name, rec.name()); err != nil {
			return report, fmt.Errorf("recorder: %w", err)
		}
	}
	return report, nil
}

// rewrite puts a repaired copy in the place of a file that cannot be repaired
// where it is.
func (r *Recorder) rewrite(f mediaFile, size int64, name string) (report repair.Report, err error) {
	fixed := name + fixedSuffix
	to, err := r.disk.Create(fixed)
	if err != nil {
		return report, err
	}
	report, err = repair.Rewrite(f, size, to)
	if err == nil {
		err = to.Sync()
	}
	if err = errors.Join(err, to.Close()); err == nil {
		err = r.disk.Rename(fixed, name)
	}
	if err != nil {
		return report, errors.Join(err, ignoreMissing(r.disk.Remove(fixed)))
	}
	return report, nil
}
