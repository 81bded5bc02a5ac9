package ebml

import (
	"encoding/binary"
	"math"
	"time"
)

// Info is what an Info element says (RFC 9559 section 5.1.2), and where.
type Info struct {
	Tick      time.Duration // what timestamps count (TimestampScale)
	Scaled    bool          // it has a TimestampScale
	MuxingApp string
	Duration  DurationPlace
}

// DurationPlace is where the Duration is or could be.
type DurationPlace struct {
	At    int64   // of the Duration, or of a Void in Info that can hold one; 0 if none
	Void  int     // length of that Void; 0 if it is a Duration
	Bytes int     // of the Duration's value, 4 or 8; 0 if there is none
	Value float64 // in ticks
	CRC   int64   // of Info's CRC-32; 0 if none
}

// ParseInfo parses the data of an Info that begin at the offset at. An error wraps
// ErrHeader and comes with what precedes the place that it is about; there may be a
// TimestampScale, so that times can be told.
func ParseInfo(data []byte, at int64) (Info, error) {
	info := Info{Tick: DefaultTick}
	d := &info.Duration
	err := EachChild(data, at, func(c Child) (err error) {
		total := int(c.DataAt-c.At) + len(c.Data)
		switch {
		case c.ID == TimestampScaleID:
			info.Tick, err = c.tick()
			info.Scaled = true
		case c.ID == MuxingAppID:
			info.MuxingApp = string(c.Data)
		case c.ID == CRC32ID:
			d.CRC = c.At
		case c.ID == DurationID && len(c.Data) == 8:
			d.At, d.Void, d.Bytes = c.At, 0, 8
			d.Value = math.Float64frombits(binary.BigEndian.Uint64(c.Data))
		case c.ID == DurationID && len(c.Data) == 4:
			d.At, d.Void, d.Bytes = c.At, 0, 4
			d.Value = float64(math.Float32frombits(binary.BigEndian.Uint32(c.Data)))
		case c.ID == VoidID && d.Bytes == 0 && c.DataAt-c.At == 2 && (total == DurationBytes || total >= DurationBytes+2):
			d.At, d.Void = c.At, total
		}
		return err
	})
	return info, err
}

// Length returns the Duration, or 0 if there is none that can be right.
func (i *Info) Length() time.Duration {
	if v := i.Duration.Value * float64(i.Tick); i.Duration.Bytes > 0 && v > 0 && v < float64(MaxTime) {
		return time.Duration(v)
	}
	return 0
}
