package recorder

import (
	"math"
	"slices"
	"time"

	"weir/sfu"
	"weir/sfu/media"
)

// Quality is how good a recording is: what came, what was lost under way, and what a
// viewer of the file will notice.
type Quality struct {
	// Verdict is "clean" if nothing is missing, "repaired" if packets were lost, and
	// came again in time, "gaps" if frames are missing or the tracks do not fit one
	// another, and "poor" if 1 % of the time or more is missing, or a whole track. See
	// verdict.
	Verdict string `json:"verdict"`

	Packets    uint64 `json:"packets"`    // received, or frames if the publisher uploads those
	Lost       uint64 `json:"lost"`       // never came, or too late
	Repaired   uint64 `json:"repaired"`   // were lost, and came again in time
	Duplicates uint64 `json:"duplicates"` // came twice
	Frames     int64  `json:"frames"`     // in the file
	Dropped    uint64 `json:"dropped"`    // not in the file: incomplete, or they refer to one that is
	CutOff     uint64 `json:"cut_off"`    // of these, whose rest the sender threw away: no packet was lost
	Gates      uint64 `json:"gates"`      // how often pictures were left out up to the next keyframe
	Overruns   uint64 `json:"overruns"`   // how often the disk was too slow

	// FillerFrames is how many frames of silence stand in the file where sound is
	// missing, because it was lost or because none was sent, FillerMS how long they
	// last. Trimmed is how many frames of sound are not in the file because the sound
	// before them was longer than its time, TrimmedMS how long they last. DriftMS is how
	// much of either makes up for the rate of the publisher's clock, where nothing is
	// missing: a sound card that is 100 ppm slow is a second behind after 2.8 hours.
	FillerFrames int64 `json:"filler_frames"`
	FillerMS     int64 `json:"filler_ms"`
	Trimmed      int64 `json:"trimmed,omitempty"`
	TrimmedMS    int64 `json:"trimmed_ms,omitempty"`
	DriftMS      int64 `json:"drift_ms,omitempty"`

	// ApartMS is how long picture and sound were more than 100 ms apart, as far as
	// sender reports tell. EndedEarly is a track that ended seconds before the other.
	ApartMS    int64       `json:"apart_ms,omitempty"`
	EndedEarly *EndedEarly `json:"ended_early,omitempty"`
	// Unusable are the tracks of which something came, and nothing that a decoder could
	// begin with: they are not in the file.
	Unusable []string `json:"unusable,omitempty"`

	// Freezes are where the picture stood still for more than half a second,
	// FrozenMS how long that was in all. Pauses do not count.
	Freezes  []Freeze `json:"freezes"`
	FrozenMS int64    `json:"frozen_ms"`
	// KeyframeMeanMS is the time from one keyframe to the next; KeyframeMaxMS is the
	// longest, that from the last one to the last picture too.
	KeyframeMeanMS int64 `json:"keyframe_mean_ms,omitempty"`
	KeyframeMaxMS  int64 `json:"keyframe_max_ms,omitempty"`

	// SkewPPM is how much faster the publisher's clock runs than ours, in parts per
	// million: that of the track that is off most, as far as it is known. AVOffsetMS is
	// how far sound is from the picture by the newest sender reports, before that is
	// made up for.
	SkewPPM    *float64 `json:"skew_ppm,omitempty"`
	AVOffsetMS *float64 `json:"av_offset_ms,omitempty"`
	// Clocks are those of the tracks, as far as they are known.
	Clocks []Clock `json:"clocks,omitempty"`
	// Synced is when each track was first placed by a sender report.
	Synced []Synced `json:"synced,omitempty"`
}

// Freeze is a place where the picture stands still.
type Freeze struct {
	AtMS       int64 `json:"at_ms"`
	DurationMS int64 `json:"duration_ms"`
	// Lost reports whether pictures are missing there. Otherwise the publisher sent
	// none: of a screen on which nothing moves, say.
	Lost bool `json:"lost,omitempty"`
}

// EndedEarly is a track that ended seconds before the other one.
type EndedEarly struct {
	Track string `json:"track"`
	AtMS  int64  `json:"at_ms"`
}

// Synced is when a track was first placed by a sender report.
type Synced struct {
	Track string `json:"track"`
	AtMS  int64  `json:"at_ms"`
}

// Clock is how a track's clock runs.
type Clock struct {
	Track string `json:"track"`
	// SkewPPM is how much faster than ours, in parts per million. WrongRate reports
	// whether this is more than any clock is off by: 44.1 kHz that are taken for 48,
	// say.
	SkewPPM   float64 `json:"skew_ppm"`
	WrongRate bool    `json:"wrong_rate,omitempty"`
}

const (
	// freezeAfter is how long a picture stays until it counts as frozen.
	freezeAfter = 500 * time.Millisecond
	maxFreezes  = 1000
)

// collector gathers the quality of a part.
type collector struct {
	inputs    []*input
	before    []sfu.TrackStats // when the part began
	overruns  uint64
	unordered uint64
	trimmed   int64
	trimming  time.Duration // how long those last
	freezes   []Freeze
	frozen    time.Duration
	losing    time.Duration   // of frozen: where pictures are missing
	excused   time.Duration   // sound that is missing because that was wanted
	apart     time.Duration   // how long picture and sound were apart
	sampled   time.Duration   // when that was last looked at, on the stream's clock; 0: never
	last      []time.Duration // where the last frame of each track begins; -1: it has none
	picture   time.Duration   // time of the last picture
	longest   time.Duration   // from one picture to the next
	keyframe  time.Duration   // time of the last keyframe
	pictures  int64
	keyframes int64
	keySum    time.Duration
	keyMax    time.Duration
}

func newCollector(inputs []*input) collector {
	c := collector{inputs: inputs, last: slices.Repeat([]time.Duration{-1}, len(inputs))}
	for _, in := range inputs {
		c.before = append(c.before, in.track.Stats())
	}
	return c
}

// trim notes that a frame of sound was left out because there was no room for it.
func (c *collector) trim(length time.Duration) {
	c.trimmed++
	c.trimming += length
}

// begin notes what a track had lost before its first frame. When the part began, more
// of it may have come.
func (c *collector) begin(track int, lost media.Losses) {
	before := &c.before[track]
	before.Lost = min(before.Lost, lost.Packets)
	before.Dropped = min(before.Dropped, lost.Frames)
	before.CutOff = min(before.CutOff, lost.CutOff)
}

// frame notes that a frame of a track was written. gap reports whether frames are
// missing before it, excused whether this was wanted.
func (c *collector) frame(track int, at time.Duration, sync, gap, excused bool) {
	last := c.last[track]
	c.last[track] = at
	if c.inputs[track].info.Kind() != media.Video {
		if excused && last >= 0 {
			c.excused += at - last
		}
		return
	}
	if c.pictures > 0 && !excused {
		c.still(at-c.picture, gap)
	}
	c.picture = at
	c.pictures++
	if !sync {
		return
	}
	if c.keyframes > 0 {
		if excused { // up to where it was wanted, that is
			at = last
		}
		c.keySum += at - c.keyframe
		c.keyMax = max(c.keyMax, at-c.keyframe)
	}
	c.keyframe = c.picture
	c.keyframes++
}

// still notes how long the last picture stayed.
func (c *collector) still(d time.Duration, gap bool) {
	if !gap {
		c.longest = max(c.longest, d)
	}
	if d <= freezeAfter {
		return
	}
	c.frozen += d
	if gap {
		c.losing += d
	}
	if len(c.freezes) < maxFreezes {
		c.freezes = append(c.freezes, Freeze{milliseconds(c.picture), milliseconds(d), gap})
	}
}

// sample looks how far picture and sound are apart at the instant now of the stream's
// clock. It is called about once a second.
func (c *collector) sample(now time.Duration) {
	since := now - c.sampled
	first := c.sampled == 0
	c.sampled = now
	var off [media.Video + 1]time.Duration
	known := 0
	for _, in := range c.inputs {
		if s := in.track.Stats().Sync; s.Reports > 0 {
			off[in.info.Kind()] = s.Off
			known++
		}
	}
	if !first && known > 1 && (off[media.Audio]-off[media.Video]).Abs() > apartAfter {
		c.apart += since
	}
}

// stretches returns the mean time from one keyframe to the next, and the longest, in
// milliseconds; the latter may be that to the last picture.
func (c *collector) stretches() (mean, longest int64) {
	if c.keyframes > 1 {
		mean = milliseconds(c.keySum / time.Duration(c.keyframes-1))
	}
	if c.keyframes > 0 {
		longest = milliseconds(max(c.keyMax, c.picture-c.keyframe))
	}
	return mean, longest
}

// report returns the quality of a part that has ended.
func (c *collector) report(rec *Recording) *Quality {
	q := &Quality{Frames: rec.Frames, Dropped: c.unordered, Overruns: c.overruns, Freezes: append([]Freeze{}, c.freezes...), FrozenMS: milliseconds(c.frozen)}
	q.Trimmed, q.TrimmedMS, q.ApartMS = c.trimmed, milliseconds(c.trimming), milliseconds(c.apart)
	q.EndedEarly = c.endedEarly(time.Duration(rec.DurationMS) * time.Millisecond)
	for _, t := range rec.Tracks {
		if t.Filler != nil {
			q.FillerFrames += t.Filler.Frames
			q.FillerMS += t.Filler.DurationMS
		}
	}
	q.KeyframeMeanMS, q.KeyframeMaxMS = c.stretches()
	offsets := map[media.Kind]time.Duration{}
	for i, in := range c.inputs {
		now, was := in.track.Stats(), c.before[i]
		if c.last[i] < 0 && now.Bytes > was.Bytes {
			q.Unusable = append(q.Unusable, in.info.ID)
		}
		q.Packets += now.Packets - was.Packets
		q.Lost += now.Lost - was.Lost
		q.Repaired += now.Repaired - was.Repaired
		q.Duplicates += now.Duplicates - was.Duplicates
		q.Dropped += now.Dropped - was.Dropped
		q.CutOff += now.CutOff - was.CutOff
		q.Gates += now.Gates - was.Gates
		if s := now.Sync; s.Reports > 0 {
			q.Synced = append(q.Synced, Synced{in.info.ID, max(0, milliseconds(s.First.Sub(rec.StartedAt)))})
			offsets[in.info.Kind()] = s.Off
		}
		q.clock(in.info.ID, in.info.Kind(), now.Sync)
		if in.info.Kind() == media.Audio && now.Sync.RateKnown {
			q.drift(now.Sync, rec.DurationMS)
		}
	}
	if sound, ok := offsets[media.Audio]; ok {
		if picture, ok := offsets[media.Video]; ok {
			off := float64(sound-picture) / float64(time.Millisecond)
			q.AVOffsetMS = &off
		}
	}
	q.Verdict = c.verdict(rec, q)
	return q
}

// drift takes down how much of the silence, or of what was left out, makes up for the
// rate of the sound's clock in a recording of so many milliseconds. A slow clock leaves
// room, a fast one leaves none. A packet that is left out may be three times as long as
// what was too much (120 ms of 40): then silence stands for the rest. A rate of no
// clock excuses nothing.
func (q *Quality) drift(s sfu.SyncStats, durationMS int64) {
	by := int64(math.Round(s.SkewPPM / 1e6 * float64(durationMS)))
	switch {
	case s.WrongRate:
	case by < 0:
		q.DriftMS = min(q.FillerMS, -by)
	default:
		rest := min(max(0, q.TrimmedMS-by), q.FillerMS, 2*by)
		q.DriftMS = min(q.TrimmedMS, by+rest) + rest
	}
}

// clock takes down how the clock of a track runs, if that is known. That of a picture
// is not called wrong: an encoder that falls behind looks the same, and a picture is
// shown when it comes.
func (q *Quality) clock(track string, kind media.Kind, s sfu.SyncStats) {
	if !s.RateKnown {
		return
	}
	ppm := math.Round(s.SkewPPM) + 0 // no "-0"
	q.Clocks = append(q.Clocks, Clock{Track: track, SkewPPM: ppm, WrongRate: s.WrongRate && kind == media.Audio})
	if q.SkewPPM == nil || math.Abs(ppm) > math.Abs(*q.SkewPPM) {
		q.SkewPPM = &ppm
	}
}
