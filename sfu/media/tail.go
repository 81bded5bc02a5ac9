package media

import "time"

// Tail is where a track ends that another publisher is to go on with. The zero value is
// that of a track to which nothing was written.
type Tail struct {
	Seq   uint64        // the highest; 0: there are no packets
	Time  uint64        // RTP time of the newest packet
	PTS   time.Duration // when that is shown
	Delay time.Duration // how long after their PTS packets arrived at the earliest, lately
}

// ClockStats is what is known of the clock by which a track's RTP times are made.
type ClockStats struct {
	Reports int           // sender reports that were used, since the RTP stream began
	Refused uint64        // sender reports that contradicted the packets
	First   time.Duration // the instant of the first one that was used
	// Off is how far the newest report places the track from where it is placed, which
	// it will slowly move from.
	Off time.Duration
	// RateKnown reports whether it is known how fast the RTP clock runs. SkewPPM is how much
	// faster than ours, in parts per million; WrongRate reports whether this is more than any
	// clock is off by.
	RateKnown, WrongRate bool
	SkewPPM              float64
}
