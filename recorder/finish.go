package recorder

import (
	"errors"
	"fmt"
	"time"

	"weir/recorder/webm/repair"
)

// finish ends a part. With cause nil the file gets its index and its name. After a
// failure it is repaired in place, which takes no room: what was written of it is
// a whole recording too, unless the disk refuses that as well.
func (p *part) finish(cause error) bool {
	r := p.recorder
	p.syncer.stop()
	p.look()
	p.summarize()
	err := cause
	if err == nil {
		err = p.seal()
	}
	if err != nil {
		p.record.State, p.record.Reason = Failed, publicReason(err)
		lost := p.salvage()
		if errors.Is(lost, errEmpty) {
			p.file.Close()
			p.log.Error("recording failed at its start", "recording", p.record.ID, "reason", errors.Join(err, r.discard(&p.record)))
			r.tell(EventFailed, &p.record)
			return false
		}
		if lost != nil {
			p.log.Error("recording left as it is", "recording", p.record.ID, "reason", lost)
		}
	} else {
		p.record.State = Finished
	}
	p.file.Close() // it was synced, or that failed
	// Last: where the disk is nearly full, the room is the recording's.
	if err := r.keepPoster(&p.record, p.posters.kept); err != nil {
		p.log.Warn("poster not written", "recording", p.record.ID, "reason", err)
	}
	ended := endTime(&p.record)
	p.record.EndedAt = &ended
	p.record.Quality = p.quality.report(&p.record)
	r.conclude(&p.record)
	if err != nil {
		r.tell(EventFailed, &p.record)
		p.log.Error("recording failed", "recording", p.record.ID, "reason", err)
		return true
	}
	r.tell(EventFinished, &p.record)
	p.log.Info("recording finished", "recording", p.record.ID, "duration_ms", p.record.DurationMS,
		"bytes", p.record.Bytes, "gaps", len(p.record.Gaps)+p.record.MoreGaps, "quality", p.record.Quality.Verdict)
	return true
}

// seal completes, syncs and renames the file.
func (p *part) seal() error {
	omits := p.omit()
	if err := p.writer.Finish(); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	p.summarize()
	if omits {
		if _, err := repair.Repair(p.file, p.record.Bytes); err != nil {
			return fmt.Errorf("recorder: %w", err)
		}
	}
	if err := p.file.Sync(); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	if err := p.recorder.disk.Rename(p.record.partName(), p.record.name()); err != nil {
		return fmt.Errorf("recorder: %w", err)
	}
	return nil
}

// salvage makes a whole file of what was written before writing failed.
func (p *part) salvage() error {
	size, err := p.file.Size()
	if err != nil {
		return err
	}
	report, err := repair.Repair(p.file, size)
	if err != nil {
		return err
	}
	if report.Frames == 0 {
		return errEmpty
	}
	p.record.repaired(report)
	if err := p.file.Sync(); err != nil {
		return err
	}
	return p.recorder.disk.Rename(p.record.partName(), p.record.name())
}

// repaired takes over what a repair found in the file. A track in which nothing was
// found is one that the file does not declare any more.
func (r *Recording) repaired(report repair.Report) {
	r.Bytes, r.DurationMS = report.Bytes, milliseconds(report.Duration)
	r.Frames, r.Keyframes = report.Frames, report.Keyframes
	told := r.Tracks
	r.Tracks = []Track{}
	for i, found := range report.Tracks {
		if found.Stats.Frames == 0 {
			continue
		}
		t := trackOf(found)
		if len(told) == len(report.Tracks) { // the sidecar was written with the file's header
			t.ID, t.Sizes, t.Channels = told[i].ID, told[i].Sizes, told[i].Channels
			if told[i].Width > 0 {
				t.Width, t.Height = told[i].Width, told[i].Height
			}
		}
		r.Tracks = append(r.Tracks, t)
	}
}

// trackOf describes a track by what was found of it in a file.
func trackOf(found repair.TrackReport) Track {
	codec, s := found.Entry.Codec, found.Stats
	t := Track{
		ID: codec.Kind().String(), Kind: codec.Kind().String(), Codec: codec.String(),
		Width: s.Width, Height: s.Height, Frames: s.Frames, Keyframes: s.Keyframes, Bytes: s.Bytes,
	}
	if s.Filler > 0 {
		t.Filler = &Filler{Frames: s.Filler, DurationMS: milliseconds(s.Filled)}
	}
	return t
}

// endTime is when the last frame of the recording ends, which cannot be yet to come,
// whatever a publisher's clock says.
func endTime(rec *Recording) time.Time {
	ended := rec.StartedAt.Add(time.Duration(rec.DurationMS) * time.Millisecond)
	if now := time.Now().UTC(); ended.After(now) {
		return now
	}
	return ended
}

// save writes a sidecar and tells the catalogue. If the disk refuses it, that is
// tried again later (see Recorder.Run). Called with saving held.
func (r *Recorder) save(rec *Recording) {
	r.catalogue.set(rec)
	if err := r.writeSidecar(rec); err != nil {
		r.log.Warn("sidecar not written yet", "recording", rec.ID, "reason", err)
		r.catalogue.owe(rec.ID)
	}
}

// saveOwed writes the sidecars that could not be written before.
func (r *Recorder) saveOwed() {
	for _, id := range r.catalogue.owed() {
		r.saving.Lock()
		rec, err := r.Recording(id)
		if errors.Is(err, ErrNotFound) || err == nil && r.writeSidecar(&rec) == nil {
			r.catalogue.paid(id)
			if err == nil {
				r.catalogue.set(&rec) // the index may have refused it too
			}
		}
		r.saving.Unlock()
	}
}
