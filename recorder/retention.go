package recorder

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// tidyBatch is how many recordings are looked at for deletion at a time.
const tidyBatch = 100

// tidy deletes recordings that ended too long ago, and the oldest ones of those that
// are too much. Recordings that go on are not counted.
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
		total -= rec.size()
		return over
	}, "too many bytes in all")
}

// prune deletes recordings that ended before that time, the oldest first, as long
// as that is wanted.
func (r *Recorder) prune(before time.Time, wanted func(*Recording) bool, reason string) {
	stuck := 0 // recordings that could not be deleted: the list begins with them
	for {
		list, err := r.catalogue.index.oldest(before, stuck+tidyBatch)
		if err != nil {
			r.log.Warn("old recordings not found", "reason", err)
			return
		}
		full := len(list) == stuck+tidyBatch
		for _, rec := range list[min(stuck, len(list)):] {
			if !wanted(rec) {
				return
			}
			if err := r.Delete(rec.ID); err != nil && !errors.Is(err, ErrNotFound) {
				r.log.Error("recording not deleted", "recording", rec.ID, "reason", err)
				if stuck++; stuck > tidyBatch {
					return // nothing can be
				}
				continue
			}
			r.log.Info("recording deleted", "recording", rec.ID, "stream", rec.Stream, "reason", reason)
		}
		if !full {
			return
		}
	}
}

// Delete deletes a recording that has ended: its file, its picture and its sidecar. Errors wrap
// ErrNotFound or ErrActive.
func (r *Recorder) Delete(id string) error {
	r.saving.Lock()
	defer r.saving.Unlock()
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
// that is killed in between does not adopt the rest. Called with saving held.
func (r *Recorder) discard(rec *Recording) error {
	for _, name := range []string{rec.name(), rec.partName(), rec.posterName(), rec.sidecarName()} {
		if err := ignoreMissing(r.disk.Remove(name)); err != nil {
			return fmt.Errorf("recorder: %w", err) // it is still there, and stays listed
		}
	}
	return r.catalogue.drop(rec.ID)
}
