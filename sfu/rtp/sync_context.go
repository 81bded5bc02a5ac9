package rtp

import (
	"time"

	"weir/sfu/media"
)

// SyncContext is what the placers of one publisher tell one another, for tracks that are
// timed together (RFC 7656 section 3.1). The zero value is ready to use. Neither it nor
// they are safe for concurrent use: they share one owner.
type SyncContext struct {
	clock   SenderClock
	placers []*Placer
}

// Instant takes in a sender report with the NTP time ntp that came at arrival, and
// returns that instant on the stream's clock.
func (s *SyncContext) Instant(ntp uint64, arrival time.Duration) time.Duration {
	return s.clock.Observe(ntp, arrival)
}

// heard returns when a packet of another track than p's last came on time.
func (s *SyncContext) heard(p *Placer) time.Duration {
	last := time.Duration(media.Never)
	for _, other := range s.placers {
		if other != p {
			last = max(last, other.onTime)
		}
	}
	return last
}
