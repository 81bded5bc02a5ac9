package sfu

import (
	"sync"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// Form is one of the two forms of a track.
type Form uint8

// The forms of a track.
const (
	Packets Form = iota // RTP packets
	Frames              // coded frames
)

// forms are the two forms of a track. There is a ring of the one that is native, which
// the source writes, and one of the other while it is read: a conversion fills that.
// Readers need not know which is which, and do not notice when it changes.
//
// It changes when another publisher goes on with the track that writes the other form:
// then no source writes.
type forms struct {
	mu      sync.Mutex
	native  Form
	packets *ring[media.Packet]
	frames  *ring[media.Frame]
	readers [2]int       // of each form
	convert *conversion  // nil while the form that is not native is not read
	before  media.Packet // the newest one when the form changed; Seq 0: it never did

	// owned by the conversion that packetizes
	packetizer codec.Packetizer // kept while its packets are not read, so that sequence and picture ids go on
	seqShift   uint64           // added to its sequence numbers
	timeShift  uint64           // added to its RTP times
}

// open makes the ring of a form that is not there. Called with mu held, or before the
// track is known.
func (t *Track) open(f Form) {
	switch {
	case f == Packets && t.packets == nil:
		t.packets = newRing[media.Packet](packetSlots(t.info.Kind()))
	case f == Frames && t.frames == nil:
		t.frames = newRing[media.Frame](maxFrames)
	}
}

// openPackets returns the ring of packets, and counts a reader.
func (t *Track) openPackets() *ring[media.Packet] {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[Packets]++
	if t.packets == nil {
		t.open(Packets)
		t.convert = t.startPacketizing((*Cursor[media.Frame]).start, nil)
	}
	return t.packets
}

// openFrames is openPackets for frames. If they are made of packets, place tells for
// the first reader where in the ring of those to begin.
func (t *Track) openFrames(place func(*Cursor[media.Packet])) *ring[media.Frame] {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.readers[Frames]++
	if t.frames == nil {
		t.open(Frames)
		t.convert = t.startDepacketizing(place, nil)
	}
	return t.frames
}

// closeForm takes back what openPackets or openFrames counted; the last reader
// of a form that is derived ends the conversion.
func (t *Track) closeForm(f Form) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.readers[f]--; t.readers[f] > 0 || f == t.native {
		return
	}
	t.convert.stop()
	t.convert = nil
	t.drop(f)
}

// drop lets go of the ring of a form that is neither native nor read. Called with mu
// held.
func (t *Track) drop(f Form) {
	if f == Frames {
		t.frames = nil
		return
	}
	t.packets = nil
	for i := range t.bySeq { // what is not read is not to be kept
		t.bySeq[i].Store(nil)
	}
	t.newestSync, t.gone = 0, 0
}

// turn has the track written in another form from now on. A reader of a form reads on:
// in it there is a discontinuity, behind which numbers and times go on, and no other
// sign of the change. No source may write meanwhile.
func (t *Track) turn(to Form) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.native == to {
		return
	}
	t.convert.finish()
	t.convert = nil
	t.before = t.newest()
	last, from := t.before, t.native
	t.native = to
	t.open(to)
	if to == Packets {
		t.packets.from.Store(nil)
	} else {
		t.frames.from.Store(nil)
	}
	t.marked.Store(false)
	t.keyframe.setNative(to)
	switch {
	case t.readers[from] == 0:
		t.drop(from)
	case from == Packets:
		t.packetizer = nil // another one, so that no picture id is there twice
		t.convert = t.startPacketizing((*Cursor[media.Frame]).startNext, &last)
	default:
		t.convert = t.startDepacketizing((*Cursor[media.Packet]).startNext, &last)
	}
}

// newest returns the newest packet, or what it would be if the track was not read as
// packets. Its Seq is 0 if nothing has come. Called with mu held, while no source
// writes.
func (t *Track) newest() media.Packet {
	p := t.before
	if t.packets != nil {
		const unordered = 512 // packets that may have come late
		head := t.packets.head.Load()
		for pos := head; pos > t.packets.tail.Load() && head-pos < unordered; {
			pos--
			if q := t.packets.slot(pos).Load(); q != nil && q.Seq > p.Seq { // nil: it has just left the ring
				p = *q
			}
		}
	}
	if t.frames == nil || t.frames.head.Load() == 0 {
		return p
	}
	if f := t.frames.slot(t.frames.head.Load() - 1).Load(); p.Seq == 0 || f.PTS > p.PTS {
		p = media.Packet{
			Seq: max(p.Seq, firstSeq), Time: max(p.Time, firstSeq) + uint64(t.info.Codec.Ticks(f.PTS-p.PTS)),
			PTS: f.PTS, Arrival: f.PTS, Payload: f.Data,
		}
	}
	return p
}

// written returns where what has come so far ends, on the stream's clock; 0 if nothing
// has. No source may write meanwhile.
func (t *Track) written() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.newest()
	if p.Seq > 0 && t.format.FrameDuration != nil {
		return p.PTS + t.format.FrameDuration(p.Payload)
	}
	return p.PTS
}

// rings returns the rings that there are, and which one the source writes.
func (t *Track) rings() (packets *ring[media.Packet], frames *ring[media.Frame], native Form) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.packets, t.frames, t.native
}

// end ends the native ring: readers get what is there and then io.EOF. The
// derived ring is ended by its conversion, when a reader has it catch up.
func (t *Track) end() {
	t.keyframe.close()
	packets, frames, native := t.rings()
	if native == Packets {
		packets.end()
	} else {
		frames.end()
	}
}

// resume returns the writer of a publisher that goes on with the track.
func (t *Track) resume() *TrackWriter {
	w := newTrackWriter(t)
	w.restart()
	return w
}
