package walk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"weir/recorder/webm/ebml"
)

const (
	// windowBytes is how much is read at once to see the heads of elements. What
	// lies between two heads that are farther apart is never read.
	windowBytes = 4 << 10
	// searchWindow is how much is read at once where every byte has to be seen.
	searchWindow = 64 << 10
)

// Window reads small pieces of a file of a known size, of which it holds one.
type Window struct {
	File io.ReaderAt
	Size int64

	at   int64 // where the window begins
	have int   // bytes in it
	buf  [windowBytes]byte
}

// NewWindow returns a Window of a file of the given size in bytes.
func NewWindow(file io.ReaderAt, size int64) Window { return Window{File: file, Size: size} }

// Peek returns the n bytes at the given place, or fewer if the file ends before;
// n is at most windowBytes. They are valid until the next call. An error wraps
// ErrRead.
func (s *Window) Peek(at int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.Size-at))
	if n <= 0 {
		return nil, nil
	}
	if at < s.at || at+int64(n) > s.at+int64(s.have) {
		s.at, s.have = at, 0
		all := int(min(windowBytes, s.Size-at))
		if err := ReadFull(s.File, s.buf[:all], at); err != nil {
			return nil, err
		}
		s.have = all
	}
	from := int(at - s.at)
	return s.buf[from : from+n], nil
}

// ReadFull fills p from the given place. An error wraps ErrRead.
func ReadFull(file io.ReaderAt, p []byte, at int64) error {
	n, err := file.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // it is shorter than its size
	}
	return fmt.Errorf("%w: %w", ErrRead, err)
}

// Head returns the head of the element at the given place; ok reports whether it is
// whole and valid.
func (s *Window) Head(at int64) (e ebml.Head, ok bool, err error) {
	b, err := s.Peek(at, ebml.MaxHead)
	if err != nil || len(b) == 0 {
		return e, false, err
	}
	for n := 0; ; {
		more, ok := ebml.HeadNeeds(b[:n])
		if !ok || more > len(b)-n {
			return e, false, nil
		}
		if more == 0 {
			e, ok = ebml.ParseHead(b[:n])
			return e, ok, nil
		}
		n += more
	}
}

// uint returns the unsigned integer in the n bytes at the given place; ok is
// false if there are more than 8 or the file ends before.
func (s *Window) uint(at, n int64) (v uint64, ok bool, err error) {
	if n < 0 || n > 8 || at+n > s.Size {
		return 0, false, nil
	}
	b, err := s.Peek(at, int(n))
	if err != nil {
		return 0, false, err
	}
	v, ok = ebml.Uint(b)
	return v, ok, nil
}

// find returns the first place from from to end that begins with the ID of a child
// of the Segment and that good approves; or end.
func (s *Window) find(from, end int64, good func(at int64) (bool, error)) (int64, error) {
	var buf []byte
	for at := from; at+4 <= end; {
		if buf == nil { // most files need none
			buf = make([]byte, searchWindow)
		}
		b := buf[:min(searchWindow, end-at)]
		if err := ReadFull(s.File, b, at); err != nil {
			return 0, err
		}
		for i := 0; i+4 <= len(b); i++ {
			if b[i] > 0x1F || b[i] < 0x10 {
				continue
			}
			if id := ebml.ElementID(binary.BigEndian.Uint32(b[i:])); !id.Outside() || id == ebml.HeaderID || id == ebml.SegmentID {
				continue
			}
			if ok, err := good(at + int64(i)); ok || err != nil {
				return at + int64(i), err
			}
		}
		at += int64(len(b) - 3)
	}
	return end, nil
}
