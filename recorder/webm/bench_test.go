package webm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/at-wat/ebml-go/mkvcore"
	ebmlgo "github.com/at-wat/ebml-go/webm"

	"weir/recorder/webm"
	"weir/recorder/webm/webmtest"
)

// paced returns Blocks of n bytes of a track, 20 ms apart, the first and each
// hundredth a keyframe.
func paced(n int) func() webm.Block {
	data, i := make([]byte, n), -1
	return func() webm.Block {
		i++
		return webm.Block{Time: time.Duration(i) * 20 * time.Millisecond, Sync: i%100 == 0, Data: data}
	}
}

func TestWriteFrameDoesNotAllocate(t *testing.T) {
	for _, n := range []int{100, 1000, 10000, 100000} {
		w, err := webm.NewWriter(webmtest.Discard{}, webm.Config{}, webmtest.AVTracks())
		if err != nil {
			t.Fatal(err)
		}
		next := paced(n)
		write := func() {
			if err := w.WriteFrame(webmtest.VideoTrack, next()); err != nil {
				t.Fatal(err)
			}
		}
		// The lists of Clusters and cues grow now and then, by doubling: make room
		// for what the test writes.
		w.Reserve(1000)
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
			w, err := webm.NewWriter(webmtest.Discard{}, webm.Config{}, webmtest.AVTracks())
			if err != nil {
				b.Fatal(err)
			}
			next := paced(n)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := w.WriteFrame(webmtest.VideoTrack, next()); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Finish(); err != nil {
				b.Fatal(err)
			}
		})
		b.Run(fmt.Sprintf("ebml-go/%d", n), func(b *testing.B) {
			ws, err := ebmlgo.NewSimpleBlockWriter(webmtest.Discard{}, []ebmlgo.TrackEntry{
				{TrackNumber: 1, TrackUID: 1, CodecID: "V_VP8", TrackType: 1, Video: &ebmlgo.Video{PixelWidth: 320, PixelHeight: 240}},
			}, mkvcore.WithBlockInterceptor(nil), mkvcore.WithSegmentInfo(&ebmlgo.Info{TimecodeScale: 1e6}))
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
