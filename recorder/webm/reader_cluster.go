package webm

import (
	"bytes"
	"time"
)

// clusterState is what is known of the current Cluster.
type clusterState struct {
	open  bool
	timed bool  // its Timestamp has come
	time  int64 // Timestamp in ticks; maxTime at most
}

// groupState is what is known of the current BlockGroup.
type groupState struct {
	open    bool
	at, end int64 // in the stream
	Group
	block    []byte // data of the Block, ours
	duration uint64 // BlockDuration in ticks; 0 if none
}

// keep keeps the data of the Block until the group ends. They are copied unless
// they are owned.
func (g *groupState) keep(data []byte, owned bool) {
	if !owned {
		data = bytes.Clone(data)
	}
	g.block = data
}

// beginCluster begins a Cluster (RFC 9559 section 5.1.3).
func (r *Reader) beginCluster() error {
	if r.header.tracks == nil {
		return r.bad(reasonNoTracks)
	}
	if r.header.tick == 0 { // there is no Info
		r.header.tick = defaultTick
	}
	r.header.complete = true
	r.look.known = r.at
	r.cluster = clusterState{open: true}
	r.next()
	return nil
}

// beginInCluster begins a Timestamp, SimpleBlock or BlockGroup.
func (r *Reader) beginInCluster(e elementHead) error {
	if e.id == timestampID {
		if e.size > 8 {
			return r.drop(e.size, reasonTooLarge)
		}
		return r.gather(e.size)
	}
	if !r.cluster.timed {
		return r.drop(e.size, reasonNoTime)
	}
	if e.id == simpleBlockID {
		return r.gather(e.size)
	}
	r.group = groupState{open: true, at: r.at, end: r.off + e.size}
	return r.passed() // it may be empty
}

// beginInGroup begins a child of a BlockGroup.
func (r *Reader) beginInGroup(e elementHead) error {
	switch {
	case e.id.outside(), e.id == timestampID, e.id == simpleBlockID, e.id == blockGroupID:
		return r.bad(reasonNotHere)
	case r.off+e.size > r.group.end:
		return r.bad(reasonOverrun)
	}
	wanted, reason := r.group.child(e)
	switch {
	case reason != "":
		return r.dropGroup(reason)
	case wanted:
		return r.gather(e.size)
	}
	return r.skip(e.size)
}

// dropGroup passes over the rest of the current BlockGroup, because a child of it
// is not as it should be.
func (r *Reader) dropGroup(reason string) error {
	r.damaged, r.pending = true, r.current(reason)
	rest := r.group.end - r.off
	r.group = groupState{}
	return r.skip(rest)
}

// readTimestamp reads the Timestamp of a Cluster.
func (r *Reader) readTimestamp(data []byte) {
	v, _ := bigEndian(data)
	r.cluster.timed = v <= uint64(maxTime/r.header.tick)
	if !r.cluster.timed {
		r.damaged, r.pending = true, r.current(reasonTime)
		return
	}
	r.cluster.time = int64(v)
}

// readSimpleBlock reads a SimpleBlock (RFC 9559 section 10.2).
func (r *Reader) readSimpleBlock(data []byte, owned bool) error {
	b, reason := r.parseBlock(data)
	if reason != "" {
		r.damaged, r.pending = true, r.current(reason)
		return nil
	}
	b.key, b.discardable = b.flags&flagKey != 0, b.flags&flagDiscard != 0
	return r.emit(&b, owned)
}

// readGroup reads a BlockGroup (RFC 9559 section 5.1.3.5) whose children have all
// arrived.
func (r *Reader) readGroup() error {
	g := r.group
	r.group = groupState{}
	b, reason := r.parseBlock(g.block)
	if !g.hasBlock {
		reason = reasonNoBlock
	}
	if reason != "" {
		r.tell(Damage{Offset: g.at, Length: g.end - g.at, Element: blockGroupID, Reason: reason})
		return nil
	}
	b.key = g.key()
	if g.duration <= uint64(maxTime/r.header.tick) {
		b.duration = time.Duration(g.duration) * r.header.tick
	}
	return r.emit(&b, true)
}
