package sfu

import (
	"slices"
	"sync/atomic"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Ring sizes, in items. The items of a ring are bounded by time, too (see
// appendPacket); these are the bounds for a publisher that sends more than expected.
const (
	videoPackets = 8192 // 12 s at 680 packets/s (6 Mbit/s)
	audioPackets = 1024 // 20 s of 20 ms packets
	maxFrames    = 1024 // 17 s at 60 frames/s, 20 s of sound
)

// Track is one track of a stream, as sinks see it. It is safe for concurrent use.
type Track struct {
	// set once
	info     media.TrackInfo
	format   codec.Format
	stream   *stream
	keyframe *keyframes
	bySeq    []atomic.Pointer[media.Packet] // newest packet with Seq%len

	forms

	// owned by the writer of packets: the TrackWriter or the conversion
	newestSync uint64 // highest Seq of a packet that is a sync point; 0: none
	gone       uint64 // highest Seq that was trimmed; 0: none

	// atomic
	edge     atomic.Uint64 // highest Packet.Time written
	marked   atomic.Bool   // the source sets the marker of each frame's last packet
	repair   atomic.Int64  // see TrackWriter.RepairWithin; 0: not told
	counters trackCounters
}

func newTrack(s *stream, info media.TrackInfo, native Form) *Track {
	format, _ := codec.For(info.Codec) // AddTracks has checked
	t := &Track{info: info, format: format, stream: s, forms: forms{native: native}}
	t.open(native)
	t.bySeq = make([]atomic.Pointer[media.Packet], packetSlots(info.Kind()))
	t.keyframe = newKeyframes(t)
	return t
}

// addTracks makes the tracks of the stream, which are written in the given form, and
// returns their writers: it is ready for viewers.
func (s *stream) addTracks(infos []media.TrackInfo, native Form) []*TrackWriter {
	s.mu.Lock()
	defer s.mu.Unlock()
	writers := make([]*TrackWriter, len(infos))
	for i, info := range infos {
		t := newTrack(s, info, native)
		s.tracks = append(s.tracks, t)
		writers[i] = newTrackWriter(t)
	}
	close(s.ready)
	return writers
}

func packetSlots(k media.Kind) int {
	if k == media.Audio {
		return audioPackets
	}
	return videoPackets
}

// Info returns what the track is.
func (t *Track) Info() media.TrackInfo { return t.info }

// Packets opens a cursor on the track's RTP packets.
func (t *Track) Packets() *Cursor[media.Packet] {
	c := newPacketCursor(t, t.openPackets())
	c.start()
	c.release = func() { t.closeForm(Packets) }
	return c
}

// Frames opens a cursor on the track's frames.
func (t *Track) Frames() *Cursor[media.Frame] {
	c := newFrameCursor(t, t.openFrames((*Cursor[media.Packet]).start))
	c.start()
	c.release = func() { t.closeForm(Frames) }
	return c
}

// AllFrames is Frames, but begins with the oldest frame in the ring where a
// decoder can start: a standing sink misses nothing that came before it had
// begun.
func (t *Track) AllFrames() *Cursor[media.Frame] {
	c := newFrameCursor(t, t.openFrames((*Cursor[media.Packet]).startOldest))
	c.startOldest()
	c.release = func() { t.closeForm(Frames) }
	return c
}

// newPacketCursor returns a cursor that is yet to be placed.
func newPacketCursor(t *Track, r *ring[media.Packet]) *Cursor[media.Packet] {
	c := newCursor(t, r, func(p *media.Packet) bool { return p.Sync })
	c.early = earlyPackets
	return c
}

// newFrameCursor is newPacketCursor for frames.
func newFrameCursor(t *Track, r *ring[media.Frame]) *Cursor[media.Frame] {
	return newCursor(t, r, func(f *media.Frame) bool { return f.Sync })
}

func newCursor[T media.Packet | media.Frame](t *Track, r *ring[T], isSync func(*T) bool) *Cursor[T] {
	return &Cursor[T]{ring: r, waker: newWaker(), isSync: isSync, request: t.RequestKeyframe, release: func() {}}
}

// earlyPackets returns the packet at pos, where a reader is to begin, and behind
// it those that arrived before it but belong behind it: a reader that began at
// pos would miss them. It returns nil when there are none.
func earlyPackets(r *ring[media.Packet], pos uint64) []*media.Packet {
	const furthest = 512 // packets of one round trip, at most
	first := r.slot(pos).Load()
	if r.tail.Load() > pos {
		return nil
	}
	var early []*media.Packet
	for back := pos; back > 0 && pos-back < furthest; {
		back--
		p := r.slot(back).Load()
		if r.tail.Load() > back {
			break
		}
		if p.Seq > first.Seq {
			early = append(early, p)
		}
	}
	if len(early) == 0 {
		return nil
	}
	early = append(early, first)
	slices.Reverse(early)
	return early
}

// Packet returns the packet with the extended sequence number seq, or nil if it
// never came or has left the ring.
func (t *Track) Packet(seq uint64) *media.Packet {
	p := t.bySeq[seq%uint64(len(t.bySeq))].Load()
	if p == nil || p.Seq != seq {
		return nil
	}
	return p
}

// Edge returns the RTP time of the newest packet.
func (t *Track) Edge() uint64 { return t.edge.Load() }

// RequestKeyframe asks the publisher for a keyframe, unless one is coming in. However
// often it is called, the publisher is asked at most once a second. It does nothing
// for sound.
func (t *Track) RequestKeyframe() {
	if t.info.Kind() == media.Video {
		t.keyframe.request()
	}
}

// RequestKeyframeAfter is RequestKeyframe for a reader that is at pts and needs the
// next keyframe. It does nothing either if that is there already, further on.
func (t *Track) RequestKeyframeAfter(pts time.Duration) {
	if t.info.Kind() == media.Video {
		t.keyframe.requestAfter(pts)
	}
}
