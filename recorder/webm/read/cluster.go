package read

import (
	"bytes"
	"time"

	"weir/recorder/webm/ebml"
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
	ebml.Group
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
		return r.bad(ebml.ReasonNoTracks)
	}
	if r.header.tick == 0 { // there is no Info
		r.header.tick = ebml.DefaultTick
	}
	r.header.complete = true
	r.look.known = r.at
	r.cluster = clusterState{open: true}
	r.next()
	return nil
}

// beginInCluster begins a Timestamp, SimpleBlock or BlockGroup.
func (r *Reader) beginInCluster(e ebml.Head) error {
	if e.ID == ebml.TimestampID {
		if e.Size > 8 {
			return r.drop(e.Size, ebml.ReasonTooLarge)
		}
		return r.gather(e.Size)
	}
	if !r.cluster.timed {
		return r.drop(e.Size, ebml.ReasonNoTime)
	}
	if e.ID == ebml.SimpleBlockID {
		return r.gather(e.Size)
	}
	r.group = groupState{open: true, at: r.at, end: r.off + e.Size}
	return r.passed() // it may be empty
}

// beginInGroup begins a child of a BlockGroup.
func (r *Reader) beginInGroup(e ebml.Head) error {
	switch {
	case e.ID.Outside(), e.ID == ebml.TimestampID, e.ID == ebml.SimpleBlockID, e.ID == ebml.BlockGroupID:
		return r.bad(ebml.ReasonNotHere)
	case r.off+e.Size > r.group.end:
		return r.bad(ebml.ReasonOverrun)
	}
	wanted, reason := r.group.Child(e)
	switch {
	case reason != "":
		return r.dropGroup(reason)
	case wanted:
		return r.gather(e.Size)
	}
	return r.skip(e.Size)
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
	v, _ := ebml.Uint(data)
	r.cluster.timed = v <= uint64(ebml.MaxTime/r.header.tick)
	if !r.cluster.timed {
		r.damaged, r.pending = true, r.current(ebml.ReasonTime)
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
	r.blockAt = r.at
	b.key, b.discardable = b.flags&ebml.FlagKey != 0, b.flags&ebml.FlagDiscard != 0
	return r.emit(&b, owned)
}

// readGroup reads a BlockGroup (RFC 9559 section 5.1.3.5) whose children have all
// arrived.
func (r *Reader) readGroup() error {
	g := r.group
	r.group = groupState{}
	b, reason := r.parseBlock(g.block)
	if !g.HasBlock {
		reason = ebml.ReasonNoBlock
	}
	if reason != "" {
		r.tell(ebml.Damage{Offset: g.at, Length: g.end - g.at, Element: ebml.BlockGroupID, Reason: reason})
		return nil
	}
	r.blockAt = g.at
	b.key = g.Key()
	if g.duration <= uint64(ebml.MaxTime/r.header.tick) {
		b.duration = time.Duration(g.duration) * r.header.tick
	}
	return r.emit(&b, true)
}
