package load

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"

	"weir/sfu/media"
)

// reportInterval is how often a viewer sends a receiver report, so that the server sees
// a viewer that is there (RFC 3550 section 6.2 would have it vary).
const reportInterval = time.Second

// sendDue sends the checks and reports that are due.
func (v *viewer) sendDue(now int64) {
	if v.ice.remote().IsValid() && now >= v.nextConsent {
		// Spread, as RFC 7675 section 5.1 asks for: 0.8 to 1.2 of the interval.
		v.nextConsent = now + int64(consentInterval)*(80+rand.Int64N(41))/100
		v.ice.check(v.socket, int(v.ice.selected.Load())-1)
	}
	if v.keys == nil || now < v.nextReport {
		return
	}
	if v.nextReport == 0 {
		v.nextReport = now + rand.Int64N(int64(reportInterval)) // spread over the interval
	} else {
		v.nextReport = now + int64(reportInterval)
	}
	v.report()
}

// report sends a receiver report, and a request for a keyframe if that is wanted.
// RTCP of that size needs no compound packet (RFC 5506).
func (v *viewer) report() {
	report := &rtcp.ReceiverReport{SSRC: v.ssrc}
	packets := []rtcp.Packet{report}
	for _, t := range v.tracks {
		report.Reports = append(report.Reports, t.report())
		if t.kind == media.Video && v.keyframe == 0 && v.fleet.sendPLI {
			packets = append(packets, &rtcp.PictureLossIndication{SenderSSRC: v.ssrc, MediaSSRC: t.ssrc})
		}
	}
	raw, err := rtcp.Marshal(packets)
	if err != nil {
		return // more than 31 tracks: no server does that
	}
	if sealed, err := v.keys.out.EncryptRTCP(nil, raw, nil); err == nil {
		v.socket.send(sealed, v.ice.remote())
	}
}

// report is what came since the last one (RFC 3550 section 6.4.1). There is no jitter
// in it, and no answer to sender reports: no server needs them of us.
func (t *track) report() rtcp.ReceptionReport {
	expected := t.whole.expected(t.highest)
	lost := expected - t.whole.received
	recent := expected - t.reported.expected(t.reported.to)
	recentLost := recent - (t.whole.received - t.reported.received)
	t.reported = span{from: t.whole.from, to: t.highest, received: t.whole.received}
	r := rtcp.ReceptionReport{
		SSRC: t.ssrc, LastSequenceNumber: uint32(t.highest), TotalLost: uint32(min(max(lost, 0), 1<<23-1)),
	}
	if recent > 0 && recentLost > 0 {
		r.FractionLost = uint8(min(255, recentLost*256/recent))
	}
	return r
}
