package sfu

import "weir/sfu/media"

// keyframeWatch follows a track's keyframes as they come in, and tells the owner of
// its requests. Its methods are for the writing goroutine.
type keyframeWatch struct {
	begun bool // the first packet or frame of the publisher has come

	// of the newest keyframe, in packets
	coming bool
	time   uint64 // RTP time
	next   uint64 // Seq of the first packet that is not here
}

// packet takes in a packet that is about to be in the ring: a reader that finds no
// keyframe there is to find that one is coming.
func (k *keyframeWatch) packet(t *Track, p *media.Packet) {
	if p.Marker && !t.marked.Load() {
		t.marked.Store(true)
	}
	switch {
	case p.Sync && p.Seq > t.newestSync && p.Time != k.time: // a late one does not take the place of a newer one
		k.begun, k.coming = true, true
		k.time, k.next = p.Time, p.Seq
		t.keyframe.begins(p.Seq, p.PTS, false)
	case !k.begun && len(p.Payload) > 0: // padding tells nothing
		k.begun = true
		t.keyframe.other()
	}
	if k.coming && p.Time == k.time {
		t.keyframe.moved.Store(int64(p.Arrival))
	}
}

// follow looks how far the keyframe is here that is coming in.
func (k *keyframeWatch) follow(t *Track) {
	if !k.coming {
		return
	}
	for p := t.Packet(k.next); p != nil; p = t.Packet(k.next) {
		k.next++
		if len(p.Payload) == 0 {
			continue // padding
		}
		switch {
		case p.Time != k.time && t.marked.Load(): // its sender threw away the rest
			k.coming = false
			t.keyframe.spoiled()
			return
		case p.Time != k.time, p.Marker:
			k.coming = false
			t.keyframe.complete()
			return
		}
	}
}

// frame takes in a frame of a source that writes frames.
func (k *keyframeWatch) frame(t *Track, f *media.Frame) {
	switch {
	case f.Sync:
		t.keyframe.begins(0, f.PTS, true)
	case !k.begun:
		t.keyframe.other()
	}
	k.begun = true
}

// lost notes that a packet of the track is not going to come any more. A keyframe
// that begins behind it will do; one that it may belong to is spoiled.
func (t *Track) lost() {
	seq := t.keyframe.newest()
	if seq > 0 && t.contiguous(seq) {
		return
	}
	t.keyframe.requestBehind(seq)
}

// contiguous reports whether no packet is missing from seq on.
func (t *Track) contiguous(seq uint64) bool {
	for t.Packet(seq) != nil {
		seq++
	}
	// The last packets may have been sent again, but not all of them.
	const few = 64
	packets, _, _ := t.rings()
	if packets == nil {
		return false
	}
	head := packets.head.Load()
	for pos := head - min(head, few); pos < head; pos++ {
		if p := packets.slot(pos).Load(); p != nil && p.Seq > seq {
			return false
		}
	}
	return true
}

// newest returns the Seq of the newest keyframe's first packet, 0 if there is none.
func (k *keyframes) newest() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.seq
}
