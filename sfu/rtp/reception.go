package rtp

import (
	"time"

	"github.com/pion/rtcp"

	"weir/sfu/media"
)

// reception is what a receiver has to tell the sender of one RTP stream (RFC 3550
// section 6.4.1).
type reception struct {
	codec media.Codec // tells the RTP clock

	base     uint64 // first number; 0: nothing came yet
	highest  uint64
	received uint64 // packets, with those that came twice

	// at the report before
	expectedBefore, receivedBefore uint64

	transit uint32 // of the packet before, on the RTP clock
	jitter  uint32 // 16 times what is reported, as in RFC 3550 appendix A.8

	lastReport   uint64        // NTP time of the newest sender report; 0: none came
	lastReportAt time.Duration // when it came
}

// restart forgets everything: another RTP stream begins.
func (r *reception) restart() { *r = reception{codec: r.codec} }

// recount begins anew with the numbers of the stream, whose sender is the same (RFC 3550
// appendix A.1, init_seq).
func (r *reception) recount() {
	*r = reception{codec: r.codec, lastReport: r.lastReport, lastReportAt: r.lastReportAt}
}

// packet takes in the packet with an extended number that came at the time at.
func (r *reception) packet(number uint64, timestamp uint32, at time.Duration) {
	transit := uint32(r.codec.Ticks(at)) - timestamp
	r.received++
	if r.base == 0 {
		r.base, r.highest, r.transit = number, number, transit
		return
	}
	r.highest = max(r.highest, number)
	d := int32(transit - r.transit)
	r.transit = transit
	r.jitter += uint32(max(d, -d)) - (r.jitter+8)>>4
}

// senderReport takes in when the newest sender report was sent (NTP time) and came.
func (r *reception) senderReport(ntp uint64, at time.Duration) {
	r.lastReport, r.lastReportAt = ntp, at
}

// report returns the report for a stream at the time now; false before anything
// came.
func (r *reception) report(ssrc uint32, now time.Duration) (rtcp.ReceptionReport, bool) {
	if r.base == 0 {
		return rtcp.ReceptionReport{}, false
	}
	expected := r.highest - r.base + 1
	interval, received := expected-r.expectedBefore, r.received-r.receivedBefore
	r.expectedBefore, r.receivedBefore = expected, r.received
	report := rtcp.ReceptionReport{
		SSRC: ssrc, LastSequenceNumber: uint32(r.highest), Jitter: r.jitter >> 4,
	}
	if interval > received { // packets that came twice can make it less
		report.FractionLost = uint8(min(255, (interval-received)<<8/interval))
	}
	if expected > r.received {
		const most = 1<<23 - 1
		report.TotalLost = uint32(min(most, expected-r.received))
	}
	if r.lastReport != 0 {
		report.LastSenderReport = uint32(r.lastReport >> 16)
		delay := max(0, now-r.lastReportAt)
		report.Delay = uint32(delay/time.Second)<<16 + uint32(delay%time.Second<<16/time.Second)
	}
	return report, true
}
