package webm

import (
	"bytes"
	"strconv"
	"time"
)

// child is an element inside of a collected one.
type child struct {
	id     ElementID
	at     int64 // in the stream
	dataAt int64 // in the stream
	data   []byte
}

// eachChild calls f for the children of an element whose data are b and begin at
// the offset at. Depth is bounded because each level is a call of its own that
// knows what it may hold; what it does not know it does not enter.
func eachChild(b []byte, at int64, f func(child) error) error {
	for len(b) > 0 {
		n := 0
		for {
			more, ok := headNeeds(b[:n])
			if !ok || more > len(b)-n {
				return ElementID(0).fail(ErrHeader, at, reasonNoElement)
			}
			if more == 0 {
				break
			}
			n += more
		}
		e, ok := parseHead(b[:n])
		switch {
		case !ok:
			return ElementID(0).fail(ErrHeader, at, reasonNoElement)
		case e.unknown:
			return e.id.fail(ErrHeader, at, reasonNoSize)
		case e.size > int64(len(b)-n):
			return e.id.fail(ErrHeader, at, reasonOverrun)
		}
		end := n + int(e.size)
		if err := f(child{e.id, at, at + int64(n), b[n:end]}); err != nil {
			return err
		}
		b = b[end:]
		at += int64(end)
	}
	return nil
}

// uint returns the child as an unsigned integer of at most limit.
func (c child) uint(limit uint64) (uint64, error) {
	v, ok := bigEndian(c.data)
	if !ok || v > limit {
		return 0, c.id.fail(ErrHeader, c.at, "is more than "+strconv.FormatUint(limit, 10))
	}
	return v, nil
}

// text returns the child as a string of at most limit bytes of printable ASCII
// (RFC 8794 section 7.4). It ends at the first zero byte (section 7.5).
func (c child) text(limit int) (string, error) {
	s, _, _ := bytes.Cut(c.data, []byte{0})
	if len(s) > limit {
		return "", c.id.fail(ErrHeader, c.at, "is too long")
	}
	for _, b := range s {
		if b < ' ' || b > '~' {
			return "", c.id.fail(ErrHeader, c.at, "has bytes that are not printable ASCII")
		}
	}
	return string(s), nil
}

// tick returns the child, a TimestampScale, as the duration of a tick.
func (c child) tick() (time.Duration, error) {
	v, err := c.uint(uint64(maxTick))
	if err == nil && v == 0 {
		err = c.id.fail(ErrHeader, c.at, "is zero")
	}
	return time.Duration(v), err
}

// defaultTick is what a tick is without a TimestampScale.
const defaultTick = time.Millisecond
