package codec

import (
	"slices"
	"time"

	"weir/sfu/media"
)

const (
	// maxFrameBytes bounds a frame; a larger one counts as incomplete.
	maxFrameBytes = 4 << 20
	// maxFramePackets bounds it when each of its packets holds next to nothing. A
	// frame of 4 MiB in packets of MaxPayload has 3543.
	maxFramePackets = 8192
)

// vp8Depacketizer puts VP8 frames together and lets those through that can be
// decoded: reorder, then assembly, then vp8Gate, then outlet.
type vp8Depacketizer struct {
	in    reorder
	frame vp8Assembly
	gate  vp8Gate
	out   outlet
}

func newVP8Depacketizer(c Config) Depacketizer {
	return &vp8Depacketizer{in: newReorder(c)}
}

// assemblyState is what is known of the frame that the last packet belongs to.
type assemblyState uint8

const (
	between  assemblyState = iota // that frame ended
	building                      // all of it is here so far
	skipping                      // something of it is missing
)

// vp8Assembly is the frame that the last packet belongs to.
type vp8Assembly struct {
	state      assemblyState
	time       uint64 // RTP time
	pts        time.Duration
	descriptor VP8Descriptor // of the first packet
	keyframe   bool
	parts      [][]byte // media bytes, one part of each packet
	size       int      // their sum
}

// Depacketize implements [Depacketizer].
func (d *vp8Depacketizer) Depacketize(p *media.Packet, emit func(media.Frame)) {
	d.in.push(p, func(p *media.Packet, lost uint64) { d.take(p, lost, emit) })
}

// Flush implements [Depacketizer].
func (d *vp8Depacketizer) Flush(emit func(media.Frame)) {
	d.in.flush(func(p *media.Packet, lost uint64) { d.take(p, lost, emit) })
	d.spoil()
}

// NeedsSync implements [Depacketizer].
func (d *vp8Depacketizer) NeedsSync() bool { return !d.gate.open }

// Losses implements [Depacketizer].
func (d *vp8Depacketizer) Losses() Losses {
	l := d.out.losses
	l.Packets = d.in.lost
	return l
}

// take gets the packets in order, with the number of those lost before each.
func (d *vp8Depacketizer) take(p *media.Packet, lost uint64, emit func(media.Frame)) {
	if lost > 0 {
		d.spoil()
		d.gate.lost(lost)
	}
	if len(p.Payload) == 0 {
		return // padding
	}
	desc, size, ok := ParseVP8Descriptor(p.Payload)
	if ok && size == len(p.Payload) {
		return // padding behind a descriptor
	}
	part := p.Payload[size:]
	start := ok && desc.StartOfFrame()
	f := &d.frame
	if f.state != between && f.time != p.Time {
		// Without a hole before it a new frame shows that the last one ended, even
		// if its sender omits the marker.
		if start {
			d.finish(emit)
		}
		d.spoil()
		f.state = between
	}
	switch {
	case !ok:
		d.skip(p, nil)
	case f.state == between && start:
		d.begin(p, &desc, part)
	case f.state == between:
		d.skip(p, &desc)
	case start || f.otherPicture(&desc):
		d.skip(p, nil) // two frames under one time: it is not known what they were
	case f.state == building:
		d.add(part)
	}
	if p.Marker {
		d.finish(emit)
		f.state = between
	}
}

// otherPicture says that the picture id shows desc to be of another frame.
func (f *vp8Assembly) otherPicture(desc *VP8Descriptor) bool {
	ahead, ok := desc.idsAhead(&f.descriptor)
	return f.state == building && ok && ahead != 0
}

// begin starts a frame.
func (d *vp8Depacketizer) begin(p *media.Packet, desc *VP8Descriptor, part []byte) {
	keyframe := VP8Keyframe(part)
	if !keyframe && !vp8Inter(part) || len(part) > maxFrameBytes {
		d.skip(p, nil) // no decoder takes it, and what follows may refer to it
		return
	}
	f := &d.frame
	f.state = building
	f.time, f.pts = p.Time, p.PTS
	f.descriptor, f.keyframe = *desc, keyframe
	f.parts = append(f.parts[:0], part)
	f.size = len(part)
}

// add appends to the frame.
func (d *vp8Depacketizer) add(part []byte) {
	f := &d.frame
	if f.size+len(part) > maxFrameBytes || len(f.parts) == maxFramePackets {
		d.spoil()
		return
	}
	f.parts = append(f.parts, part)
	f.size += len(part)
}

// spoil gives up the frame that is being built: something of it is missing.
func (d *vp8Depacketizer) spoil() {
	if d.frame.state == building {
		d.discard(&d.frame.descriptor)
	}
}

// skip gives up the frame of p, of which p is the first packet to be seen or one
// that does not fit in.
func (d *vp8Depacketizer) skip(p *media.Packet, desc *VP8Descriptor) {
	if d.frame.state == skipping {
		return // counted already
	}
	d.frame.time = p.Time
	d.discard(desc)
}

// discard counts one broken frame and skips the rest of it.
func (d *vp8Depacketizer) discard(desc *VP8Descriptor) {
	d.frame.state = skipping
	d.drop()
	d.gate.incomplete(desc)
}

// drop counts a frame that does not come out.
func (d *vp8Depacketizer) drop() {
	d.out.losses.Frames++
	d.out.missing()
	clear(d.frame.parts) // the packets are not needed any more
	d.frame.parts = d.frame.parts[:0]
}

// finish ends the frame that is being built: it is whole.
func (d *vp8Depacketizer) finish(emit func(media.Frame)) {
	f := &d.frame
	if f.state != building {
		return
	}
	f.state = between
	pass, missing := d.gate.admit(&f.descriptor, f.keyframe)
	if missing {
		d.out.missing()
	}
	if !pass {
		d.drop()
		return
	}
	data := slices.Clip(f.parts[0])
	if len(f.parts) > 1 {
		data = make([]byte, 0, f.size)
		for _, part := range f.parts {
			data = append(data, part...)
		}
	}
	clear(f.parts)
	f.parts = f.parts[:0]
	d.out.put(f.pts, f.keyframe, data, emit)
}
