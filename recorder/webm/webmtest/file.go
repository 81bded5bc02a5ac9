package webmtest

import (
	"errors"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/sfu/media"
)

var ErrDisk = errors.New("disk is full")

// MemFile is a File in memory that can fail or stop.
type MemFile struct {
	B       []byte
	Calls   int
	FailAt  int   // the call, counted from one, that fails; 0 for none
	Half    bool  // the failing call writes half of its data first, if it is a Write
	Short   bool  // the failing call says so only by its count
	Patches []int // the number of calls before each WriteAt
	Sealed  int   // how many calls of WriteAt take effect, if > 0; the rest is lost
	Ends    []int // the length of the file after each Write
}

func (f *MemFile) fail(p []byte) (int, error, bool) {
	f.Calls++
	if f.FailAt == 0 || f.Calls < f.FailAt {
		return 0, nil, false
	}
	n := 0
	if f.Half {
		n = len(p) / 2
	}
	if f.Short {
		return n, nil, true
	}
	return n, ErrDisk, true
}

func (f *MemFile) Write(p []byte) (int, error) {
	if n, err, failed := f.fail(p); failed {
		f.B = append(f.B, p[:n]...)
		return n, err
	}
	f.B = append(f.B, p...)
	f.Ends = append(f.Ends, len(f.B))
	return len(p), nil
}

func (f *MemFile) WriteAt(p []byte, at int64) (int, error) {
	if at < 0 || at+int64(len(p)) > int64(len(f.B)) {
		return 0, errors.New("positioned write outside of the file")
	}
	// A few bytes within a page of memory are written wholly or not at all.
	if _, err, failed := f.fail(nil); failed {
		return 0, err
	}
	f.Patches = append(f.Patches, f.Calls)
	if f.Sealed > 0 && len(f.Patches) > f.Sealed {
		return len(p), nil
	}
	copy(f.B[at:], p)
	return len(p), nil
}

// Fed is a frame given to a Writer, and what is expected of it in the file.
type Fed struct {
	Track int
	webm.Block
}

const (
	AudioTrack = 0
	VideoTrack = 1
)

// AVTracks declares one track of each kind.
func AVTracks() []ebml.TrackEntry {
	return []ebml.TrackEntry{
		{Codec: media.Opus, Name: "audio"},
		{Codec: media.VP8, Name: "video", Width: 320, Height: 240},
	}
}

// VP8 returns bytes that begin like a VP8 frame (RFC 6386 section 9.1) and go on
// in a way that differs from frame to frame.
func VP8(i int, key bool, n int) []byte {
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

// Opus returns bytes that begin like an Opus packet of 20 ms.
func Opus(i, n int) []byte {
	b := VP8(i, false, n)
	b[0] = 0xFC
	return b
}

// Interleaved returns d of audio, 20 ms each, and video, 30 a second and a
// keyframe each second, in the order of their times.
func Interleaved(d time.Duration) []Fed {
	var out []Fed
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
			out = append(out, Fed{VideoTrack, webm.Block{Time: vt, Sync: key, Data: VP8(v, key, n)}})
			v++
			continue
		}
		out = append(out, Fed{AudioTrack, webm.Block{Time: at, Sync: true, Data: Opus(a, 80)}})
		a++
	}
}

// Feed writes frames and fails the test at the first error.
func Feed(t testing.TB, w *webm.Writer, frames []Fed) {
	t.Helper()
	for i, f := range frames {
		if err := w.WriteFrame(f.Track, f.Block); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
}

// NewWriter returns a Writer into a new memFile.
func NewWriter(t testing.TB, c webm.Config, tracks []ebml.TrackEntry) (*webm.Writer, *MemFile) {
	t.Helper()
	f := &MemFile{}
	w, err := webm.NewWriter(f, c, tracks)
	if err != nil {
		t.Fatal(err)
	}
	return w, f
}

// Written returns a finished file.
func Written(t testing.TB, c webm.Config, tracks []ebml.TrackEntry, frames []Fed) []byte {
	t.Helper()
	w, f := NewWriter(t, c, tracks)
	Feed(t, w, frames)
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	return f.B
}
