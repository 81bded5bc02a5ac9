package webmtest

import (
	"errors"
	"io"
)

// RepairMem is a RepairFile in memory that can fail.
type RepairMem struct {
	B      []byte
	Calls  int
	FailAt int // the call that fails, counted from one; 0 for none
	Torn   int // the part of the failing write that reaches the file: one of so many; 0 for nothing
}

func (f *RepairMem) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 || at >= int64(len(f.B)) {
		return 0, io.EOF
	}
	n := copy(p, f.B[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *RepairMem) fails() bool {
	f.Calls++
	return f.FailAt > 0 && f.Calls >= f.FailAt
}

func (f *RepairMem) WriteAt(p []byte, at int64) (int, error) {
	var err error
	if f.fails() {
		if f.Torn == 0 || f.Calls > f.FailAt {
			return 0, ErrDisk
		}
		p, err = p[:len(p)/f.Torn], ErrDisk
	}
	if at > int64(len(f.B)) {
		return 0, errors.New("write behind the end of the file")
	}
	if more := at + int64(len(p)) - int64(len(f.B)); more > 0 {
		f.B = append(f.B, make([]byte, more)...)
	}
	return copy(f.B[at:], p), err
}

func (f *RepairMem) Truncate(n int64) error {
	if f.fails() {
		return ErrDisk
	}
	if n > int64(len(f.B)) {
		return errors.New("truncate behind the end of the file")
	}
	f.B = f.B[:n]
	return nil
}
