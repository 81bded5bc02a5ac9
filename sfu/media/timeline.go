package media

import "time"

const (
	// minWindow is how far back the arrival estimate looks: long enough to see
	// one packet that was not delayed, short enough to follow a drifting clock.
	minWindow = 5 * time.Second
	// reportWindow is the same for sender reports, of which there are few.
	reportWindow = 30 * time.Second
	// maxDisagreement is how far a sender report may place a packet from where
	// its arrival does. Beyond it the report is wrong and is not used.
	maxDisagreement = 2 * time.Second
	// stepAhead is the error beyond which the timeline jumps ahead instead of
	// slewing: the publisher's RTP clock stood still while time went on.
	stepAhead = time.Second
)

// Timeline places the RTP timestamps of one track on the stream's clock.
//
// Before the first sender report a packet is placed by its arrival: of all
// recent packets the one that was least delayed tells the offset. Reports
// replace that estimate. The offset in use follows the estimate slowly (by 1 %
// of the time that passes, 10 % when it is more than 100 ms off), so that times
// keep their order and neither sound nor picture jumps. The zero value is not
// usable; see [NewTimeline].
type Timeline struct {
	codec    Codec
	started  bool
	reported bool
	arrivals windowMin
	target   time.Duration // where the offset should be
	offset   time.Duration // PTS = media time + offset
	highest  uint64        // highest RTP time seen
}

// NewTimeline returns a timeline for a track of codec c.
func NewTimeline(c Codec) *Timeline {
	return &Timeline{codec: c, arrivals: windowMin{window: minWindow}}
}

// PTS returns when the packet with the extended RTP time rtp, which arrived at
// arrival, is to be shown. For packets in the order of their RTP time the result
// never decreases.
func (t *Timeline) PTS(rtp uint64, arrival time.Duration) time.Duration {
	at := t.codec.Duration(int64(rtp))
	estimate := t.arrivals.observe(arrival, arrival-at)
	if !t.reported {
		t.target = estimate
	}
	switch {
	case !t.started:
		t.started = true
		t.offset = t.target
		t.highest = rtp
	case rtp > t.highest:
		t.slew(t.codec.Duration(int64(rtp - t.highest)))
		t.highest = rtp
	}
	return at + t.offset
}

// Report takes in a sender report: the extended RTP time rtp is the instant at
// on the stream's clock. A report that contradicts the packets' arrival by more
// than two seconds is ignored, and Report returns false.
func (t *Timeline) Report(rtp uint64, at time.Duration) bool {
	target := at - t.codec.Duration(int64(rtp))
	if estimate, ok := t.arrivals.min(); ok && (target-estimate).Abs() > maxDisagreement {
		return false
	}
	t.reported = true
	t.target = target
	return true
}

// Target returns where the newest report places the track, as an offset from its
// own time, and how far that is from the offset in use.
func (t *Timeline) Target() (target, off time.Duration) { return t.target, t.target - t.offset }

// Restart forgets the reports and arrivals of the publisher's old RTP clock. The
// offset in use goes on from where it is.
func (t *Timeline) Restart() {
	t.reported = false
	t.arrivals = windowMin{window: minWindow}
}

// slew moves the offset towards the target, after elapsed media time.
func (t *Timeline) slew(elapsed time.Duration) {
	off := t.target - t.offset
	if off > stepAhead {
		t.offset = t.target
		return
	}
	most := elapsed / 100
	if off.Abs() > 100*time.Millisecond {
		most = elapsed / 10
	}
	t.offset += max(-most, min(most, off))
}

// windowMin is the minimum of what was observed in the last one to two windows.
type windowMin struct {
	window   time.Duration
	begun    time.Duration // when the current window began
	current  time.Duration
	previous time.Duration
	n        int // windows that hold a value: 0, 1 or 2
}

func (w *windowMin) observe(now, v time.Duration) time.Duration {
	switch {
	case w.n == 0:
		w.begun, w.current, w.previous, w.n = now, v, v, 1
	case now-w.begun >= w.window:
		w.begun, w.previous, w.current, w.n = now, w.current, v, 2
	default:
		w.current = min(w.current, v)
	}
	m, _ := w.min()
	return m
}

func (w *windowMin) min() (time.Duration, bool) {
	switch w.n {
	case 0:
		return 0, false
	case 1:
		return w.current, true
	default:
		return min(w.current, w.previous), true
	}
}

// SenderClock places the publisher's NTP clock on the stream's clock. All tracks
// of a publisher share one, which is what keeps them in sync: an error of it
// moves them together. The zero value is ready to use.
type SenderClock struct {
	offsets windowMin
}

// Observe takes in a sender report with the NTP time ntp (RFC 3550 section 4,
// seconds in the upper 32 bits) that arrived at arrival, and returns that
// instant on the stream's clock.
func (c *SenderClock) Observe(ntp uint64, arrival time.Duration) time.Duration {
	c.offsets.window = reportWindow
	at := NTPDuration(ntp)
	return at + c.offsets.observe(arrival, arrival-at)
}

// NTPDuration converts a 64-bit NTP timestamp to a duration since its epoch,
// 1 January 1900.
func NTPDuration(ntp uint64) time.Duration {
	seconds := time.Duration(ntp>>32) * time.Second
	fraction := time.Duration((ntp & (1<<32 - 1)) * uint64(time.Second) >> 32)
	return seconds + fraction
}

// ntpUnix is the number of seconds from the NTP epoch to the Unix epoch.
const ntpUnix = 2208988800

// NTPTime converts a wall-clock time to a 64-bit NTP timestamp.
func NTPTime(t time.Time) uint64 {
	seconds := uint64(t.Unix() + ntpUnix)
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}
