package rtp

import (
	"time"

	"github.com/pion/rtcp"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Config is how an Intake works.
type Config struct {
	Codec media.Codec
	// NACK has what is missing asked for.
	NACK bool
	// Placer gives packets their place in the track. Without one they have the numbers
	// and times of their RTP stream, extended: those of one of several encodings, which
	// are placed when they have been joined.
	Placer *Placer
}

// Intake takes in one RTP stream: that of one SSRC, and of those that take its place.
// It is not safe for concurrent use.
type Intake struct {
	// set once
	config Config
	format codec.Format

	numbers   numbers
	losses    losses
	reception reception
	sets      *sets // nil: keyframes of the codec stand on their own

	// of the newest packet with media
	begun bool
	stamp uint32

	stamps  stamps // without a placer
	highest uint64 // without a placer: the number up to which stamps have advanced
}

// NewIntake returns an Intake of a codec that package codec knows.
func NewIntake(c Config) *Intake {
	format, _ := codec.For(c.Codec)
	i := &Intake{config: c, format: format, losses: newLosses(), reception: reception{codec: c.Codec}}
	if format.NewSets != nil {
		i.sets = &sets{format: &i.format, known: format.NewSets()}
	}
	return i
}

// TellSets takes in parameter sets that the publisher told apart from the media (H.264:
// sprop-parameter-sets in SDP), each a NAL unit. It does nothing for other codecs.
func (i *Intake) TellSets(units ...[]byte) {
	if i.sets == nil {
		return
	}
	for _, nal := range units {
		i.sets.known.Learn(nal)
	}
}

// Restart has the next packet begin another RTP stream (a new SSRC).
func (i *Intake) Restart() {
	i.numbers = numbers{}
	i.reception.restart()
	i.forget()
}

// forget forgets what has to do with numbers.
func (i *Intake) forget() {
	i.losses.restart()
	i.begun = false
	i.stamps, i.highest = stamps{}, 0
	if i.sets != nil {
		i.sets.restart()
	}
	if i.config.Placer != nil {
		i.config.Placer.Restart()
	}
}

// Receive takes in a packet and writes to r what it is.
func (i *Intake) Receive(p *Packet, r *Result) {
	number, restarted := i.numbers.place(p)
	if restarted {
		i.reception.recount()
		i.forget()
	}
	*r = Result{
		Packet:    media.Packet{Seq: number, Marker: p.Marker, Arrival: p.Arrival, Payload: p.Payload},
		Restarted: restarted,
	}
	if i.config.NACK {
		r.Ask, r.Retransmitted, r.GaveUp = i.losses.received(number, p.Arrival)
	}
	if !p.Retransmitted {
		i.reception.packet(number, p.Time, p.Arrival)
	}
	stamp := p.Time
	switch {
	case len(p.Payload) == 0 && i.begun:
		stamp = i.stamp // it is at no time of its own
	case len(p.Payload) > 0 && !p.Retransmitted:
		i.begun, i.stamp = true, p.Time
	}
	if !i.place(r, stamp) {
		r.Refused = true
		return
	}
	i.inspect(r, number)
}

// place gives a packet its time, and its place in the track.
func (i *Intake) place(r *Result, stamp uint32) bool {
	if i.config.Placer != nil {
		return i.config.Placer.Place(&r.Packet, stamp)
	}
	r.Time = i.stamps.Time(r.Seq, stamp)
	if r.Seq > i.highest {
		i.highest = r.Seq
		i.stamps.Advance(r.Seq, stamp, r.Time)
	}
	return true
}

// inspect looks into a packet with a number for what a decoder wants to know.
func (i *Intake) inspect(r *Result, number uint64) {
	where := i.format.Inspect(r.Payload)
	if i.sets != nil {
		r.Ahead = i.sets.complete(&where, r.Payload, number, r.Time)
	}
	r.Start, r.Sync, r.Width, r.Height = where.Start, where.Sync, where.Width, where.Height
}

// Time returns the time of the stream, extended, that a sender report with the RTP time
// rtp is about: for one of several encodings.
func (i *Intake) Time(rtp uint32) uint64 { return i.stamps.Time(i.highest, rtp) }

// Misses reports whether a packet is missing that is still waited for.
func (i *Intake) Misses(seq uint16) bool { return i.losses.misses(i.numbers.near(seq)) }

// Due returns what is to be asked for again at the time now. gaveUp reports whether
// something is not waited for any more.
func (i *Intake) Due(now time.Duration) (ask []rtcp.NackPair, gaveUp bool) {
	return i.losses.due(now)
}

// Waiting reports whether something is missing that is still waited for.
func (i *Intake) Waiting() bool { return i.losses.waiting() }

// Window returns how long a packet that is missing is waited for.
func (i *Intake) Window() time.Duration {
	if !i.config.NACK {
		return minNackWindow // it may only be late
	}
	return i.losses.window()
}

// SenderReport takes in when the sender's newest report was made, as an NTP time, and
// when it came.
func (i *Intake) SenderReport(ntp uint64, arrival time.Duration) {
	i.reception.senderReport(ntp, arrival)
}

// Report returns what a receiver report tells of the stream of an SSRC at the time now;
// false before anything came.
func (i *Intake) Report(ssrc uint32, now time.Duration) (rtcp.ReceptionReport, bool) {
	return i.reception.report(ssrc, now)
}
