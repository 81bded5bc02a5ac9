package sfu

import (
	"sync/atomic"
	"time"

	"weir/sfu/codec"
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
	// restartRun is how many packets that are too late, one after the other in
	// sequence, show that the publisher has started anew without a new SSRC (RFC
	// 3550 appendix A.1, which takes two; but retransmissions come in a row too).
	restartRun = 16
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

// RTP is one RTP packet as a source received it.
type RTP struct {
	Seq     uint16
	Time    uint32
	Marker  bool
	Arrival time.Duration // on the stream's clock, see Publication.Now
	Again   bool          // it was lost, and sent again
	Payload []byte        // belongs to the hub from now on
}

// TrackWriter is the one writer of a track. Its methods are for one goroutine,
// but for SyncClock, which any goroutine may call. Once the stream has ended they
// do nothing.
type TrackWriter struct {
	// set once
	track *Track
	clock func(ntp uint64, arrival time.Duration) time.Duration

	// owned by the writing goroutine
	seq       media.Unwrapper[uint16]
	seqOffset uint64 // added to what is unwrapped, so that a restart goes on
	highest   uint64 // highest Seq written; 0: none
	newest    media.Packet
	restarted bool
	lateNext  uint16 // Seq behind the last packet that was too late
	lateRun   int    // how many came in sequence, with no other in between
	rtp       media.RTPClock
	timestamp uint32 // the newest packet's own
	timeline  *media.Timeline
	origin    time.Duration // arrival of the first packet since the RTP clock was set anew
	told      time.Duration // arrival of the last packet that the other tracks were told of
	packets   slab[media.Packet]
	watch     keyframeWatch
	sets      *codec.ParameterSets // nil: keyframes of the codec stand on their own
	setsTime  uint64               // RTP time of the newest packet that told some

	// atomic
	report atomic.Pointer[clockReport] // newest one not yet used
}

// clockReport says which instant on the stream's clock an RTP time is.
type clockReport struct {
	rtp     uint32
	at      time.Duration
	arrival time.Duration
}

// write has w write to t from now on, as a new one.
func (w *TrackWriter) write(t *Track) {
	sets := w.sets // the source may have told some already
	*w = TrackWriter{track: t, clock: t.stream.senderTime, timeline: media.NewTimeline(t.info.Codec), origin: media.Never, told: media.Never, sets: sets}
	if sets == nil && t.format.NewSets != nil {
		w.sets = t.format.NewSets()
	}
}

// WritePacket is AddPacket and Flush.
func (w *TrackWriter) WritePacket(r RTP) {
	w.AddPacket(r)
	w.Flush(false)
}

// Flush wakes whoever waits for the packets that were added. A source that has
// received several together adds them all first: a viewer's share of them then
// leaves together, too, at a fraction of the cost. here says that the caller has
// nothing else to do for some 50 us: then few viewers are served before Flush returns.
func (w *TrackWriter) Flush(here bool) { w.track.packets.wake(here) }

// AddPacket takes in one RTP packet, which is to be followed by Flush soon.
// Duplicates and packets that are too old are counted and dropped.
func (w *TrackWriter) AddPacket(r RTP) {
	t := w.track
	if t.packets.ended.Load() {
		return
	}
	anew := w.restarted
	if anew {
		w.goOn(r)
	}
	seq := w.seq.Unwrap(r.Seq) + w.seqOffset
	if t.Packet(seq) != nil {
		t.counters.duplicates.Add(1)
		return
	}
	if seq <= t.gone || seq+uint64(len(t.bySeq)) <= w.highest {
		if !w.startedAnew(r.Seq) {
			t.counters.late.Add(1)
			return
		}
		anew = true
		w.goOn(r)
		seq = w.seq.Unwrap(r.Seq) + w.seqOffset
	}
	w.lateRun = 0
	rtp, pts, ok := w.place(seq, r)
	if !ok {
		t.counters.late.Add(1)
		return
	}
	where := t.format.Inspect(r.Payload)
	var ahead [][]byte
	if where.Tells|where.Needs != 0 {
		ahead = w.complete(&where, r.Payload, seq, rtp, anew)
	}
	p := w.packets.put(media.Packet{
		Seq: seq, Time: rtp, PTS: pts, Arrival: r.Arrival,
		Start: where.Start, Marker: r.Marker, Sync: where.Sync, Anew: anew, Payload: r.Payload, Ahead: ahead,
	})
	if seq > w.highest {
		w.highest, w.newest, w.timestamp = seq, *p, r.Time
	}
	t.counters.packets.Add(1)
	t.counters.bytes.Add(uint64(len(p.Payload)))
	if r.Again {
		t.counters.repaired.Add(1)
	}
	video := t.info.Kind() == media.Video
	if video {
		if p.Sync {
			t.counters.keyframe(where.Width, where.Height)
		}
		w.watch.packet(t, p)
	}
	t.appendPacket(t.packets, p)
	if video {
		w.watch.follow(t)
	}
	t.stream.setLive()
}

// WriteFrame takes in one frame. Its PTS must be later than that of the frame
// before, and its Data belongs to the hub from now on.
func (w *TrackWriter) WriteFrame(f media.Frame) {
	t := w.track
	if t.frames.ended.Load() {
		return
	}
	if w.restarted {
		w.restarted, f.Gap = false, true
		w.watch = keyframeWatch{}
	}
	if w.sets != nil {
		var keyframe bool
		f.Data, keyframe = w.sets.Complete(f.Data)
		f.Sync = f.Sync || keyframe
	}
	if t.info.Kind() == media.Video {
		w.watch.frame(t, &f)
		if f.Sync {
			width, height, _ := t.format.FrameSize(f.Data)
			t.counters.keyframe(width, height)
		}
	}
	t.counters.packets.Add(1)
	t.counters.bytes.Add(uint64(len(f.Data)))
	appendFrame(t.frames, &f)
	t.frames.wake(false)
	t.stream.setLive()
}

// SyncClock takes in an RTCP sender report (RFC 3550 section 6.4.1): the RTP
// timestamp rtp is the instant ntp of the publisher's clock, told at arrival.
func (w *TrackWriter) SyncClock(ntp uint64, rtp uint32, arrival time.Duration) {
	w.report.Store(&clockReport{rtp: rtp, at: w.clock(ntp, arrival), arrival: arrival})
}

// RepairWithin says that a packet which is missing may still come for so long after
// those behind it, and hardly later: frames wait for it until then. Any goroutine
// may call it.
func (w *TrackWriter) RepairWithin(d time.Duration) { w.track.repair.Store(int64(d)) }

// Missing says that a packet will not come any more: a decoder goes on at the next
// keyframe only, which is asked for unless it is there. Any goroutine may call it.
func (w *TrackWriter) Missing() {
	if w.track.info.Kind() == media.Video {
		w.track.lost()
	}
}

// Restart says that what is to come is of another publisher or RTP stream (a new
// SSRC). Packets' sequence and time go on from where they are, with one sequence
// number left out, so that nobody takes the old stream's last frame and the new
// one's first for neighbours. Of frames the first one tells the gap.
func (w *TrackWriter) Restart() {
	w.track.keyframe.away()
	w.restarted = w.highest > 0 || w.track.native == Frames && w.track.frames.head.Load() > 0
}

// goOn joins a new RTP stream, whose first packet is r, to the old one.
func (w *TrackWriter) goOn(r RTP) {
	w.restarted = false
	w.watch = keyframeWatch{time: w.newest.Time}
	w.track.marked.Store(false)
	w.seq = media.Unwrapper[uint16]{}
	w.seqOffset = w.highest + 2 - w.seq.Unwrap(r.Seq)
	w.rtp = media.RTPClock{}
	w.timeline.Restart()
	w.origin = r.Arrival
	w.report.Store(nil)
	s := w.track.counters.syncStats()
	s.Reports = 0
	w.track.counters.sync.Store(&s)
}

// startedAnew notes that a packet came too late, and returns whether so many did
// that it is another RTP stream under the same SSRC.
func (w *TrackWriter) startedAnew(seq uint16) bool {
	if seq != w.lateNext {
		w.lateRun = 0
	}
	w.lateNext = seq + 1
	w.lateRun++
	return w.lateRun == restartRun
}

// place returns the RTP time and the PTS of a packet; not ok if its own time is none
// of the publisher's clock.
func (w *TrackWriter) place(seq uint64, r RTP) (rtp uint64, pts time.Duration, ok bool) {
	codec := w.track.info.Codec
	rtp = w.rtp.Time(seq, r.Time)
	if seq <= w.highest {
		if int64(rtp-w.newest.Time) > codec.Ticks(outOfOrder) {
			return 0, 0, false
		}
		return rtp, w.timeline.PTS(rtp), true
	}
	a := media.Arrival{RTP: rtp, At: r.Arrival, Begins: w.begins(r), Heard: media.Never}
	if w.timeline.Overdue(a) {
		a.Heard = w.track.stream.heard(w.track)
	}
	moved, pts := w.timeline.Place(a)
	if w.timeline.Jumped() {
		w.origin = r.Arrival
		w.rtp.Jump()
	}
	w.rtp.Advance(seq, r.Time, moved)
	w.useReport()
	if w.timeline.Measured() {
		w.countRate()
	}
	if a.Begins && r.Arrival-w.told >= tellOnTime && w.timeline.Late() < onTime {
		w.told = r.Arrival
		w.track.heard.Store(int64(r.Arrival))
	}
	return moved, pts, true
}

// begins reports whether the packet that follows the newest one is of another
// frame. The clock may stand still: sound has a frame in each packet, and a picture
// ends with a marker.
func (w *TrackWriter) begins(r RTP) bool {
	return w.highest == 0 || r.Time != w.timestamp || w.newest.Marker || w.track.info.Kind() == media.Audio
}

// appendPacket adds p to the ring and lets go of what is too old.
func (t *Track) appendPacket(r *ring[media.Packet], p *media.Packet) {
	t.bySeq[p.Seq%uint64(len(t.bySeq))].Store(p)
	if p.Time > t.edge.Load() {
		t.edge.Store(p.Time)
	}
	// A keyframe that was late does not take the place of a newer one.
	sync := p.Sync && p.Seq > t.newestSync
	if sync {
		t.newestSync = p.Seq
	}
	r.append(p, sync)
	group := ^uint64(0)
	if pos, ok := r.syncPoint(); ok && p.Arrival-r.slot(pos).Load().Arrival <= ringGroup {
		group = pos
	}
	r.trim(func(pos uint64, old *media.Packet) bool {
		if pos >= group || p.Arrival-old.Arrival <= ringWindow {
			return false
		}
		t.bySeq[old.Seq%uint64(len(t.bySeq))].CompareAndSwap(old, nil)
		t.gone = max(t.gone, old.Seq)
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
