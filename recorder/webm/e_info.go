package webm

import (
	"encoding/binary"
	"math"
	"time"
)

// Info is what an Info element says (RFC 9559 section 5.1.2), and where.
type Info struct {
	tick      time.Duration // what timestamps count (TimestampScale)
	scaled    bool          // it has a TimestampScale
	muxingApp string
	duration  durationPlace
}

// durationPlace is where the Duration is or could be.
type durationPlace struct {
	at    int64   // of the Duration, or of a Void in Info that can hold one; 0 if none
	void  int     // length of that Void; 0 if it is a Duration
	bytes int     // of the Duration's value, 4 or 8; 0 if there is none
	value float64 // in ticks
	crc   int64   // of Info's CRC-32; 0 if none
}

// parseInfo parses the data of an Info that begin at the offset at. An error wraps
// ErrHeader and comes with what precedes the place that it is about; there may be a
// TimestampScale, so that times can be told.
func parseInfo(data []byte, at int64) (Info, error) {
	info := Info{tick: defaultTick}
	d := &info.duration
	err := eachChild(data, at, func(c child) (err error) {
		total := int(c.dataAt-c.at) + len(c.data)
		switch {
		case c.id == timestampScaleID:
			info.tick, err = c.tick()
			info.scaled = true
		case c.id == muxingAppID:
			info.muxingApp = string(c.data)
		case c.id == crc32ID:
			d.crc = c.at
		case c.id == durationID && len(c.data) == 8:
			d.at, d.void, d.bytes = c.at, 0, 8
			d.value = math.Float64frombits(binary.BigEndian.Uint64(c.data))
		case c.id == durationID && len(c.data) == 4:
			d.at, d.void, d.bytes = c.at, 0, 4
			d.value = float64(math.Float32frombits(binary.BigEndian.Uint32(c.data)))
		case c.id == voidID && d.bytes == 0 && c.dataAt-c.at == 2 && (total == durationBytes || total >= durationBytes+2):
			d.at, d.void = c.at, total
		}
		return err
	})
	return info, err
}

// length returns the Duration, or 0 if there is none that can be right.
func (i *Info) length() time.Duration {
	if v := i.duration.value * float64(i.tick); i.duration.bytes > 0 && v > 0 && v < float64(maxTime) {
		return time.Duration(v)
	}
	return 0
}
