package rtptest

import (
	"time"

	"weir/sfu/media"
	"weir/sfu/rtp"
)

// TrackWriter is the writing side of a track: an sfu.TrackWriter.
type TrackWriter interface {
	WritePacket(media.Packet)
	Tail() media.Tail
	Refuse()
	SetClock(media.ClockStats)
}

// Packet is a packet as it was received.
type Packet = rtp.Packet

// Writer writes one RTP stream to a track.
type Writer struct {
	track   TrackWriter
	session *rtp.SyncContext
	placer  *rtp.Placer
	intake  *rtp.Intake
	begun   bool
}

// NewWriter returns the writer of a track of a codec. Those of one publisher share a
// session; nil is that of a publisher with one track.
func NewWriter(c media.Codec, t TrackWriter, s *rtp.SyncContext) *Writer {
	if s == nil {
		s = &rtp.SyncContext{}
	}
	placer := rtp.NewPlacer(c, s)
	return &Writer{track: t, session: s, placer: placer, intake: rtp.NewIntake(rtp.Config{Codec: c, Placer: placer})}
}

// WritePacket writes a packet and returns its number in the track.
func (w *Writer) WritePacket(p Packet) (seq uint64) {
	if !w.begun {
		w.begun = true
		w.placer.Continue(w.track.Tail())
	}
	var r rtp.Result
	if w.intake.Receive(&p, &r); r.Refused {
		w.track.Refuse()
	} else {
		w.track.WritePacket(r.Packet)
	}
	if w.placer.ClockChanged() {
		w.track.SetClock(w.placer.Clock())
	}
	return r.Seq
}

// Restart notes that the next packet is of another RTP stream.
func (w *Writer) Restart() { w.intake.Restart() }

// SyncClock takes in a sender report.
func (w *Writer) SyncClock(ntp uint64, stamp uint32, arrival time.Duration) {
	w.placer.Report(stamp, w.session.Instant(ntp, arrival), arrival)
}

// Report takes in a sender report that names an instant on the stream's clock.
func (w *Writer) Report(stamp uint32, at, arrival time.Duration) {
	w.placer.Report(stamp, at, arrival)
}

// TellSets takes in parameter sets that the publisher's description tells.
func (w *Writer) TellSets(units ...[]byte) { w.intake.TellSets(units...) }
