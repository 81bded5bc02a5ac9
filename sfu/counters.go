package sfu

import (
	"math"
	"sync/atomic"
	"time"

	"weir/sfu/codec"
	"weir/sfu/media"
)

// trackCounters counts what a track's writer and its conversion do. All fields
// are atomic.
type trackCounters struct {
	packets    atomic.Uint64 // written: packets, or frames if the source writes those
	bytes      atomic.Uint64 // of payload
	keyframes  atomic.Uint64
	duplicates atomic.Uint64
	late       atomic.Uint64
	badReports atomic.Uint64
	size       atomic.Uint64 // width<<32 | height of the newest keyframe
	lost       atomic.Uint64 // packets that the depacketizer missed
	dropped    atomic.Uint64 // frames that the depacketizer dropped
	cutOff     atomic.Uint64 // of these, frames that their sender cut off
	repaired   atomic.Uint64
	gates      atomic.Uint64
	clock      clockCounters
}

// The rate of a track's clock: 0 is unknown.
const (
	rateKnown = 1 + iota
	rateWrong
)

func (c *trackCounters) losses() codec.Losses {
	return codec.Losses{Packets: c.lost.Load(), Frames: c.dropped.Load(), CutOff: c.cutOff.Load()}
}

// setLosses notes what a conversion has lost, and what those before it had.
func (c *trackCounters) setLosses(before, l codec.Losses) {
	c.lost.Store(before.Packets + l.Packets)
	c.dropped.Store(before.Frames + l.Frames)
	c.cutOff.Store(before.CutOff + l.CutOff)
}

// keyframe counts a keyframe and notes its size, if it tells one.
func (c *trackCounters) keyframe(width, height int) {
	c.keyframes.Add(1)
	if width > 0 && height > 0 {
		c.size.Store(uint64(width)<<32 | uint64(height))
	}
}

// clockCounters is what was last told of the publisher's clock.
type clockCounters struct {
	reports atomic.Int64
	first   atomic.Int64  // the instant of the first one
	off     atomic.Int64  // SyncStats.Off
	rate    atomic.Uint32 // rateKnown, rateWrong
	skew    atomic.Uint64 // SyncStats.SkewPPM, bits of a float64
}

// set notes what is known of the clock now. A known rate counts until another one is
// known.
func (c *clockCounters) set(s media.ClockStats) {
	c.reports.Store(int64(s.Reports))
	if s.Reports > 0 {
		c.first.Store(int64(s.First))
		c.off.Store(int64(s.Off))
	}
	if !s.RateKnown {
		return
	}
	c.skew.Store(math.Float64bits(s.SkewPPM))
	if s.WrongRate {
		c.rate.Store(rateWrong)
	} else {
		c.rate.Store(rateKnown)
	}
}

// syncStats returns what is known of the clock of the track.
func (t *Track) syncStats() SyncStats {
	c := &t.counters.clock
	rate := c.rate.Load()
	stats := SyncStats{
		Reports: int(c.reports.Load()), Off: time.Duration(c.off.Load()),
		RateKnown: rate != 0, WrongRate: rate == rateWrong, SkewPPM: math.Float64frombits(c.skew.Load()),
	}
	if first := c.first.Load(); first != 0 {
		stats.First = t.stream.started.Add(time.Duration(first))
	}
	return stats
}

// TrackStats is a snapshot of a track.
type TrackStats struct {
	Info          media.TrackInfo
	Width, Height int    // of the newest keyframe; 0 when not known
	Packets       uint64 // received: packets, or frames if the source sends those
	Bytes         uint64 // payload
	Keyframes     uint64
	Duplicates    uint64 // packets that came twice
	Late          uint64 // packets that came too late to be of use
	BadReports    uint64 // sender reports that contradicted the packets
	Lost          uint64 // packets that never came, as far as frames were asked for
	Dropped       uint64 // frames dropped for it, or because their sender cut them off
	CutOff        uint64 // of these, the latter: no packet of them is missing
	Repaired      uint64 // packets that were lost and came again
	Gates         uint64 // how often the depacketizer had to wait for a keyframe
	Sync          SyncStats
}

// SyncStats tells how a track's clock runs, and what sender reports say of it.
type SyncStats struct {
	Reports int       // used so far
	First   time.Time // when the first of them was
	// RateKnown reports whether the rate of the publisher's RTP clock is known, which
	// arrival tells too, in time. SkewPPM is how much faster than ours, in parts per
	// million.
	RateKnown bool
	SkewPPM   float64
	// WrongRate reports whether this is more than any clock is off by: media are taken
	// for another rate than they have.
	WrongRate bool
	// Off is how far the newest report places the track from where it is placed,
	// which it will slowly move from.
	Off time.Duration
}

// Stats returns a snapshot of the track's counters.
func (t *Track) Stats() TrackStats {
	c := &t.counters
	size := c.size.Load()
	return TrackStats{
		Info:  t.info,
		Width: int(size >> 32), Height: int(size & (1<<32 - 1)),
		Packets: c.packets.Load(), Bytes: c.bytes.Load(), Keyframes: c.keyframes.Load(),
		Duplicates: c.duplicates.Load(), Late: c.late.Load(), BadReports: c.badReports.Load(),
		Lost: c.lost.Load(), Dropped: c.dropped.Load(), CutOff: c.cutOff.Load(), Repaired: c.repaired.Load(), Gates: c.gates.Load(),
		Sync: t.syncStats(),
	}
}

// sizeOf returns the size of the picture that begins with p, 0 if it is not told.
func sizeOf(f codec.Format, p *media.Packet) (width, height int) {
	for _, sets := range p.Ahead {
		if w, h := f.SetSize(sets); w > 0 {
			width, height = w, h
		}
	}
	if width == 0 {
		where := f.Inspect(p.Payload)
		width, height = where.Width, where.Height
	}
	return width, height
}
