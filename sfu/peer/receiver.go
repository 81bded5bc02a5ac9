package peer

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	pionrtp "github.com/pion/rtp"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/rtp"
	"weir/sfu/simulcast"
)

// incoming is what all receivers of one publisher share.
type incoming struct {
	// set once
	pub    *sfu.Publication
	asking chan<- asking

	// guarded by mu, and so are the receivers
	mu   sync.Mutex
	sync rtp.SyncContext
}

// receiver is one track as it goes from a publisher to the hub. Its packets are taken
// in by the socket's reader, from the first on.
type receiver struct {
	*incoming

	// set once
	section   section
	codec     media.Codec
	sender    uint32 // our SSRC in feedback (RFC 4585 section 6.1)
	encodings []*encoding
	placer    *rtp.Placer

	// guarded by mu, and so is most of the encodings
	writer *sfu.TrackWriter // nil once the session is over: the track may have another one then
	begun  bool             // a packet has been placed
	group  *simulcast.Group // decides which of several encodings gets to the hub; nil: there is one

	fir uint8 // number of the next FIR; owned by the publisher's goroutine

	// owned by the socket's reader
	slab  []byte
	fresh bool // waits for flush
}

// newReceiver returns the receiver of a section, which writes by w.
func newReceiver(s section, c media.Codec, w *sfu.TrackWriter, shared *incoming) *receiver {
	in := &receiver{incoming: shared, section: s, codec: c, sender: rand.Uint32(), writer: w, placer: rtp.NewPlacer(c, &shared.sync)}
	names := s.rids
	if len(names) == 0 {
		names = make([]string, max(1, len(s.layers)))
	}
	config := rtp.Config{Codec: c, NACK: s.nack}
	if len(names) == 1 {
		config.Placer = in.placer
	} else {
		in.group = simulcast.New(c, len(names), in.writeChosen)
	}
	for i, rid := range names {
		in.encodings = append(in.encodings, &encoding{of: in, number: i, rid: rid, intake: rtp.NewIntake(config)})
	}
	if !s.nack {
		w.RepairWithin(in.encodings[0].intake.Window())
	}
	return in
}

// tellSets takes in parameter sets of the offer (RFC 6184 section 8.1).
func (in *receiver) tellSets(units [][]byte) {
	for _, e := range in.encodings {
		e.intake.TellSets(units...)
	}
}

// byRID returns the encoding of a name, or nil.
func (in *receiver) byRID(rid string) *encoding {
	for _, e := range in.encodings {
		if e.rid == rid {
			return e
		}
	}
	return nil
}

// bySSRC returns the encoding that an SSRC belongs to if its packets do not name it:
// the only one, or that for which the offer names the SSRC, or which has it already.
func (in *receiver) bySSRC(ssrc uint32) *encoding {
	if len(in.encodings) == 1 {
		return in.encodings[0]
	}
	if i := slices.Index(in.section.layers, ssrc); i >= 0 {
		return in.encodings[i]
	}
	for _, e := range in.encodings {
		if e.begun && e.ssrc == ssrc {
			return e
		}
	}
	return nil
}

// use is how useful a genuine packet is.
type use uint8

// The uses.
const (
	useless use = iota // its track or its type is not known
	idle               // none by itself: padding, say
	useful             // media
)

// originalNumber is how many bytes of a retransmission tell the number that the
// packet had (RFC 4588 section 4).
const originalNumber = 2

// receive takes in a packet by its route.
func (in *receiver) receive(at *route, h *pionrtp.Header, packet []byte) use {
	payload, ok := payloadOf(h, packet)
	if !ok {
		return useless
	}
	if at.retransmits {
		return in.receiveAgain(at, h, payload)
	}
	if h.PayloadType != in.section.payload {
		// Of another payload type, such as telephone-event (RFC 4733): it takes a number,
		// so that it is not missed, and that is all.
		payload = nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	e, now := at.to, in.pub.Now()
	if !e.begun || e.ssrc != h.SSRC {
		if len(payload) == 0 {
			if !e.begun && h.PayloadType != in.section.payload {
				return useless
			}
			return idle
		}
		if !e.takes(h.SSRC, now) {
			return idle
		}
		in.changeSSRC(e, h.SSRC)
	}
	e.run = 0
	in.put(e, h, payload, now, false)
	if len(payload) == 0 {
		return idle
	}
	e.newest = now
	return useful
}

// changeSSRC has an encoding go on with another SSRC. A decoder cannot go on with what
// follows, unless the sender changed nothing but the number: so the hub asks for a
// keyframe, if the first packet begins none, and what comes until then is passed on.
// Called with mu held.
func (in *receiver) changeSSRC(e *encoding, ssrc uint32) {
	if e.begun {
		e.intake.Restart()
		if in.group != nil {
			in.group.Restart(e.number)
		}
	}
	e.begin(ssrc)
}

// receiveAgain is receive for a retransmission.
func (in *receiver) receiveAgain(at *route, h *pionrtp.Header, payload []byte) use {
	if h.PayloadType != in.section.repair {
		return useless
	}
	if len(payload) < originalNumber {
		return idle // a probe of the network: nothing but padding
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	e := at.to
	h.SSRC, h.SequenceNumber = e.ssrc, binary.BigEndian.Uint16(payload)
	// Retransmissions of the SSRC before have numbers that mean something else now.
	if e.begun && (at.turn == e.turn || e.intake.Misses(h.SequenceNumber)) {
		in.put(e, h, payload[originalNumber:], in.pub.Now(), true)
	}
	return idle
}

// put hands a packet of an encoding to the hub. Called with mu held.
func (in *receiver) put(e *encoding, h *pionrtp.Header, payload []byte, now time.Duration, retransmitted bool) {
	if in.writer == nil {
		return
	}
	if !in.begun { // not before: the track may have been another one's until now
		in.begun = true
		in.placer.Continue(in.writer.Tail())
	}
	p := rtp.Packet{
		Seq: h.SequenceNumber, Time: h.Timestamp, Marker: h.Marker, Retransmitted: retransmitted, Arrival: now, Payload: payload,
	}
	var r rtp.Result
	e.intake.Receive(&p, &r)
	if r.Ask != nil {
		in.ask(asking{of: e, packets: r.Ask})
	}
	switch {
	case in.group != nil:
		if r.Restarted {
			in.group.Restart(e.number)
		}
		in.askForKeyframe(in.group.Add(e.number, simulcast.EncodingPacket{Packet: r.Packet, Repeat: retransmitted, Width: r.Width, Height: r.Height}))
	case r.Refused:
		in.writer.Refuse()
	default:
		in.writer.AddPacket(&r.Packet)
	}
	in.tellClock()
	if r.GaveUp && in.passes(e) { // what is missing shows by what has come behind it
		in.writer.GiveUp()
	}
}

// tellClock has the track know what has been learnt of the publisher's clock. Called
// with mu held.
func (in *receiver) tellClock() {
	if in.placer.ClockChanged() {
		in.writer.SetClock(in.placer.Clock())
	}
}

// writeChosen hands a packet to the hub that the group passes on. Called with mu held.
func (in *receiver) writeChosen(p simulcast.EncodingPacket) {
	if !in.placer.Place(&p.Packet, uint32(p.Time)) {
		in.writer.Refuse()
		return
	}
	in.writer.AddPacket(&p.Packet)
}

// passes reports whether packets of an encoding get to the hub. Called with mu held.
func (in *receiver) passes(e *encoding) bool {
	return in.group == nil || in.group.Current() == e.number
}

// tend does what is due when no packets come.
func (in *receiver) tend() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.group != nil && in.writer != nil {
		in.askForKeyframe(in.group.Tick(in.pub.Now()))
		in.tellClock()
		in.writer.Flush(false)
	}
}

// Flush implements transport.Flusher, for what receive has taken in.
func (in *receiver) Flush(inline bool) {
	in.fresh = false
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer != nil {
		in.writer.Flush(inline)
	}
}

// stop lets go of the track. When it returns, nothing more is written to it.
func (in *receiver) stop() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.writer != nil {
		in.writer.Flush(false) // no other call will
	}
	in.writer = nil
}
