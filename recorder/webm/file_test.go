package webm

import (
	"errors"
	"testing"
	"time"

	"weir/sfu/media"
)

var errDisk = errors.New("disk is full")

// memFile is a File in memory that can fail or stop.
type memFile struct {
	b       []byte
	calls   int
	failAt  int   // the call, counted from one, that fails; 0 for none
	half    bool  // the failing call writes half of its data first, if it is a Write
	short   bool  // the failing call says so only by its count
	patches []int // the number of calls before each WriteAt
	sealed  int   // how many calls of WriteAt take effect, if > 0; the rest is lost
	ends    []int // the length of the file after each Write
}

func (f *memFile) fail(p []byte) (int, error, bool) {
	f.calls++
	if f.failAt == 0 || f.calls < f.failAt {
		return 0, nil, false
	}
	n := 0
	if f.half {
		n = len(p) / 2
	}
	if f.short {
		return n, nil, true
	}
	return n, errDisk, true
}

func (f *memFile) Write(p []byte) (int, error) {
	if n, err, failed := f.fail(p); failed {
		f.b = append(f.b, p[:n]...)
		return n, err
	}
	f.b = append(f.b, p...)
	f.ends = append(f.ends, len(f.b))
	return len(p), nil
}

func (f *memFile) WriteAt(p []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(p)) > int64(len(f.b)) {
		return 0, errors.New("positioned write outside of the file")
	}
	// A few bytes within a page of memory are written wholly or not at all.
	if _, err, failed := f.fail(nil); failed {
		return 0, err
	}
	f.patches = append(f.patches, f.calls)
	if f.sealed > 0 && len(f.patches) > f.sealed {
		return len(p), nil
	}
	copy(f.b[at:], p)
	return len(p), nil
}

// fed is a frame given to a Writer, and what is expected of it in the file.
type fed struct {
	track int
	Block
}

const (
	audioTrack = 0
	videoTrack = 1
)

// avTracks declares one track of each kind.
func avTracks() []TrackEntry {
	return []TrackEntry{
		{Codec: media.Opus, Name: "audio"},
		{Codec: media.VP8, Name: "video", Width: 320, Height: 240},
	}
}

// vp8 returns bytes that begin like a VP8 frame (RFC 6386 section 9.1) and go on
// in a way that differs from frame to frame.
func vp8(i int, key bool, n int) []byte {
	b := make([]byte, n)
	for j := range b {
		b[j] = byte(i*31 + j*7)
	}
	b[0] |= 1
	if key {
		b[0] &^= 1
		copy(b[3:], "\x9d\x01\x2a\x40\x01\xf0\x00") // 320 by 240
	}
	return b
}

// opus returns bytes that begin like an Opus packet of 20 ms.
func opus(i, n int) []byte {
	b := vp8(i, false, n)
	b[0] = 0xFC
	return b
}

// interleaved returns d of audio, 20 ms each, and video, 30 a second and a
// keyframe each second, in the order of their times.
func interleaved(d time.Duration) []fed {
	var out []fed
	a, v := 0, 0
	for {
		at, vt := time.Duration(a)*20*time.Millisecond, time.Duration(v)*time.Second/30
		if at >= d && vt >= d {
			return out
		}
		if vt <= at {
			key := v%30 == 0
			n := 200
			if key {
				n = 1200
			}
			out = append(out, fed{videoTrack, Block{Time: vt, Sync: key, Data: vp8(v, key, n)}})
			v++
			continue
		}
		out = append(out, fed{audioTrack, Block{Time: at, Sync: true, Data: opus(a, 80)}})
		a++
	}
}

// feed writes frames and fails the test at the first error.
func feed(t testing.TB, w *Writer, frames []fed) {
	t.Helper()
	for i, f := range frames {
		if err := w.WriteFrame(f.track, f.Block); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
}

// newWriter returns a Writer into a new memFile.
func newWriter(t testing.TB, c Config, tracks []TrackEntry) (*Writer, *memFile) {
	t.Helper()
	f := &memFile{}
	w, err := NewWriter(f, c, tracks)
	if err != nil {
		t.Fatal(err)
	}
	return w, f
}

// written returns a finished file.
func written(t testing.TB, c Config, tracks []TrackEntry, frames []fed) []byte {
	t.Helper()
	w, f := newWriter(t, c, tracks)
	feed(t, w, frames)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return f.b
}
