package sfu

import (
	"sync"
	"sync/atomic"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Ring sizes, in items. What a ring really holds is bounded by time (see
// retention); these are the bounds for a publisher that sends more than expected.
const (
	videoPackets = 8192 // 12 s at 680 packets/s (6 Mbit/s)
	audioPackets = 1024 // 20 s of 20 ms packets
	maxFrames    = 1024 // 17 s at 60 frames/s, 20 s of sound
)

// Form is one of the two ways to see a track.
type Form uint8

// The forms of a track.
const (
	Packets Form = iota // RTP packets
	Frames              // coded frames
)

// Track is one track of a stream, as sinks see it. It is safe for concurrent use.
type Track struct {
	// set once
	info     media.TrackInfo
	format   codec.Format
	native   Form // what the source writes
	stream   *stream
	keyframe *keyframeThrottle
	bySeq    []atomic.Pointer[media.Packet] // newest packet with Seq%len

	// guarded by mu
	mu      sync.Mutex
	packets *ring[media.Packet]
	frames  *ring[media.Frame]
	readers int         // readers of the form that is derived
	convert *conversion // nil while there are none

	// owned by the conversion
	packetizer codec.Packetizer // kept, so that sequence and picture ids go on

	// atomic
	edge     atomic.Uint64 // highest Packet.Time written
	counters trackCounters
}

func newTrack(s *stream, info media.TrackInfo, native Form) *Track {
	format, _ := codec.For(info.Codec) // AddTrack has checked
	t := &Track{info: info, format: format, native: native, stream: s}
	t.packets = newRing[media.Packet](packetSlots(info.Kind()))
	t.bySeq = make([]atomic.Pointer[media.Packet], packetSlots(info.Kind()))
	t.frames = newRing[media.Frame](maxFrames)
	t.keyframe = &keyframeThrottle{send: func() { s.requestKeyframe(info.ID) }}
	return t
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
	r := t.openPackets()
	c := openCursor(r, func(p *media.Packet) bool { return p.Sync }, t)
	c.release = func() { t.closeForm(Packets) }
	if !c.seeking {
		c.pos = stepBack(r, c.pos)
	}
	return c
}

// Frames opens a cursor on the track's frames.
func (t *Track) Frames() *Cursor[media.Frame] {
	c := openCursor(t.openFrames(false), func(f *media.Frame) bool { return f.Sync }, t)
	c.release = func() { t.closeForm(Frames) }
	return c
}

// AllFrames is Frames, but begins with the oldest frame in the ring where a
// decoder can start: a standing sink misses nothing that came before it had
// begun.
func (t *Track) AllFrames() *Cursor[media.Frame] {
	c := newCursor(t.openFrames(true), func(f *media.Frame) bool { return f.Sync }, t)
	c.startOldest()
	c.release = func() { t.closeForm(Frames) }
	return c
}

// openCursor returns a cursor that begins at the newest sync point.
func openCursor[T media.Packet | media.Frame](r *ring[T], isSync func(*T) bool, t *Track) *Cursor[T] {
	c := newCursor(r, isSync, t)
	c.start()
	return c
}

// newCursor returns a cursor that is yet to be placed.
func newCursor[T media.Packet | media.Frame](r *ring[T], isSync func(*T) bool, t *Track) *Cursor[T] {
	c := &Cursor[T]{ring: r, waker: newWaker(), isSync: isSync, request: t.RequestKeyframe, release: func() {}}
	r.add(c.waker)
	return c
}

// stepBack returns a position at or before pos such that no packet which belongs
// behind the one at pos is missed because it arrived before it.
func stepBack(r *ring[media.Packet], pos uint64) uint64 {
	const furthest = 512 // packets of one round trip, at most
	first := r.slot(pos).Load()
	if first == nil {
		return pos
	}
	start := pos
	for back := pos; back > r.tail.Load() && pos-back < furthest; {
		back--
		p := r.slot(back).Load()
		if p == nil {
			break
		}
		if p.Seq > first.Seq {
			start = back
		}
	}
	return start
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

// RequestKeyframe asks the publisher for a keyframe. However often it is called,
// the publisher is asked at most once a second. It does nothing for sound.
func (t *Track) RequestKeyframe() {
	if t.info.Kind() == media.Video {
		t.keyframe.request()
	}
}

// openPackets returns the ring of packets and counts a reader of it.
func (t *Track) openPackets() *ring[media.Packet] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.native != Packets {
		if t.readers++; t.convert == nil {
			t.packets = newRing[media.Packet](packetSlots(t.info.Kind()))
			t.convert = t.startPacketizing()
		}
	}
	return t.packets
}

// openFrames returns the ring of frames and counts a reader of it. all says that
// the first reader wants what is in the ring from its oldest end on.
func (t *Track) openFrames(all bool) *ring[media.Frame] {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.native != Frames {
		if t.readers++; t.convert == nil {
			t.frames = newRing[media.Frame](maxFrames)
			t.convert = t.startDepacketizing(all)
		}
	}
	return t.frames
}

// closeForm takes back what openPackets or openFrames counted; the last reader
// of a derived form ends the conversion.
func (t *Track) closeForm(f Form) {
	if f == t.native {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readers--; t.readers == 0 {
		t.convert.stop() // a conversion takes no lock, so it can be waited for here
		t.convert = nil
	}
}

// end closes both rings: readers get what is there and then io.EOF.
func (t *Track) end() {
	t.keyframe.close()
	t.mu.Lock()
	defer t.mu.Unlock()
	// A derived ring is ended by its conversion, once that has caught up.
	if t.native == Packets {
		t.packets.end()
	} else {
		t.frames.end()
	}
	if t.convert == nil {
		t.packets.end()
		t.frames.end()
	}
}
