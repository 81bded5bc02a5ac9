package repair_test

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/repair"
	"weir/recorder/webm/webmtest"
)

// endless is a recording that was not finished, as long as it is asked to be: its
// header, and then the same Clusters of a minute again and again, with other times.
type endless struct {
	header, minute []byte
	size           int64
	starts         []int   // of the Timestamps' values in minute
	times          []int64 // what they are, ms
}

// newEndless returns hours of the frames of a minute.
func newEndless(t testing.TB, hours int, frames []webmtest.Fed) *endless {
	t.Helper()
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	e := &endless{header: bytes.Clone(f.B)}
	webmtest.Feed(t, w, frames)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	e.minute = f.B[len(e.header):]
	for at := 0; ; {
		n := bytes.Index(e.minute[at:], ebml.AppendID(nil, ebml.ClusterID))
		if n < 0 {
			break
		}
		at += n + ebml.ClusterHead + 2
		ms, _ := ebml.Uint(e.minute[at : at+5])
		e.starts, e.times = append(e.starts, at), append(e.times, int64(ms))
	}
	e.size = int64(len(e.header)) + int64(hours)*60*int64(len(e.minute))
	return e
}

// ReadAt gives what is there; of a minute it changes the times of its Clusters.
func (e *endless) ReadAt(p []byte, at int64) (n int, err error) {
	if at < int64(len(e.header)) {
		n = copy(p, e.header[at:])
	}
	for n < len(p) && at+int64(n) < e.size {
		from := at + int64(n) - int64(len(e.header))
		minute, off := from/int64(len(e.minute)), int(from%int64(len(e.minute)))
		c := copy(p[n:], e.minute[off:])
		for i := sort.SearchInts(e.starts, off-4); i < len(e.starts) && e.starts[i] < off+c; i++ {
			for j := range 5 {
				if at := e.starts[i] + j - off; 0 <= at && at < c {
					p[n+at] = byte((minute*60000 + e.times[i]) >> (8 * (4 - j)))
				}
			}
		}
		n += c
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// hourOfVideo returns an hour of 2.5 Mbit/s: 1.1 GB.
func hourOfVideo(t testing.TB) *endless {
	frames := webmtest.Interleaved(time.Minute)
	frame := make([]byte, 2_500_000/8/30)
	for i := range frames {
		if frames[i].Track == webmtest.VideoTrack {
			frames[i].Data = frame
		}
	}
	return newEndless(t, 1, frames)
}

// overlay is an endless file that takes writes, and looks at the memory in use when
// the header is written: after both walks.
type overlay struct {
	*endless
	header int64
	live   uint64
}

func (o *overlay) WriteAt(p []byte, at int64) (int, error) {
	if at < o.header && o.live == 0 {
		o.live = liveMemory()
	}
	return len(p), nil
}

func (o *overlay) Truncate(int64) error { return nil }

func liveMemory() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestRepairBoundsMemory repairs 12 hours of which every frame is a keyframe.
func TestRepairBoundsMemory(t *testing.T) {
	var frames []webmtest.Fed
	for i := range 600 {
		frames = append(frames, webmtest.Ms(webmtest.VideoTrack, i*100, true))
	}
	e := newEndless(t, 12, frames)
	before := liveMemory()
	o := &overlay{endless: e, header: int64(len(e.header))}
	r, err := repair.Repair(o, e.size)
	if err != nil || r.Duration.Round(time.Second) != 12*time.Hour || r.Keyframes != 12*36000 || r.Indexed {
		t.Errorf("%v, %+v", err, r)
	}
	if n := int64(o.live - before); o.live == 0 || n > 4<<20 {
		t.Errorf("%d bytes are in use", n)
	}
}

// onFile writes e to a file.
func (e *endless) onFile(b *testing.B) *os.File {
	f, err := os.Create(filepath.Join(b.TempDir(), "t.webm"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { f.Close() })
	if _, err := io.Copy(f, io.NewSectionReader(e, 0, e.size)); err != nil {
		b.Fatal(err)
	}
	return f
}

// BenchmarkVerify reads an hour from a file that is in the cache.
func BenchmarkVerify(b *testing.B) {
	e := hourOfVideo(b)
	f := e.onFile(b)
	b.SetBytes(e.size)
	b.ReportAllocs()
	for b.Loop() {
		if r, err := repair.Verify(f, e.size); err != nil || r.Keyframes != 3600 {
			b.Fatal(err)
		}
	}
}

// BenchmarkRepair is that, and repairs it each time as if it were the first.
func BenchmarkRepair(b *testing.B) {
	e := hourOfVideo(b)
	f := e.onFile(b)
	b.SetBytes(e.size)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		if _, err := io.Copy(io.NewOffsetWriter(f, 0), io.NewSectionReader(e, 0, e.size)); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if r, err := repair.Repair(f, e.size); err != nil || r.Clean {
			b.Fatal(err)
		}
	}
}
