package rtp

import (
	"math"
	"time"

	"weir/sfu/media"
)

const (
	// outOfOrder is how far ahead of the newest packet's RTP time that of a packet
	// before it may be: B frames are, by some frames. Beyond it is none of any clock.
	outOfOrder = time.Second
	// onTime is how late a packet may be to show that the network holds up nothing,
	// and tellOnTime how often that is told to the other tracks.
	onTime     = 250 * time.Millisecond
	tellOnTime = 50 * time.Millisecond
	// staleReport is how long after a new origin of the RTP clock a sender report may
	// come that was made before.
	staleReport = 300 * time.Millisecond
)

// Placer gives the packets of one track their numbers and times: both go on where
// another RTP stream begins. It is not safe for concurrent use.
type Placer struct {
	// set once
	codec media.Codec
	sync  *SyncContext

	offset    uint64 // added to numbers, so that a restart goes on
	before    uint64 // highest number of the RTP streams before; 0: there were none
	restarted bool   // what comes next is of another RTP stream
	stamps    stamps
	timeline  *Timeline
	origin    time.Duration // arrival of the first packet since the RTP clock was set anew
	onTime    time.Duration // arrival of the last packet that came on time, as the other tracks are told
	report    senderReport  // newest one not yet used

	// of the newest packet
	highest uint64 // its number; 0: there is none
	newest  uint64 // its time
	stamp   uint32 // as it was received
	marker  bool

	clock   media.ClockStats
	changed bool
}

// senderReport says which instant on the stream's clock an RTP time is.
type senderReport struct {
	waits   bool
	rtp     uint32
	at      time.Duration
	arrival time.Duration
}

// NewPlacer returns the placer of a track of codec c, whose publisher's other tracks
// have placers with the same SyncContext.
func NewPlacer(c media.Codec, s *SyncContext) *Placer {
	p := &Placer{codec: c, sync: s, timeline: NewTimeline(c), origin: media.Never, onTime: media.Never}
	s.placers = append(s.placers, p)
	return p
}

// Continue has the first packet go on behind tail, up to which the packets of another
// placer reach. It is to be called before that packet.
func (p *Placer) Continue(tail media.Tail) {
	if tail.Seq == 0 {
		return
	}
	p.highest, p.newest = tail.Seq, tail.Time
	p.timeline.resume(tail)
	p.restarted = true
}

// Restart has the next packet begin another RTP stream (a new SSRC).
func (p *Placer) Restart() { p.restarted = p.highest > 0 }

// goOn joins a new RTP stream, whose first packet is k, to the old one. One number is
// left out, so that no reader takes the old stream's last frame and the new one's first for
// neighbours.
func (p *Placer) goOn(k *media.Packet) {
	p.restarted, k.Discontinuity = false, true
	p.before, p.offset = p.highest, p.highest+2-k.Seq
	p.stamps = stamps{}
	p.timeline.Restart()
	p.origin = k.Arrival
	p.report = senderReport{}
	p.clock.Reports, p.changed = 0, true
}

// Place turns the number of a packet, which was received with the RTP time stamp, into
// that of the track, and tells its times. It returns false if the packet's time is none
// of the sender's clock, or if the packet was sent so long before the first one of its RTP
// stream that its number is one of the stream before.
func (p *Placer) Place(k *media.Packet, stamp uint32) bool {
	if p.restarted {
		p.goOn(k)
	}
	if k.Seq += p.offset; k.Seq <= p.before {
		return false
	}
	k.Time = p.stamps.Time(k.Seq, stamp)
	if k.Seq <= p.highest {
		if int64(k.Time-p.newest) > p.codec.Ticks(outOfOrder) {
			return false
		}
		k.PTS = p.timeline.PTS(k.Time)
		return true
	}
	a := Arrival{RTP: k.Time, At: k.Arrival, Begins: p.begins(stamp), Heard: media.Never}
	if p.timeline.Overdue(a) {
		a.Heard = p.sync.heard(p)
	}
	k.Time, k.PTS = p.timeline.Place(a)
	if p.timeline.Jumped() {
		p.origin = k.Arrival
		p.stamps.Jump()
	}
	p.stamps.Advance(k.Seq, stamp, k.Time)
	p.useReport()
	if p.timeline.Measured() {
		p.measureRate()
	}
	if a.Begins && k.Arrival-p.onTime >= tellOnTime && p.timeline.Late() < onTime {
		p.onTime = k.Arrival
	}
	p.highest, p.newest, p.stamp, p.marker = k.Seq, k.Time, stamp, k.Marker
	return true
}

// begins reports whether the packet that follows the newest one is of another
// frame. The clock may stand still: sound has a frame in each packet, and a picture
// ends with a marker.
func (p *Placer) begins(stamp uint32) bool {
	return p.highest == 0 || stamp != p.stamp || p.marker || p.codec.Kind() == media.Audio
}

// Report takes in a sender report (RFC 3550 section 6.4.1) that came at arrival: the
// RTP time rtp is the instant at, as [SyncContext.Instant] has told. It counts from the
// next packet on.
func (p *Placer) Report(rtp uint32, at, arrival time.Duration) {
	p.report = senderReport{waits: true, rtp: rtp, at: at, arrival: arrival}
}

// useReport hands a sender report that has come since the last packet to the
// timeline.
func (p *Placer) useReport() {
	if !p.report.waits || p.highest == 0 {
		return // nothing tells yet whether the report can be right
	}
	r := p.report
	p.report = senderReport{}
	p.changed = true
	rtp := p.timeline.Belongs(p.stamps.Time(math.MaxUint64, r.rtp))
	if before, ok := p.stamps.Before(r.rtp); ok && r.arrival < p.origin+staleReport &&
		p.timeline.Misfit(before, r.at) < p.timeline.Misfit(rtp, r.at) {
		return // it is of the clock before
	}
	if !p.timeline.Report(rtp, r.at) {
		p.clock.Refused++
		return
	}
	if p.clock.Reports == 0 {
		p.clock.First = r.at
	}
	p.clock.Reports++
	p.clock.Off = p.timeline.Off()
}

// measureRate notes how fast the publisher's clock runs, if that is known.
func (p *Placer) measureRate() {
	rate, ok := p.timeline.Rate()
	if !ok {
		return
	}
	p.clock.RateKnown, p.clock.WrongRate, p.clock.SkewPPM = true, rate.Wrong, rate.PPM
	p.changed = true
}

// ClockChanged reports whether something has been learnt of the publisher's clock since
// Clock was last called.
func (p *Placer) ClockChanged() bool { return p.changed }

// Clock returns what is known of the publisher's clock.
func (p *Placer) Clock() media.ClockStats {
	p.changed = false
	return p.clock
}
