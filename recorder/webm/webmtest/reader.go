package webmtest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
)

// Received is a Receiver that keeps all it is given.
type Received struct {
	Headers []read.Header
	Frames  []read.Frame
	Damages []ebml.Damage
	Order   []byte // h, f and d, as they came
	Refuse  error  // what Frame returns, if not nil
}

func (r *Received) Header(h read.Header) error {
	r.Headers, r.Order = append(r.Headers, h), append(r.Order, 'h')
	return nil
}

func (r *Received) Frame(f read.Frame) error {
	if len(f.Data) == 0 || cap(f.Data) != len(f.Data) {
		return fmt.Errorf("data of %d bytes, room for %d", len(f.Data), cap(f.Data))
	}
	r.Frames, r.Order = append(r.Frames, f), append(r.Order, 'f')
	return r.Refuse
}

func (r *Received) Damage(d ebml.Damage) {
	r.Damages, r.Order = append(r.Damages, d), append(r.Order, 'd')
}

// Slack is the most that a Reader with the default bounds may hold.
const Slack = 8<<20 + 2<<20

// ReadAll pushes b in pieces of the given sizes, the last as often as needed, and
// closes the Reader. The error is that of the first call that failed.
func ReadAll(t testing.TB, c read.Config, b []byte, sizes ...int) (Received, error) {
	t.Helper()
	var got Received
	r := read.NewReader(&got, c)
	for i, rest := 0, b; len(rest) > 0; i++ {
		n := len(rest)
		if len(sizes) > 0 {
			n = min(n, sizes[min(i, len(sizes)-1)])
		}
		piece := bytes.Clone(rest[:n])
		err := r.Push(piece)
		clear(piece) // it must not be kept
		if r.Buffered() > Slack {
			t.Fatalf("%d bytes are held", r.Buffered())
		}
		if err != nil {
			if again := r.Push([]byte{1}); again != err || r.Close() != err || r.Buffered() != 0 {
				t.Fatalf("after %v: %v, %d bytes held", err, again, r.Buffered())
			}
			return got, err
		}
		rest = rest[n:]
	}
	err := r.Close()
	if again := r.Close(); again != err {
		t.Fatalf("closed again: %v, not %v", again, err)
	}
	if err == nil && !errors.Is(r.Push(nil), read.ErrClosed) {
		t.Fatal("a closed reader goes on")
	}
	return got, err
}

// MustReadAll is readAll of a stream without errors and damage.
func MustReadAll(t testing.TB, b []byte, sizes ...int) Received {
	t.Helper()
	got, err := ReadAll(t, read.Config{}, b, sizes...)
	if err != nil || len(got.Damages) > 0 {
		t.Fatalf("%v, damage %v", err, got.Damages)
	}
	return got
}

// Want requires that frames were read whose data are the strings, in order.
func (r *Received) Want(t testing.TB, data ...string) {
	t.Helper()
	var have []string
	for _, f := range r.Frames {
		have = append(have, string(f.Data))
	}
	if strings.Join(have, "|") != strings.Join(data, "|") {
		t.Fatalf("frames %q, want %q; damage %v", have, data, r.Damages)
	}
}
