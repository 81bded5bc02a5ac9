package ebml

import (
	"bytes"
	"strconv"
	"time"
)

// Child is an element inside of a collected one.
type Child struct {
	ID     ElementID
	At     int64 // in the stream
	DataAt int64 // in the stream
	Data   []byte
}

// EachChild calls f for the children of an element whose data are b and begin at
// the offset at. Depth is bounded because each level is a call of its own that
// knows what it may hold; what it does not know it does not enter.
func EachChild(b []byte, at int64, f func(Child) error) error {
	for len(b) > 0 {
		n := 0
		for {
			more, ok := HeadNeeds(b[:n])
			if !ok || more > len(b)-n {
				return ElementID(0).Fail(ErrHeader, at, ReasonNoElement)
			}
			if more == 0 {
				break
			}
			n += more
		}
		e, ok := ParseHead(b[:n])
		switch {
		case !ok:
			return ElementID(0).Fail(ErrHeader, at, ReasonNoElement)
		case e.Unknown:
			return e.ID.Fail(ErrHeader, at, ReasonNoSize)
		case e.Size > int64(len(b)-n):
			return e.ID.Fail(ErrHeader, at, ReasonOverrun)
		}
		end := n + int(e.Size)
		if err := f(Child{e.ID, at, at + int64(n), b[n:end]}); err != nil {
			return err
		}
		b = b[end:]
		at += int64(end)
	}
	return nil
}

// uint returns the child as an unsigned integer of at most limit.
func (c Child) uint(limit uint64) (uint64, error) {
	v, ok := Uint(c.Data)
	if !ok || v > limit {
		return 0, c.ID.Fail(ErrHeader, c.At, "is more than "+strconv.FormatUint(limit, 10))
	}
	return v, nil
}

// text returns the child as a string of at most limit bytes of printable ASCII
// (RFC 8794 section 7.4). It ends at the first zero byte (section 7.5).
func (c Child) text(limit int) (string, error) {
	s, _, _ := bytes.Cut(c.Data, []byte{0})
	if len(s) > limit {
		return "", c.ID.Fail(ErrHeader, c.At, "is too long")
	}
	for _, b := range s {
		if b < ' ' || b > '~' {
			return "", c.ID.Fail(ErrHeader, c.At, "has bytes that are not printable ASCII")
		}
	}
	return string(s), nil
}

// tick returns the child, a TimestampScale, as the duration of a tick.
func (c Child) tick() (time.Duration, error) {
	v, err := c.uint(uint64(maxTick))
	if err == nil && v == 0 {
		err = c.ID.Fail(ErrHeader, c.At, "is zero")
	}
	return time.Duration(v), err
}

// DefaultTick is what a tick is without a TimestampScale.
const DefaultTick = time.Millisecond
