package webm

import (
	"encoding/binary"
	"time"

	"weir/recorder/webm/ebml"
)

// Framing is how units become Clusters.
type Framing uint8

// The framings of a live stream.
const (
	// Clusters makes a Cluster of known size of each unit, which a player can use
	// at once.
	Clusters Framing = iota
	// Growing begins a Cluster of unknown size where [Unit.Begins] says so, at each
	// keyframe, and lets it grow unit by unit: for players that buffer only
	// Clusters that begin with a keyframe.
	Growing
)

const (
	// unitSpan is how much time a unit covers at least, if it can: fewer bytes and
	// calls for a player than with a Cluster per block, and still low latency.
	unitSpan = 40 // ms
	// maxUnitSpan is how long a unit waits for a block of every track.
	maxUnitSpan = 100 // ms
	// timedSpan is how much time a unit covers at least whose frames tell how long they
	// last, if it can: it ends with a picture that has waited for the next one, and at
	// 30 pictures per second waits for no third.
	timedSpan = 30 // ms
	// longestWait is how much sound may wait behind a picture for the next one, before
	// that is taken for one that stands still and said to last pictureDuration.
	longestWait = 300 * time.Millisecond
	// maxGrowth is the longest time that a growing Cluster covers: clear of the
	// 32.767 s that a block's offset can tell (RFC 9559 section 10.2).
	maxGrowth = 30000 // ms
)

// Unit is a piece of a live stream: blocks of all tracks in the order of their
// times, 40 to 100 ms together. It is shared by all players and never changes.
//
// The blocks' times are told from the start of their group, the last unit that Begins,
// in both framings. So players differ only in the head of a Cluster, with the Timestamp
// that the group has on that player's timeline: Blocks is sent to all of them as it is.
type Unit struct {
	// Time is that of the first block; End is where the sound ends so far, or the
	// picture if there is no sound. Whole milliseconds of the stream's clock.
	Time, End time.Duration
	// Key reports whether a player can start here: with a keyframe, or with any sound
	// if there is no picture.
	Key bool
	// Begins reports whether the unit begins a Cluster in either framing.
	Begins bool
	// Blocks holds SimpleBlocks, or BlockGroups if LiveConfig.Durations says so.
	Blocks []byte
	// Samples holds the same frames if LiveConfig.Samples says so, and Blocks nothing.
	Samples []LiveFrame

	base int64 // the time that the blocks' times count from, ms
}

// LiveFrame is a frame in a unit, with its place in NewLive's list of tracks.
type LiveFrame struct {
	Track  int
	Time   time.Duration // whole milliseconds of the stream's clock
	Length time.Duration // until the next picture, or 1 s if that did not come for 300 ms
	Key    bool          // a decoder can start here
	Data   []byte        // the frame's own, or that of silence
}

// unitHead is the length of a Cluster's head and Timestamp in a live stream. The
// Timestamp always has 8 bytes.
const unitHead = ebml.ClusterHead + 1 + 1 + 8

// AppendHead appends what a player has to get ahead of u.Blocks, which is nothing in a
// growing Cluster. zero is the time on the stream's clock that is the player's time
// zero; it may lie anywhere up to the Time of the unit with which the player starts.
// joins reports whether the unit is that first one.
func (u *Unit) AppendHead(b []byte, f Framing, zero time.Duration, joins bool) []byte {
	if f == Growing && !u.Begins && !joins {
		return b
	}
	b = ebml.AppendID(b, ebml.ClusterID)
	if f == Growing {
		b = append(b, ebml.UnknownSize...)
	} else {
		b = ebml.AppendWideSize(b, uint64(unitHead-ebml.ClusterHead+len(u.Blocks)), 8)
	}
	b = append(b, byte(ebml.TimestampID), 0x88)
	return binary.BigEndian.AppendUint64(b, uint64(max(0, u.base-zero.Milliseconds())))
}

// liveBlock is a frame of the open unit.
type liveBlock struct {
	track *liveTrack
	at    int64         // ms
	lasts time.Duration // of a picture only if blocks tell it, and once it is known
	key   bool
	data  []byte
}

// Next takes out the next unit that is complete, if there is one. It does what Push,
// Advance and Flush have made possible: call it until it returns false.
func (l *Live) Next() (u Unit, ok bool) {
	for len(l.ready) == 0 && l.writeNext() {
	}
	if len(l.ready) == 0 && (l.flushing || l.standsStill()) {
		l.closeUnit()
	}
	if len(l.ready) == 0 {
		return Unit{}, false
	}
	u = l.ready[0]
	l.ready = append(l.ready[:0], l.ready[1:]...)
	return u, true
}

// appendBlock appends a frame that ends at end. One that is older than what was
// written, because it came too late, gets that one's time.
func (l *Live) appendBlock(t *liveTrack, b Block, key bool, end time.Duration) {
	at := max(b.Time.Round(time.Millisecond).Milliseconds(), l.last, 0)
	if t == l.video {
		at = max(at, t.last+1) // a player drops the first of two pictures of one time
	}
	l.endPicture(t, at)
	joint := key && (t == l.video || l.video == nil && len(l.blocks) == 0)
	if l.unitEnds(t, at, key) {
		l.closeUnit()
	}
	if len(l.blocks) == 0 {
		begins := joint || at-l.base > maxGrowth
		if begins {
			l.base = at
		}
		l.unit = Unit{Time: msec(at), Key: joint, Begins: begins, base: l.base}
	}
	if t.last >= 0 {
		t.step = msec(at - t.last)
	}
	l.last, t.last, t.inUnit = at, at, true
	lasts := time.Duration(0)
	if t == l.audio {
		lasts = end - b.Time
	} else if l.timed {
		l.waits = len(l.blocks)
	}
	l.blocks = append(l.blocks, liveBlock{t, at, lasts, key, b.Data})
	l.unit.End = max(end.Round(time.Millisecond), msec(at))
	if l.audio != nil {
		l.unit.End = max(l.filler.End().Round(time.Millisecond), l.unit.Time)
	}
	if l.unitFull(at, end) {
		l.closeUnit()
	}
}

// endPicture tells the picture that waits for it where it ends: with the next one, at
// the time at, or, if sound goes on for long, when a player has ceased to wait.
func (l *Live) endPicture(t *liveTrack, at int64) {
	if l.waits < 0 {
		return
	}
	picture := &l.blocks[l.waits]
	switch lasts := msec(at - picture.at); {
	case t == l.video:
		picture.lasts = lasts
	case lasts > longestWait:
		picture.lasts = pictureDuration
	default:
		return
	}
	l.waits = -1
}

// standsStill tells the picture that waits for the next one that it stands still, if it
// has waited for long and there is no sound that would tell it. Blocks are not told:
// Chromium would play what has not come.
func (l *Live) standsStill() bool {
	if !l.bare || l.waits < 0 {
		return false
	}
	picture := &l.blocks[l.waits]
	if l.passed-msec(picture.at) <= longestWait {
		return false
	}
	picture.lasts, l.waits = pictureDuration, -1
	return true
}

// unitEnds reports whether the open unit is complete ahead of a block at the time at:
// where a Cluster begins, and where the last picture has only now been told its end.
func (l *Live) unitEnds(t *liveTrack, at int64, key bool) bool {
	if len(l.blocks) == 0 {
		return false
	}
	if t == l.video && (key || l.timed && at-l.unit.Time.Milliseconds() >= timedSpan) {
		return true
	}
	return at-l.base > maxGrowth
}

// unitFull reports whether the open unit is complete with a block from at to end.
func (l *Live) unitFull(at int64, end time.Duration) bool {
	if l.waits >= 0 {
		return false
	}
	span := max(at, end.Milliseconds()) - l.unit.Time.Milliseconds()
	if span >= maxUnitSpan {
		return true
	}
	for _, t := range []*liveTrack{l.video, l.audio} {
		if t != nil && !t.inUnit {
			return false
		}
	}
	return span >= unitSpan
}

// closeUnit makes the open unit ready.
func (l *Live) closeUnit() {
	if len(l.blocks) == 0 {
		return
	}
	if l.waits >= 0 { // nothing will tell
		l.blocks[l.waits].lasts = max(l.video.step, time.Millisecond)
		l.waits = -1
	}
	if last := l.blocks[len(l.blocks)-1]; l.timed && l.audio == nil {
		l.unit.End = msec(last.at) + last.lasts
	}
	for _, t := range []*liveTrack{l.video, l.audio} {
		if t != nil {
			t.inUnit = false
		}
	}
	if l.bare {
		l.unit.Samples = l.samples()
	} else {
		l.unit.Blocks = l.render()
	}
	l.ready = append(l.ready, l.unit)
	clear(l.blocks)
	l.unit, l.blocks = Unit{}, l.blocks[:0]
}

// samples returns the frames of the open unit.
func (l *Live) samples() []LiveFrame {
	list := make([]LiveFrame, len(l.blocks))
	for i, b := range l.blocks {
		list[i] = LiveFrame{Track: int(b.track.number) - 1, Time: msec(b.at), Length: b.lasts, Key: b.key, Data: b.data}
	}
	return list
}

// render returns the blocks of the open unit.
func (l *Live) render() []byte {
	size := 0
	for _, b := range l.blocks {
		size += len(b.data) + ebml.MostBlockHead
	}
	out := make([]byte, 0, size)
	for _, b := range l.blocks {
		if l.timed {
			out = ebml.AppendGroup(out, b.track.number, b.at-l.base, uint32(b.lasts.Round(time.Millisecond).Milliseconds()), b.key, b.data)
		} else {
			out = ebml.AppendBlock(out, b.track.number, b.at-l.base, ebml.KeyFlag(b.key), b.data)
		}
	}
	return out
}

func msec(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
