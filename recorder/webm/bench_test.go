package webm

import (
	"fmt"
	"testing"
	"time"

	"github.com/at-wat/ebml-go/mkvcore"
	"github.com/at-wat/ebml-go/webm"
)

// discard is a File that keeps nothing.
type discard struct{}

func (discard) Write(p []byte) (int, error)            { return len(p), nil }
func (discard) WriteAt(p []byte, _ int64) (int, error) { return len(p), nil }
func (discard) Close() error                           { return nil }

// paced returns Blocks of n bytes of a track, 20 ms apart, the first and each
// hundredth a keyframe.
func paced(n int) func() Block {
	data, i := make([]byte, n), -1
	return func() Block {
		i++
		return Block{Time: time.Duration(i) * 20 * time.Millisecond, Sync: i%100 == 0, Data: data}
	}
}

func TestWriteFrameDoesNotAllocate(t *testing.T) {
	for _, n := range []int{100, 1000, 10000, 100000} {
		w, err := NewWriter(discard{}, Config{}, avTracks())
		if err != nil {
			t.Fatal(err)
		}
		next := paced(n)
		write := func() {
			if err := w.WriteFrame(videoTrack, next()); err != nil {
				t.Fatal(err)
			}
		}
		// The lists of Clusters and cues grow now and then, by doubling: make room
		// for what the test writes.
		w.clusters, w.index.video = make([]uint32, 0, 1000), make([]cue, 0, 1000)
		for range 1000 {
			write()
		}
		if a := testing.AllocsPerRun(10000, write); a != 0 {
			t.Errorf("%v allocations per frame of %d bytes", a, n)
		}
	}
}

func BenchmarkWriteFrame(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprintf("weir/%d", n), func(b *testing.B) {
			w, err := NewWriter(discard{}, Config{}, avTracks())
			if err != nil {
				b.Fatal(err)
			}
			next := paced(n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WriteFrame(videoTrack, next()); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Finish(); err != nil {
				b.Fatal(err)
			}
		})
		b.Run(fmt.Sprintf("ebml-go/%d", n), func(b *testing.B) {
			ws, err := webm.NewSimpleBlockWriter(discard{}, []webm.TrackEntry{
				{TrackNumber: 1, TrackUID: 1, CodecID: "V_VP8", TrackType: 1, Video: &webm.Video{PixelWidth: 320, PixelHeight: 240}},
			}, mkvcore.WithBlockInterceptor(nil), mkvcore.WithSegmentInfo(&webm.Info{TimecodeScale: 1e6}))
			if err != nil {
				b.Fatal(err)
			}
			next := paced(n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				f := next()
				if _, err := ws[0].Write(f.Sync, f.Time.Milliseconds(), f.Data); err != nil {
					b.Fatal(err)
				}
			}
			if err := ws[0].Close(); err != nil {
				b.Fatal(err)
			}
		})
	}
}
