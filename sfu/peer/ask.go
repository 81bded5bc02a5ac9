package peer

import (
	"slices"
	"time"

	"github.com/pion/rtcp"
)

// Requests and reports to a publisher: lost packets, keyframes, receiver reports.

// nackTick is how often it is looked whether something is to be asked for again.
const nackTick = 10 * time.Millisecond

// asking is what is to be asked of the client: packets of an encoding that were lost,
// or a keyframe.
type asking struct {
	of       *encoding
	packets  []rtcp.NackPair
	keyframe bool
}

// ask has the client asked, unless so much waits for that already that it is better
// asked the next time.
func (in *receiver) ask(a asking) {
	select {
	case in.asking <- a:
	default:
	}
}

func (in *receiver) askForKeyframe(of int) {
	if of >= 0 {
		in.ask(asking{of: in.encodings[of], keyframe: true})
	}
}

// requests returns what asks the client.
func (a asking) requests() []rtcp.Packet {
	if a.keyframe {
		return []rtcp.Packet{a.of.of.keyframeRequest(a.of.source())}
	}
	return a.of.requests(a.packets)
}

// maxNackPairs keeps a NACK below 1100 bytes.
const maxNackPairs = 256

// requests returns what asks for lost packets (RFC 4585 section 6.2.1).
func (e *encoding) requests(lost []rtcp.NackPair) []rtcp.Packet {
	if len(lost) == 0 {
		return nil
	}
	ssrc := e.source()
	var packets []rtcp.Packet
	for some := range slices.Chunk(lost, maxNackPairs) {
		packets = append(packets, &rtcp.TransportLayerNack{SenderSSRC: e.of.sender, MediaSSRC: ssrc, Nacks: some})
	}
	return packets
}

// due returns requests for what is to be asked for again by now, and whether more may
// follow.
func (in *receiver) due() (requests []rtcp.Packet, waiting bool) {
	if !in.section.nack {
		return nil, false
	}
	now := in.pub.Now()
	for _, e := range in.encodings {
		pairs, missing := in.dueOf(e, now)
		requests = append(requests, e.requests(pairs)...)
		waiting = waiting || missing
	}
	return requests, waiting
}

// dueOf is due for one encoding.
func (in *receiver) dueOf(e *encoding, now time.Duration) (pairs []rtcp.NackPair, waiting bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	pairs, gaveUp := e.intake.Due(now)
	if in.writer != nil && in.passes(e) {
		if gaveUp {
			in.writer.GiveUp()
		}
		in.writer.RepairWithin(e.intake.Window())
	}
	return pairs, e.intake.Waiting()
}

// reports returns receiver reports (RFC 3550 section 6.4.2) of its encodings.
func (in *receiver) reports() []rtcp.Packet {
	in.mu.Lock()
	defer in.mu.Unlock()
	now := in.pub.Now()
	var packets []rtcp.Packet
	for _, e := range in.encodings {
		if r, ok := e.intake.Report(e.ssrc, now); ok {
			packets = append(packets, &rtcp.ReceiverReport{SSRC: in.sender, Reports: []rtcp.ReceptionReport{r}})
		}
	}
	return packets
}

// source returns the SSRC that is to be asked for a keyframe of what gets to the hub;
// false if nothing has come.
func (in *receiver) source() (ssrc uint32, begun bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	e := in.encodings[0]
	if in.group != nil {
		asked := in.group.Asked()
		if asked < 0 {
			return 0, false
		}
		e = in.encodings[asked]
	}
	return e.ssrc, e.begun
}

// synchronize takes in a sender report, if it is of one of its encodings.
func (in *receiver) synchronize(sr *rtcp.SenderReport) {
	now := in.pub.Now()
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, e := range in.encodings {
		if !e.begun || e.ssrc != sr.SSRC {
			continue
		}
		e.intake.SenderReport(sr.NTPTime, now)
		at := in.sync.Instant(sr.NTPTime, now)
		stamp, passed := sr.RTPTime, true
		if in.group != nil {
			var joined uint64
			joined, passed = in.group.Report(e.number, e.intake.Time(sr.RTPTime), at)
			stamp = uint32(joined)
		}
		if passed && in.writer != nil {
			in.placer.Report(stamp, at, now)
		}
	}
}
