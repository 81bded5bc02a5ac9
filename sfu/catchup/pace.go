package catchup

import "time"

const (
	// Overhead is what a packet has on the wire beside its payload, in bytes: RTP
	// header 12, SRTP tag 16, UDP 8, IPv4 20.
	Overhead = 56

	// ahead is how much of the stream a joiner gets at once, and fewest and most are
	// its bounds in bytes: 2 and 16 packets.
	ahead  = 60 * time.Millisecond
	fewest = 2_500
	most   = 20_000

	// startSpeed is how many times the stream's own rate a joiner is sent at first.
	startSpeed = 1.3
	// likely is the speed that the link is made for, and toLikely and beyond by how
	// much the speed grows each second up to there and from there on, from growsAfter
	// on.
	likely     = 1.5
	toLikely   = 0.25
	beyond     = 0.08
	growsAfter = 500 * time.Millisecond

	// slowing is what is left of the speed after a loss, but for slowest;
	// holdAfterLoss is how long it does not grow then, and how long further losses
	// are taken for those of the same queue.
	slowing       = 0.75
	slowest       = 1.2
	holdAfterLoss = 500 * time.Millisecond

	// pictureWithin is how long the first picture may take to leave, also if that is
	// faster than the speed: of a stream that sends little its keyframe is the most.
	pictureWithin = 700 * time.Millisecond

	// nearRate is the most that a viewer is sent, in bytes a second (60 Mbit/s), and
	// nearBurst what a viewer on the same machine gets at once: 64 packets, which hold
	// a large keyframe and fit into the receive buffer of a socket of default size (208
	// KiB, 2.3 KiB a packet).
	nearRate  = 7_500_000
	nearBurst = 80_000

	// Pause is the least time between two turns of a viewer.
	Pause = 5 * time.Millisecond
)

// Pace is that of one viewer of one track. The zero value lets nothing pass; see
// New.
type Pace struct {
	near    bool
	rate    float64 // the stream's own, in bytes a second
	speed   float64 // times rate
	picture float64 // bytes of the first picture that have not left
	least   float64 // bytes a second until it has
	credit  float64 // bytes that may leave; below zero: more have left than are due
	at      time.Duration
	grows   time.Duration // from when on speed does
	slowed  time.Duration // when losses were last heeded
}

// New returns the pace for a viewer that begins now. near reports whether it is on the
// same machine. rate is the stream's own in bytes a second, and picture the size of the
// first picture in bytes, both with Overhead.
func New(near bool, rate, picture int, now time.Duration) Pace {
	p := Pace{near: near, speed: startSpeed, at: now, grows: now + growsAfter, slowed: now - holdAfterLoss}
	p.Measured(rate)
	p.credit = p.most()
	p.Begin(picture)
	return p
}

// Begin notes that a picture of so many bytes is the next that a decoder can start at.
func (p *Pace) Begin(picture int) {
	p.picture = float64(picture)
	p.least = p.picture / pictureWithin.Seconds()
}

// Measured notes the stream's own rate.
func (p *Pace) Measured(rate int) { p.rate = float64(rate) }

// Due returns how many bytes may leave now. The last packet may be larger.
func (p *Pace) Due(now time.Duration) int {
	passed := max(0, now-p.at)
	p.at = max(p.at, now)
	p.grow(min(passed, p.at-p.grows).Seconds())
	p.credit = min(p.credit+p.bytesPerSecond()*passed.Seconds(), p.most())
	return int(p.credit)
}

// grow makes the speed that of so many seconds later.
func (p *Pace) grow(seconds float64) {
	if seconds > 0 && p.speed < likely {
		needs := min((likely-p.speed)/toLikely, seconds)
		p.speed += needs * toLikely
		seconds -= needs
	}
	p.speed += max(0, seconds) * beyond
}

// Sent notes that so many bytes have left.
func (p *Pace) Sent(bytes int) {
	p.credit -= float64(bytes)
	p.picture = max(0, p.picture-float64(bytes))
}

// Wait returns how long to wait until there is something due.
func (p *Pace) Wait() time.Duration {
	const packet = 1200 // a turn is worth a packet
	wait := time.Duration((packet - p.credit) / max(1, p.bytesPerSecond()) * float64(time.Second))
	return min(max(wait, Pause), pictureWithin)
}

// Lost notes that the viewer has told of lost packets.
func (p *Pace) Lost(now time.Duration) {
	p.near = false
	p.credit = min(p.credit, p.most())
	if now-p.slowed < holdAfterLoss {
		return
	}
	p.slowed, p.grows = now, now+holdAfterLoss
	p.speed = max(slowest, p.speed*slowing)
}

// bytesPerSecond is what the viewer is sent.
func (p *Pace) bytesPerSecond() float64 {
	if p.near {
		return nearRate
	}
	rate := p.rate * p.speed
	if p.picture > 0 {
		rate = max(rate, p.least)
	}
	return min(rate, nearRate)
}

// most is how many bytes may leave at once.
func (p *Pace) most() float64 {
	if p.near {
		return nearBurst
	}
	return min(max(p.rate*ahead.Seconds(), fewest), most)
}
