package sfu

import (
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// firstSeq is where packetized sequences start.
const firstSeq = media.Epoch

// TrackWriter is the one writer of a track. Its methods are for one goroutine, but for
// those that say otherwise. Once the stream has ended they do nothing.
type TrackWriter struct {
	// set once
	track   *Track
	packets *ring[media.Packet] // that it writes, or
	frames  *ring[media.Frame]  // this one; the other is nil

	// owned by the writing goroutine
	highest   uint64        // highest Seq written; 0: none
	newest    *media.Packet // with that; nil: none
	refused   uint64        // reports of the newest ClockStats
	restarted bool          // another source's frames begin
	slab      slab[media.Packet]
	watch     keyframeWatch
	sets      *codec.ParameterSets // for frames; nil: keyframes of the codec stand on their own
}

// newTrackWriter returns the writer of a publisher that begins the track, or goes on with
// it.
func newTrackWriter(t *Track) *TrackWriter {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := &TrackWriter{track: t}
	if p := t.newest(); p.Seq > 0 {
		w.highest, w.newest = p.Seq, &p
	}
	if t.native == Packets {
		w.packets = t.packets
	} else {
		w.frames = t.frames
	}
	if t.format.NewSets != nil {
		w.sets = t.format.NewSets()
	}
	return w
}

// WritePacket takes in one packet, with its place in the track: numbers and times go on
// from Tail. Of the packets of a track none has the number of another one. Duplicates and
// packets that are too old are counted and dropped.
func (w *TrackWriter) WritePacket(p media.Packet) {
	w.AddPacket(&p)
	w.Flush(false)
}

// Flush wakes the readers that wait for the packets that were added. A source that has
// received several together adds them all first: a viewer's share of them then
// leaves together, too, at a fraction of the cost. inline reports whether the caller has
// nothing else to do for some 50 us: then few viewers are served before Flush returns.
func (w *TrackWriter) Flush(inline bool) { w.packets.wake(inline) }

// AddPacket is WritePacket without Flush, which is to follow soon. It copies k.
func (w *TrackWriter) AddPacket(k *media.Packet) {
	t := w.track
	if w.packets.ended.Load() {
		return
	}
	if t.Packet(k.Seq) != nil {
		t.counters.duplicates.Add(1)
		return
	}
	if k.Seq <= t.gone || k.Seq+uint64(len(t.bySeq)) <= w.highest {
		t.counters.late.Add(1)
		return
	}
	if k.Discontinuity {
		w.goOn()
	}
	p := w.slab.add(k)
	if p.Seq > w.highest {
		w.highest, w.newest = p.Seq, p
	}
	t.counters.packets.Add(1)
	t.counters.bytes.Add(uint64(len(p.Payload)))
	if p.Retransmitted {
		t.counters.repaired.Add(1)
	}
	video := t.info.Kind() == media.Video
	if video {
		if p.Sync {
			t.counters.keyframe(sizeOf(t.format, p))
		}
		w.watch.packet(t, p)
	}
	t.appendPacket(w.packets, p)
	if video {
		w.watch.follow(t)
	}
	t.stream.setLive()
}

// goOn notes that another RTP stream begins.
func (w *TrackWriter) goOn() {
	w.track.keyframe.away()
	w.watch = keyframeWatch{}
	if w.newest != nil {
		w.watch.time = w.newest.Time
	}
	w.track.marked.Store(false)
}

// Refuse counts a packet that is of no use: its source has found it to be of no clock.
func (w *TrackWriter) Refuse() { w.track.counters.late.Add(1) }

// WriteFrame takes in one frame. Its PTS must be later than that of the frame
// before, and its Data belongs to the hub from now on.
func (w *TrackWriter) WriteFrame(f media.Frame) {
	t := w.track
	if w.frames.ended.Load() {
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
	appendFrame(w.frames, &f)
	w.frames.wake(false)
	t.stream.setLive()
}

// RepairWithin sets for how long after those behind it a packet which is missing may
// still come: frames wait for it until then. Any goroutine
// may call it.
func (w *TrackWriter) RepairWithin(d time.Duration) { w.track.repair.Store(int64(d)) }

// GiveUp notes that a packet which is missing will not come any more: a decoder goes on
// at the next keyframe only, which is asked for unless it is there. Any goroutine may
// call it.
func (w *TrackWriter) GiveUp() {
	if w.track.info.Kind() == media.Video {
		w.track.lost()
	}
}

// restart notes that what is to come is of another publisher than what came before. Of
// frames the first one tells the gap; of packets, whose source places them behind Tail,
// the packet does.
func (w *TrackWriter) restart() {
	w.track.keyframe.away()
	w.restarted = w.newest != nil || w.frames != nil && w.frames.head.Load() > 0
}

// SetClock notes what is known of the publisher's clock.
func (w *TrackWriter) SetClock(c media.ClockStats) {
	if c.Refused < w.refused {
		w.refused = 0 // another publisher's
	}
	w.track.counters.badReports.Add(c.Refused - w.refused)
	w.refused = c.Refused
	w.track.counters.clock.set(c)
}
