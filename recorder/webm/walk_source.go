package webm

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	// sourceWindow is how much is read at once to see the heads of elements. What
	// lies between two heads that are farther apart is never read.
	sourceWindow = 4 << 10
	// searchWindow is how much is read at once where every byte has to be seen.
	searchWindow = 64 << 10
)

// source reads small pieces of a file of a known size through a window.
type source struct {
	file io.ReaderAt
	size int64

	at   int64 // where the window begins
	have int   // bytes in it
	buf  [sourceWindow]byte
}

// peek returns the n bytes at the given place, or fewer if the file ends before;
// n is at most sourceWindow. They are valid until the next call. An error wraps
// ErrRead.
func (s *source) peek(at int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.size-at))
	if n <= 0 {
		return nil, nil
	}
	if at < s.at || at+int64(n) > s.at+int64(s.have) {
		s.at, s.have = at, 0
		all := int(min(sourceWindow, s.size-at))
		if err := readFull(s.file, s.buf[:all], at); err != nil {
			return nil, err
		}
		s.have = all
	}
	from := int(at - s.at)
	return s.buf[from : from+n], nil
}

// readFull fills p from the given place. An error wraps ErrRead.
func readFull(file io.ReaderAt, p []byte, at int64) error {
	n, err := file.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF // it is shorter than its size
	}
	return fmt.Errorf("%w: %w", ErrRead, err)
}

// head returns the head of the element at the given place; ok says that it is
// whole and valid.
func (s *source) head(at int64) (e elementHead, ok bool, err error) {
	b, err := s.peek(at, maxHead)
	if err != nil || len(b) == 0 {
		return e, false, err
	}
	for n := 0; ; {
		more, ok := headNeeds(b[:n])
		if !ok || more > len(b)-n {
			return e, false, nil
		}
		if more == 0 {
			e, ok = parseHead(b[:n])
			return e, ok, nil
		}
		n += more
	}
}

// uint returns the unsigned integer in the n bytes at the given place; ok is
// false if there are more than 8 or the file ends before.
func (s *source) uint(at, n int64) (v uint64, ok bool, err error) {
	if n < 0 || n > 8 || at+n > s.size {
		return 0, false, nil
	}
	b, err := s.peek(at, int(n))
	if err != nil {
		return 0, false, err
	}
	v, ok = bigEndian(b)
	return v, ok, nil
}

// find returns the first place from from to end that begins with the ID of a child
// of the Segment and that good approves; or end.
func (s *source) find(from, end int64, good func(at int64) (bool, error)) (int64, error) {
	var buf []byte
	for at := from; at+4 <= end; {
		if buf == nil { // most files need none
			buf = make([]byte, searchWindow)
		}
		b := buf[:min(searchWindow, end-at)]
		if err := readFull(s.file, b, at); err != nil {
			return 0, err
		}
		for i := 0; i+4 <= len(b); i++ {
			if b[i] > 0x1F || b[i] < 0x10 {
				continue
			}
			if id := ElementID(binary.BigEndian.Uint32(b[i:])); !id.outside() || id == ebmlID || id == segmentID {
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
