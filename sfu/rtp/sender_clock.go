package rtp

import (
	"time"

	"weir/sfu/media"
)

const (
	// reportWindow is how far back the sender clock looks: reports are few.
	reportWindow = 30 * time.Second
	// contradicted is how long reports have to say that the sender's clock is further
	// ahead than any other report has, by more than a network explains, before that is
	// believed: those of one track may be made up while the other one's are true.
	contradicted = 10 * time.Second
)

// SenderClock places the publisher's NTP clock on the stream's clock. All tracks
// of a publisher share one, which is what keeps them in sync: an error of it
// moves them together. The zero value is ready to use.
type SenderClock struct {
	offsets windowMin
	odd     bool          // the newest report contradicts those before
	since   time.Duration // arrival of the first one that does
}

// Observe takes in a sender report with the NTP time ntp (RFC 3550 section 4,
// seconds in the upper 32 bits) that arrived at arrival, and returns that
// instant on the stream's clock.
func (c *SenderClock) Observe(ntp uint64, arrival time.Duration) time.Duration {
	c.offsets.window = reportWindow
	at := media.NTPDuration(ntp)
	least, some := c.offsets.min()
	odd := some && arrival-at < least-runaway
	if odd && !c.odd {
		c.since = arrival
	}
	if c.odd = odd; odd {
		if arrival-c.since < contradicted {
			return at + least
		}
		c.odd, c.offsets = false, windowMin{window: reportWindow}
	}
	return at + c.offsets.observe(arrival, arrival-at)
}
