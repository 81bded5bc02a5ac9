package read

import (
	"weir/recorder/webm/ebml"
)

// The Reader does not nest. It takes an element's head, says what the element is
// by its ID, and either collects its data, passes over them, or, for the Segment,
// Clusters and BlockGroups, goes on with what is inside. The IDs of what may lie
// in a Cluster, in a BlockGroup and outside of both are different ones, so it
// needs no end of Clusters and Segments to know where it is, and it does not use
// their sizes at all: live ones are unknown and damaged ones wrong.

// push takes p step by step.
func (r *Reader) push(p []byte) error {
	for len(p) > 0 {
		n := r.wants(p)
		taken, found := r.look.scan(p[:n])
		var err error
		if found {
			err = r.resume(r.off + int64(taken))
		} else {
			err = r.consume(p[:n])
		}
		if err != nil {
			return err
		}
		p = p[taken:]
	}
	return nil
}

// resume goes on with the Cluster or EBML header that the lookout found, of which
// the bytes up to end have arrived.
func (r *Reader) resume(end int64) error {
	found := r.look.candidate
	b := found[:r.look.n]
	start := end - int64(len(b))
	r.look.restart()
	if anew := string(b[:len(ebmlMagic)]) == ebmlMagic; anew && r.restIsNothing(start) {
		r.forget()
	} else {
		r.report(start, ebml.ReasonCutShort)
	}
	r.off = start
	r.next()
	for len(b) > 0 {
		n := r.wants(b)
		if err := r.consume(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// wants returns how many bytes at the front of p, which is not empty, the current
// step can take at once.
func (r *Reader) wants(p []byte) int {
	switch r.step {
	case stepHead:
		// How long a head is, its first bytes tell.
		there, n := r.have+copy(r.head[r.have:], p), r.have
		for {
			more, ok := ebml.HeadNeeds(r.head[:n])
			if !ok || more == 0 || n == there {
				return n - r.have
			}
			n = min(n+more, there)
		}
	case stepLost:
		return len(p)
	default:
		return int(min(int64(len(p)), r.left))
	}
}

// consume reads as many bytes as wants allows.
func (r *Reader) consume(b []byte) error {
	r.off += int64(len(b))
	switch r.step {
	case stepHead:
		r.have += len(b) // wants has copied them
		more, ok := ebml.HeadNeeds(r.head[:r.have])
		if !ok {
			return r.bad(ebml.ReasonNoElement)
		}
		if more > 0 {
			return nil
		}
		return r.begin()
	case stepSkip:
		if r.left -= int64(len(b)); r.left == 0 {
			return r.passed()
		}
	case stepCollect:
		return r.collect(b)
	}
	return nil
}

// begin decides what to do with the element whose head has arrived.
func (r *Reader) begin() error {
	e, ok := ebml.ParseHead(r.head[:r.have])
	r.id = e.ID
	switch {
	case r.header.fresh() && r.id != ebml.HeaderID:
		return r.id.Fail(ebml.ErrNotWebM, r.at, "a stream begins with an EBML header")
	case !ok:
		r.id = 0
		return r.bad(ebml.ReasonNoElement)
	case e.Unknown && !e.ID.Unsized():
		return r.bad(ebml.ReasonNoSize)
	case r.group.open:
		return r.beginInGroup(e)
	}
	if e.ID.Outside() {
		r.cluster = clusterState{}
	}
	switch e.ID {
	case ebml.ClusterID:
		return r.beginCluster()
	case ebml.SegmentID:
		if r.header.complete { // one more Segment has tracks of its own
			r.header = newHeader(r.at)
		}
		r.next()
		return nil
	case ebml.HeaderID:
		r.header = newHeader(r.at)
		r.look.known = r.at
	}
	if !r.header.complete && r.off+e.Size-r.header.at > int64(r.config.MaxHeader) {
		return r.id.Fail(ErrHeaderSize, r.at, "ends too far from the start of the header")
	}
	if e.Size > int64(r.config.MaxElement) {
		return r.drop(e.Size, ebml.ReasonTooLarge)
	}
	return r.beginData(e)
}

// beginData begins an element outside of BlockGroups that has data.
func (r *Reader) beginData(e ebml.Head) error {
	switch e.ID {
	case ebml.HeaderID:
		return r.gather(e.Size)
	case ebml.InfoID, ebml.TracksID:
		// A second one is a copy of the first by definition ("recurring", RFC 9559
		// section 5.1), and once there were frames it is too late for another.
		if r.header.wants(e.ID) {
			return r.gather(e.Size)
		}
	case ebml.TimestampID, ebml.SimpleBlockID, ebml.BlockGroupID:
		if !r.cluster.open {
			return r.bad(ebml.ReasonNotHere)
		}
		return r.beginInCluster(e)
	case ebml.BlockID:
		return r.bad(ebml.ReasonNotHere)
	}
	return r.skip(e.Size)
}

// skip passes over n bytes of data.
func (r *Reader) skip(n int64) error {
	r.step, r.left = stepSkip, n
	if n == 0 {
		return r.passed()
	}
	return nil
}

// drop passes over n bytes of data and reports the element as damaged.
func (r *Reader) drop(n int64, reason string) error {
	r.damaged, r.pending = true, ebml.Damage{Offset: r.at, Element: r.id, Reason: reason}
	return r.skip(n)
}

// gather collects n bytes of data.
func (r *Reader) gather(n int64) error {
	r.step, r.left = stepCollect, n
	if n == 0 {
		return r.collected(nil, false)
	}
	return nil
}

// collect adds b to what is collected. The buffer grows only with what arrived,
// so that a size that is claimed costs nothing.
func (r *Reader) collect(b []byte) error {
	total := len(r.buf) + int(r.left)
	if r.left -= int64(len(b)); r.left == 0 && len(r.buf) == 0 {
		return r.collected(b, false)
	}
	if need := len(r.buf) + len(b); need > cap(r.buf) {
		const least = 4 << 10
		grown := make([]byte, len(r.buf), min(total, max(need, 2*cap(r.buf), least)))
		copy(grown, r.buf)
		r.buf = grown
	}
	r.buf = append(r.buf, b...)
	if r.left > 0 {
		return nil
	}
	data := r.buf
	large := cap(data) > keepCollected
	r.empty()
	return r.collected(data, large)
}

// collected deals with an element whose data are whole. They may be kept if they
// are owned, and else are valid only during the call.
func (r *Reader) collected(data []byte, owned bool) error {
	var err error
	switch r.id {
	case ebml.HeaderID:
		err = r.readEBML(data)
	case ebml.InfoID:
		err = r.readInfo(data)
	case ebml.TracksID:
		err = r.readTracks(data)
	case ebml.TimestampID:
		r.readTimestamp(data)
	case ebml.SimpleBlockID:
		err = r.readSimpleBlock(data, owned)
	case ebml.BlockID:
		r.group.keep(data, owned)
	case ebml.BlockDurationID:
		r.group.duration, _ = ebml.Uint(data)
	}
	if err != nil {
		return err
	}
	return r.passed()
}

// passed ends the current element.
func (r *Reader) passed() error {
	if r.damaged {
		r.report(r.off, "")
	}
	r.next()
	if r.group.open && r.off == r.group.end {
		return r.readGroup()
	}
	return nil
}

// next waits for the head of an element at the current place.
func (r *Reader) next() {
	r.step, r.have, r.at, r.id, r.left = stepHead, 0, r.off, 0, 0
}

// empty makes the buffer ready for the next element.
func (r *Reader) empty() {
	if r.buf = r.buf[:0]; cap(r.buf) > keepCollected {
		r.buf = nil
	}
}

// bad gives up the current element and the place in the structure: nothing is
// read until the lookout finds a Cluster or an EBML header. If the tracks are not
// known, it returns an error instead.
func (r *Reader) bad(reason string) error {
	if r.header.fresh() {
		return r.id.Fail(ebml.ErrNotWebM, r.at, reason)
	}
	if r.header.tracks == nil {
		return r.id.Fail(ebml.ErrHeader, r.at, reason)
	}
	if !r.damaged {
		r.damaged, r.pending = true, r.current(reason)
	}
	r.step, r.group = stepLost, groupState{}
	r.empty()
	return nil
}

// midway reports whether something has only begun to arrive, or is passed over as
// damaged.
func (r *Reader) midway() bool {
	return r.damaged || r.group.open || r.step != stepHead || r.have > 0
}

// leastBlock is the length of the shortest block: ID, size, track, time in 2 bytes,
// flags, and one byte of a frame.
const leastBlock = 7

// restIsNothing reports whether what has begun and ends at the offset end, with
// the stream or before another one's EBML header, is too short to have anything of
// a frame. Chromium's MediaRecorder hands over its bytes up to one byte inside of
// an element that is still to come, so that is how most of its streams end.
func (r *Reader) restIsNothing(end int64) bool {
	d := r.pending
	if !r.damaged {
		d = r.current("")
	}
	return end-d.Offset < leastBlock
}

// report gives up the current element, if it is not yet, and reports the damage
// up to the offset end.
func (r *Reader) report(end int64, reason string) {
	d := r.pending
	if !r.damaged {
		d = r.current(reason)
	}
	r.forget()
	// The lookout's find may have begun before the current element, when that was none;
	// then nothing lies between.
	d.Offset = min(d.Offset, end)
	d.Length = end - d.Offset
	r.tell(d)
}

// forget gives up the current element and its damage.
func (r *Reader) forget() {
	r.damaged, r.pending = false, ebml.Damage{}
	r.group = groupState{}
	r.empty()
}

// tell tells of damage. The lookout's find may also have begun before damage that was
// told of already: offsets never go back.
func (r *Reader) tell(d ebml.Damage) {
	if d.Offset < r.told {
		d.Offset, d.Length = r.told, max(0, d.Offset+d.Length-r.told)
	}
	r.told = d.Offset
	r.to.Damage(d)
}

// current returns the current element as damage, or the BlockGroup that it is in.
func (r *Reader) current(reason string) ebml.Damage {
	if r.group.open {
		return ebml.Damage{Offset: r.group.at, Element: ebml.BlockGroupID, Reason: reason}
	}
	return ebml.Damage{Offset: r.at, Element: r.id, Reason: reason}
}
