package recorder

import (
	"errors"
	"math"
	"time"
)

// tidyBatch is how many recordings are looked at for deletion at a time.
const tidyBatch = 100

// tidy deletes recordings that ended too long ago, and the oldest ones of those
// that are too much. What still goes on is not counted.
func (r *Recorder) tidy(now time.Time) {
	c := &r.config
	if c.RetainAge > 0 {
		r.prune(now.Add(-c.RetainAge), func(*Recording) bool { return true }, "too old")
	}
	if c.RetainBytes == 0 {
		return
	}
	total, err := r.catalogue.index.bytes()
	if err != nil {
		r.log.Warn("size of the recordings not known", "reason", err)
		return
	}
	r.prune(time.Unix(0, math.MaxInt64), func(rec *Recording) bool {
		over := total > c.RetainBytes
		total -= rec.Bytes
		return over
	}, "too many bytes in all")
}

// prune deletes recordings that ended before that time, the oldest first, as long
// as that is wanted.
func (r *Recorder) prune(before time.Time, wanted func(*Recording) bool, reason string) {
	for {
		list, err := r.catalogue.index.oldest(before, tidyBatch)
		if err != nil {
			r.log.Warn("old recordings not found", "reason", err)
			return
		}
		for _, rec := range list {
			if !wanted(rec) {
				return
			}
			if err := r.Delete(rec.ID); err != nil {
				r.log.Error("recording not deleted", "recording", rec.ID, "reason", err)
				return
			}
			r.log.Info("recording deleted", "recording", rec.ID, "stream", rec.Stream, "reason", reason)
		}
		if len(list) < tidyBatch {
			return
		}
	}
}

// Delete deletes a recording that has ended: its file and its sidecar. Errors wrap
// ErrNotFound or ErrActive.
func (r *Recorder) Delete(id string) error {
	rec, err := r.Recording(id)
	if err != nil {
		return err
	}
	if rec.State.open() {
		return ErrActive
	}
	if err := r.discard(&rec); err != nil {
		return err
	}
	r.tell(EventDeleted, &rec)
	return nil
}

// discard removes the files of a recording: the sidecar last, so that a program
// that is killed in between does not adopt the rest.
func (r *Recorder) discard(rec *Recording) error {
	err := errors.Join(
		ignoreMissing(r.disk.Remove(rec.name())),
		ignoreMissing(r.disk.Remove(rec.partName())),
		ignoreMissing(r.disk.Remove(rec.sidecarName())),
	)
	return errors.Join(err, r.catalogue.drop(rec.ID))
}
