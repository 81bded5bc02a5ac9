package codec

import (
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

// place is where an RTP payload stands in its frame, as far as it tells.
type place uint8

const (
	malformed place = iota
	padding         // no media: as if the packet were not there
	first           // it begins a frame, and cannot lie within one
	opening         // it begins a frame, unless something of that frame precedes it
	inner           // something of its frame precedes it
	either          // it does not tell
)

// videoFormat is how the frames of a codec are spread over RTP payloads. D is
// what the codec knows of a frame by its payloads: a payload descriptor, say.
type videoFormat[D any] interface {
	// read looks at one payload. It sets d, whatever was in it, and returns the
	// bytes that join needs.
	read(payload []byte, d *D) (part []byte, where place)
	// sameFrame reports whether a payload with the description d may be of the frame
	// whose first payload has that of f.
	sameFrame(f, d *D) bool
	// ends reports whether a frame may be whole that ends with the payload d, though
	// that has no marker.
	ends(d *D) bool
	// join makes the coded frame of all its parts, which are size bytes together,
	// and adds to f what the whole frame tells. Without ok it is none that a
	// decoder takes. An empty one is no frame, and nothing is missing.
	join(f *D, parts [][]byte, size int) (data []byte, keyframe, ok bool)
}

// gate decides which of the whole frames can be decoded, from what is missing
// between them. It is closed until the first keyframe.
type gate[D any] interface {
	// incomplete tells that a frame is broken, with lost packets missing before
	// it. d is nil when nothing is known of it.
	incomplete(d *D, lost uint64)
	// admit tells that the frame d is whole, with lost packets missing since the last
	// call. It reports whether the frame can be decoded, and whether frames are missing
	// right before it.
	admit(d *D, keyframe bool, lost uint64) (pass, missing bool)
	// closed reports whether nothing passes before a keyframe.
	closed() bool
}

// depacketizer puts frames together and lets those through that can be decoded:
// reorder, then assembly, then the gate, then outlet.
type depacketizer[D any] struct {
	format videoFormat[D]
	in     reorder
	frame  assembly[D]
	gate   gate[D]
	out    outlet
	learn  func(payload []byte) // takes in what is Ahead of a packet; nil: nothing ever is

	markers markers
	aside   *joined[D] // a frame that ended without marker, until it is known whether it is whole

	now   D      // of the packet at hand
	lost  uint64 // packets that are missing, and of which the gate knows nothing yet
	known bool   // a packet has come
	hole  bool   // the packet right before the one at hand is missing
	seam  bool   // of lost, all there is stands between two RTP streams: nothing that was sent
	ahead ahead
}

// ahead is what has come right before the frame at hand, under a time of its own.
type ahead uint8

const (
	nothing ahead = iota
	sets          // what a keyframe begins with
	bare          // the same, without a marker: perhaps all that was sent of a keyframe
)

// assemblyState is what is known of the frame that the last packet belongs to.
type assemblyState uint8

const (
	between  assemblyState = iota // that frame ended
	building                      // all of it is here so far
	skipping                      // something of it is missing
)

// assembly is the frame that the last packet belongs to.
type assembly[D any] struct {
	state assemblyState
	sync  bool   // a decoder can start here, as far as the packets tell
	time  uint64 // RTP time
	pts   time.Duration
	first D        // of the first packet
	ends  bool     // the last packet may be the last of all, marker or not
	parts [][]byte // one of each packet
	size  int      // their sum
}

// joined is a frame whose parts are one.
type joined[D any] struct {
	assembly[D]
	data     []byte
	keyframe bool
}

// Depacketize implements [Depacketizer].
func (d *depacketizer[D]) Depacketize(p *media.Packet, emit func(media.Frame)) {
	d.in.push(p, func(p *media.Packet, lost uint64) { d.takePacket(p, lost, emit) })
}

// Flush implements [Depacketizer]. A frame that waits for its marker is left as it
// is: what has not been sent is no loss.
func (d *depacketizer[D]) Flush(emit func(media.Frame)) {
	d.in.flush(func(p *media.Packet, lost uint64) { d.takePacket(p, lost, emit) })
	d.last(emit)
}

// last emits the frame that is being built, if it may be whole: nothing will follow
// that shows where frames without markers end.
func (d *depacketizer[D]) last(emit func(media.Frame)) {
	if d.markers.set {
		return
	}
	d.settle(whole, emit)
	if f := &d.frame; f.state == building {
		if data, keyframe, ok := d.format.join(&f.first, f.parts, f.size); ok {
			d.complete(data, keyframe, emit)
		}
	}
}

// NeedsSync implements [Depacketizer].
func (d *depacketizer[D]) NeedsSync() bool { return d.gate.closed() && !d.comingIn() }

// comingIn reports whether the first packet of a keyframe is here, and nothing that
// it lacks was given up.
func (d *depacketizer[D]) comingIn() bool {
	return d.ahead != nothing || d.frame.state == building && d.frame.sync || d.aside != nil && d.aside.sync || d.in.holdsSync()
}

// Losses implements [Depacketizer].
func (d *depacketizer[D]) Losses() Losses {
	l := d.out.losses
	l.Packets = d.in.lost
	return l
}

// takePacket gets the packets in order, with the number of those lost before each.
func (d *depacketizer[D]) takePacket(p *media.Packet, lost uint64, emit func(media.Frame)) {
	if p.Discontinuity {
		d.restart(emit)
		if lost == 0 && d.known { // all the same no frame refers to one from before
			d.seam = d.lost == 0
			d.lost++
			d.hole = true
		}
	}
	if lost > 0 {
		d.spoil()
		d.seam = false
		d.lost += lost
		d.hole = true
	}
	if len(p.Payload) == 0 {
		return // padding
	}
	for _, ahead := range p.Ahead {
		d.learn(ahead)
	}
	part, where := d.format.read(p.Payload, &d.now)
	if where == padding {
		return
	}
	follows := d.known && !d.hole // nothing is missing right before p
	d.known, d.hole = true, false
	start := where == first || where == opening || where == either && follows
	f := &d.frame
	if f.state != between && f.time != p.Time {
		d.unmarked(start, emit)
		f.state = between
	}
	switch {
	case where == malformed:
		d.skip(p, nil)
	case f.state == between && start:
		d.begin(p, part)
	case f.state == between:
		d.skip(p, &d.now)
	case where == first || f.state == building && !d.format.sameFrame(&f.first, &d.now):
		d.skip(p, nil) // two frames under one time: it is not known what they were
	case f.state == building:
		f.sync = f.sync || p.Sync
		d.add(part)
	}
	if p.Marker {
		d.markers.seen()
		d.settle(cutOff, emit)
		d.finish(emit)
		f.state = between
	}
}

// unmarked ends the frame at hand, of which no marker came. next reports whether
// another one begins without a hole in between: else its end is missing.
func (d *depacketizer[D]) unmarked(next bool, emit func(media.Frame)) {
	f := &d.frame
	if f.state != building {
		return
	}
	if !next {
		d.spoil()
		return
	}
	data, keyframe, ok := d.format.join(&f.first, f.parts, f.size)
	if ok && len(data) == 0 { // no picture
		d.complete(data, keyframe, emit)
		if d.ahead == sets {
			d.ahead = bare
		}
		return
	}
	e := whole
	switch {
	case !ok:
		e = cutOff
	case !f.ends:
		e = d.markers.omitted()
	}
	if e == untold {
		d.aside = &joined[D]{*f, data, keyframe}
		*f = assembly[D]{}
		return
	}
	d.settle(e, emit)
	d.end(e, data, keyframe, emit)
}

// settle ends the frame that was set aside.
func (d *depacketizer[D]) settle(e ending, emit func(media.Frame)) {
	if d.aside == nil {
		return
	}
	current, aside := d.frame, d.aside
	d.frame, d.aside = aside.assembly, nil
	d.end(e, aside.data, aside.keyframe, emit)
	d.frame = current
}

// end ends the frame at hand, which is joined, as e says. A frame that is not known to
// be whole is broken.
func (d *depacketizer[D]) end(e ending, data []byte, keyframe bool, emit func(media.Frame)) {
	if e == whole {
		d.complete(data, keyframe, emit)
		return
	}
	if e == cutOff {
		d.out.losses.CutOff++
	}
	d.discard(&d.frame.first)
}

// restart ends the RTP stream before the one at hand. What its end cut off is not
// counted: that something is missing there, the numbers tell.
func (d *depacketizer[D]) restart(emit func(media.Frame)) {
	d.last(emit)
	d.ahead = nothing
	if d.frame.state == building {
		d.gate.incomplete(&d.frame.first, d.lost)
		d.lost = 0
		d.out.missing()
		d.release()
	}
	d.frame.state = between
	d.markers = markers{}
}

// begin starts a frame.
func (d *depacketizer[D]) begin(p *media.Packet, part []byte) {
	f := &d.frame
	f.state = building
	f.time, f.pts = p.Time, p.PTS
	if d.ahead == bare && p.Sync && len(p.Ahead) == 0 { // it has all it needs: that was of another one
		d.out.losses.CutOff++
		d.drop()
		d.gate.incomplete(nil, d.lost)
		d.lost = 0
	}
	f.sync, d.ahead = p.Sync || d.ahead != nothing, nothing
	f.first = d.now
	f.parts, f.size = f.parts[:0], 0
	d.add(part)
}

// add appends to the frame.
func (d *depacketizer[D]) add(part []byte) {
	f := &d.frame
	if f.size+len(part) > maxFrameBytes || len(f.parts) == maxFramePackets {
		d.spoil()
		return
	}
	f.parts = append(f.parts, part)
	f.size += len(part)
	f.ends = d.format.ends(&d.now)
}

// spoil gives up the frame that is being built: something of it is missing.
func (d *depacketizer[D]) spoil() {
	if d.frame.state == building {
		d.discard(&d.frame.first)
	}
}

// skip gives up the frame of p, of which p is the first packet to be seen or one
// that does not fit in.
func (d *depacketizer[D]) skip(p *media.Packet, desc *D) {
	if d.frame.state == skipping {
		return // counted already
	}
	d.frame.time = p.Time
	d.discard(desc)
}

// discard counts one broken frame and skips the rest of it.
func (d *depacketizer[D]) discard(desc *D) {
	d.settle(untold, nil) // nothing comes out
	d.frame.state, d.ahead = skipping, nothing
	d.drop()
	d.gate.incomplete(desc, d.lost)
	d.lost, d.seam = 0, false
}

// drop counts a frame that does not come out.
func (d *depacketizer[D]) drop() {
	d.out.losses.Frames++
	d.out.missing()
	d.release()
}

// release lets go of the packets, which are not needed any more.
func (d *depacketizer[D]) release() {
	clear(d.frame.parts)
	d.frame.parts = d.frame.parts[:0]
}

// finish ends the frame that is being built: it is whole.
func (d *depacketizer[D]) finish(emit func(media.Frame)) {
	f := &d.frame
	if f.state != building {
		return
	}
	data, keyframe, ok := d.format.join(&f.first, f.parts, f.size)
	if !ok {
		d.discard(nil) // no decoder takes it, and what follows may refer to it
		return
	}
	d.complete(data, keyframe, emit)
}

// complete ends the frame that is being built, which is joined.
func (d *depacketizer[D]) complete(data []byte, keyframe bool, emit func(media.Frame)) {
	f := &d.frame
	f.state = between
	if len(data) == 0 {
		if f.sync {
			d.ahead = sets
		}
		d.release()
		return
	}
	pass, missing := d.gate.admit(&f.first, keyframe, d.lost)
	switch {
	case missing && d.seam:
		d.out.follows()
	case missing:
		d.out.missing()
	}
	d.lost, d.seam = 0, false
	if !pass {
		d.drop()
		return
	}
	d.release()
	d.out.putFrame(f.pts, keyframe, data, emit)
}

// SetWindow implements [Depacketizer].
func (d *depacketizer[D]) SetWindow(w time.Duration) { d.in.window = w }
