package poster

import "time"

const (
	// waitedLong is how long a decode has to wait for the processor before that tells
	// anything: the scheduler's own grain is some milliseconds.
	waitedLong = 10 * time.Millisecond
	// firstPause and longestPause are how long no picture is taken on a busy machine.
	// Each time that it is still busy then the pause doubles.
	firstPause   = 5 * time.Second
	longestPause = time.Minute
)

// load knows whether the machine is busy, by what the last decode met: one that waited
// for the processor longer than it ran shared it with at least one other that wanted all
// of it, be it a process or our own goroutines that serve media.
type load struct {
	pause time.Duration
	until time.Time
}

// note takes in how long a decode ran on the processor, and how long it took.
func (l *load) note(cpu, wall time.Duration, now time.Time) {
	if wall-cpu <= max(cpu, waitedLong) {
		l.pause = 0
		return
	}
	l.pause = min(max(firstPause, 2*l.pause), longestPause)
	l.until = now.Add(l.pause)
}

// wait returns how long no picture is to be taken.
func (l *load) wait(now time.Time) time.Duration { return max(0, l.until.Sub(now)) }
