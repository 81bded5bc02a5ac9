package ws

import (
	"time"

	"weir/sfu/media"
	"weir/sfu/pace"
)

const (
	// maxJump is how much further than its arrival tells a frame's time may be from
	// the one before, and how far back: beyond it the recorder has set its clock
	// anew without a header.
	maxJump = 10 * time.Second
	// soundStep is the least time from one frame of sound to the next.
	soundStep = time.Microsecond
	// pictureStep is that for pictures. A recorder of a canvas may give two of them
	// the same time, and two packets of one time are one picture (RFC 3550 section
	// 5.1), as are two blocks of a file to some players. It is what a file counts.
	pictureStep = time.Millisecond
	// restartStep is the least time from the last frame of one recorder to the
	// first of the next.
	restartStep = time.Millisecond
)

// timeline places the times of an upload on the stream's clock. They are used as
// they are, so that the tracks stay in sync and files have the recorder's own
// times. MediaRecorder's clock stands still while it is paused, and so does this
// one. A recorder that starts anew begins at zero: its first frame is placed
// where the wall clock says.
type timeline struct {
	started   bool
	restarted bool
	steps     []time.Duration // the least from one frame of a track to the next
	edge      time.Duration   // where the frames of a publisher before ended
	base      time.Duration   // PTS = time of the upload + base
	last      []time.Duration // PTS of each track's last frame
	begun     []bool          // the track has one

	newest pace.Edge     // the frame with the highest PTS
	time   time.Duration // its time in the upload
	end    time.Duration // where the sound that has come ends, on the stream's clock
}

// newTimeline returns a timeline for tracks whose frames are to come later than
// edge.
func newTimeline(tracks []*uploadTrack, edge time.Duration) *timeline {
	t := &timeline{edge: edge, last: make([]time.Duration, len(tracks)), begun: make([]bool, len(tracks))}
	for _, track := range tracks {
		step := soundStep
		if track.codec.Kind() == media.Video {
			step = pictureStep
		}
		t.steps = append(t.steps, step)
	}
	return t
}

// restart notes that the frames to come are of another recorder.
func (t *timeline) restart() { t.restarted = t.started }

// place returns the PTS of a frame with the time at, which arrived at now and
// lasts that long, as far as it is known.
// latency is how long after their PTS frames are released: the first frame of a
// chunk is as late as that when it arrives, so that the first frame of a new
// recorder is placed there, and the pace goes on.
func (t *timeline) place(track int, at, lasts, now, latency time.Duration) time.Duration {
	step := at - t.time
	switch {
	case !t.started:
		t.started = true
		begin := now
		if t.edge > 0 {
			begin = max(now, t.edge+restartStep)
		}
		t.base = begin - at
		t.newest, t.end = pace.Edge{PTS: begin - restartStep}, begin
	case t.restarted, step < -maxJump, step > t.newest.Idle(now)+maxJump:
		t.restarted = false
		t.base = max(t.newest.PTS+restartStep, t.end, now-latency) - at
	}
	pts := at + t.base
	if t.begun[track] {
		pts = max(pts, t.last[track]+t.steps[track])
	}
	t.last[track], t.begun[track] = pts, true
	t.end = max(t.end, pts+lasts)
	if pts > t.newest.PTS {
		t.time = at
		t.newest.Advance(pts, now)
	}
	return pts
}
