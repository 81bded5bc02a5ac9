package sfu

import (
	"sync/atomic"
	"time"

	"weir/sfu/media"
)

const (
	// ringWindow is what a ring keeps in any case: enough to answer the NACKs of
	// a viewer far away and to bridge a stalled reader.
	ringWindow = 3 * time.Second
	// ringGroup is how far back a ring keeps the newest group of pictures, so
	// that a joiner finds a keyframe. A publisher whose keyframes are further
	// apart is asked for one.
	ringGroup = 12 * time.Second
	// firstSeq is where packetized sequences start.
	firstSeq = uint64(1) << 32
)

// RTP is one RTP packet as a source received it.
type RTP struct {
	Seq     uint16
	Time    uint32
	Marker  bool
	Arrival time.Duration // on the stream's clock, see Publication.Now
	Payload []byte        // belongs to the hub from now on
}

// TrackWriter is the one writer of a track. Its methods are for one goroutine,
// but for SyncClock, which any goroutine may call.
type TrackWriter struct {
	// set once
	track *Track
	clock func(ntp uint64, arrival time.Duration) time.Duration

	// owned by the writing goroutine
	seq        media.Unwrapper[uint16]
	time       media.Unwrapper[uint32]
	seqOffset  uint64 // added to what is unwrapped, so that a restart goes on
	timeOffset uint64
	highest    uint64 // highest Seq written; 0: none
	newest     media.Packet
	restarted  bool
	timeline   *media.Timeline
	packets    slab[media.Packet]

	// atomic
	report atomic.Pointer[clockReport] // newest one not yet used
}

// clockReport says which instant on the stream's clock an RTP time is.
type clockReport struct {
	rtp uint32
	at  time.Duration
}

// WritePacket takes in one RTP packet. Duplicates and packets that are too old
// are counted and dropped.
func (w *TrackWriter) WritePacket(r RTP) {
	t := w.track
	if w.restarted {
		w.goOn(r)
	}
	seq := w.seq.Unwrap(r.Seq) + w.seqOffset
	rtp := w.time.Unwrap(r.Time) + w.timeOffset
	if t.Packet(seq) != nil {
		t.counters.duplicates.Add(1)
		return
	}
	if seq+uint64(len(t.bySeq)) <= w.highest {
		t.counters.late.Add(1)
		return
	}
	w.useReport()
	where := t.format.Inspect(r.Payload)
	p := w.packets.put(media.Packet{
		Seq: seq, Time: rtp, PTS: w.timeline.PTS(rtp, r.Arrival), Arrival: r.Arrival,
		Start: where.Start, Marker: r.Marker, Sync: where.Sync, Payload: r.Payload,
	})
	if seq > w.highest {
		w.highest, w.newest = seq, *p
	}
	if p.Sync && t.info.Kind() == media.Video {
		t.keyframe.satisfied()
		t.counters.keyframe(where.Width, where.Height)
	}
	t.counters.packets.Add(1)
	t.counters.bytes.Add(uint64(len(p.Payload)))
	t.appendPacket(t.packets, p)
	t.stream.setLive()
}

// WriteFrame takes in one frame. Its PTS must be later than that of the frame
// before, and its Data belongs to the hub from now on.
func (w *TrackWriter) WriteFrame(f media.Frame) {
	t := w.track
	if f.Sync && t.info.Kind() == media.Video {
		t.keyframe.satisfied()
		width, height, _ := t.format.FrameSize(f.Data)
		t.counters.keyframe(width, height)
	}
	t.counters.packets.Add(1)
	t.counters.bytes.Add(uint64(len(f.Data)))
	appendFrame(t.frames, &f)
	t.stream.setLive()
}

// SyncClock takes in an RTCP sender report (RFC 3550 section 6.4.1): the RTP
// timestamp rtp is the instant ntp of the publisher's clock, told at arrival.
func (w *TrackWriter) SyncClock(ntp uint64, rtp uint32, arrival time.Duration) {
	w.report.Store(&clockReport{rtp: rtp, at: w.clock(ntp, arrival)})
}

// Restart says that the packets to come are of another RTP stream (a new SSRC):
// sequence and time go on from where they are, with one sequence number left
// out, so that nobody takes the old stream's last frame and the new one's first
// for neighbours.
func (w *TrackWriter) Restart() { w.restarted = w.highest > 0 }

// goOn joins a new RTP stream, whose first packet is r, to the old one.
func (w *TrackWriter) goOn(r RTP) {
	w.restarted = false
	w.seq, w.time = media.Unwrapper[uint16]{}, media.Unwrapper[uint32]{}
	pause := max(0, r.Arrival-w.newest.Arrival)
	seq := w.highest + 2
	rtp := w.newest.Time + max(1, uint64(w.track.info.Codec.Ticks(pause)))
	w.seqOffset = seq - w.seq.Unwrap(r.Seq)
	w.timeOffset = rtp - w.time.Unwrap(r.Time)
	w.report.Store(nil)
	w.timeline.Restart()
}

// useReport hands a sender report that has come since the last packet to the
// timeline.
func (w *TrackWriter) useReport() {
	if w.report.Load() == nil {
		return
	}
	report := w.report.Swap(nil)
	if !w.timeline.Report(w.time.Near(report.rtp)+w.timeOffset, report.at) {
		w.track.counters.badReports.Add(1)
	}
}

// appendPacket adds p to the ring and lets go of what is too old.
func (t *Track) appendPacket(r *ring[media.Packet], p *media.Packet) {
	t.bySeq[p.Seq%uint64(len(t.bySeq))].Store(p)
	if p.Time > t.edge.Load() {
		t.edge.Store(p.Time)
	}
	r.append(p, p.Sync)
	group := ^uint64(0)
	if pos, ok := r.syncPoint(); ok && p.Arrival-r.slot(pos).Load().Arrival <= ringGroup {
		group = pos
	}
	r.trim(func(pos uint64, old *media.Packet) bool {
		if pos >= group || p.Arrival-old.Arrival <= ringWindow {
			return false
		}
		t.bySeq[old.Seq%uint64(len(t.bySeq))].CompareAndSwap(old, nil)
		return true
	})
}

// appendFrame is appendPacket for frames.
func appendFrame(r *ring[media.Frame], f *media.Frame) {
	r.append(f, f.Sync)
	group := ^uint64(0)
	if pos, ok := r.syncPoint(); ok && f.PTS-r.slot(pos).Load().PTS <= ringGroup {
		group = pos
	}
	r.trim(func(pos uint64, old *media.Frame) bool {
		return pos < group && f.PTS-old.PTS > ringWindow
	})
}

// slab allocates items many at a time: one allocation per slabSize items. Items
// are never reused; the garbage collector frees a slab when no item of it is in
// use any more.
type slab[T any] struct{ free []T }

const slabSize = 64

// put returns a pointer to a new item with the value v.
func (s *slab[T]) put(v T) *T {
	if len(s.free) == 0 {
		s.free = make([]T, slabSize)
	}
	item := &s.free[0]
	s.free = s.free[1:]
	*item = v
	return item
}
