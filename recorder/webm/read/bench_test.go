package read_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"

	ebmlgo "github.com/at-wat/ebml-go"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
)

// TestPushAllocatesFramesOnly: one allocation per frame, its data.
func TestPushAllocatesFramesOnly(t *testing.T) {
	cluster := webmtest.LiveCluster(0, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, make([]byte, 5000)...),
		webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.BlockData(webmtest.LiveVideo, 1, 0, make([]byte, 3000)...)), webmtest.El(ebml.BlockAdditionsID, make([]byte, 500))),
		webmtest.SimpleBlock(webmtest.LiveAudio, 2, 0, make([]byte, 160)...), webmtest.El(ebml.VoidID, make([]byte, 50)))
	for _, size := range []int{len(cluster), 1000, 17} {
		var got tally
		r := read.NewReader(&got, read.Config{})
		push := func(b []byte) {
			for ; len(b) > 0; b = b[min(size, len(b)):] {
				if err := r.Push(b[:min(size, len(b))]); err != nil {
					t.Fatal(err)
				}
			}
		}
		push(webmtest.LiveStart)
		push(cluster)
		if n := testing.AllocsPerRun(100, func() { push(cluster) }); n != 3 {
			t.Errorf("in pieces of %d: %v allocations for 3 frames", size, n)
		}
		if got.damages > 0 {
			t.Errorf("%d pieces of damage", got.damages)
		}
	}
}

func BenchmarkReader(b *testing.B) {
	stream, err := os.ReadFile("../testdata/mediarecorder/av_ts100ms.webm")
	if err != nil {
		b.Fatal(err)
	}
	for _, size := range []int{1, 100, 1400, 32 << 10, len(stream)} {
		b.Run(fmt.Sprintf("weir/%d", size), func(b *testing.B) {
			b.SetBytes(int64(len(stream)))
			b.ReportAllocs()
			for b.Loop() {
				var got tally
				r := read.NewReader(&got, read.Config{})
				for rest := stream; len(rest) > 0; rest = rest[min(size, len(rest)):] {
					if err := r.Push(rest[:min(size, len(rest))]); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(got.frames), "frames/op")
			}
		})
	}
	b.Run("ebml-go", func(b *testing.B) {
		b.SetBytes(int64(len(stream)))
		b.ReportAllocs()
		for b.Loop() {
			var f webmtest.OracleFile
			if err := ebmlgo.Unmarshal(bytes.NewReader(stream), &f); err != nil {
				b.Fatal(err)
			}
		}
	})
	for name, s := range hostile(1 << 20) {
		switch name {
		case "noise", "tiny blocks", "empty blocks", "Voids", "starts", "bad lacing", "deep Tags":
		default:
			continue
		}
		b.Run("hostile/"+name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				r := read.NewReader(&tally{}, read.Config{})
				if err := r.Push(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
