package webm_test

import (
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

func TestClusters(t *testing.T) {
	for _, tc := range []struct {
		name   string
		c      webm.Config
		frames []webmtest.Fed
		starts []int64 // the Clusters' timestamps
	}{
		{"keyframes begin one", webm.Config{},
			[]webmtest.Fed{webmtest.Ms(1, 0, true), webmtest.Ms(0, 5, true), webmtest.Ms(1, 33, false), webmtest.Ms(1, 66, true), webmtest.Ms(1, 66, true), webmtest.Ms(0, 70, true)},
			[]int64{0, 66, 66}},
		{"a key of sound does not", webm.Config{},
			[]webmtest.Fed{webmtest.Ms(0, 0, true), webmtest.Ms(0, 20, true), webmtest.Ms(0, 40, true)},
			[]int64{0}},
		{"every 5 s", webm.Config{},
			[]webmtest.Fed{webmtest.Ms(0, 0, true), webmtest.Ms(0, 4999, true), webmtest.Ms(0, 5000, true), webmtest.Ms(0, 9999, true), webmtest.Ms(0, 10001, true)},
			[]int64{0, 5000, 10001}},
		{"every second", webm.Config{MaxCluster: time.Second},
			[]webmtest.Fed{webmtest.Ms(1, 10, true), webmtest.Ms(1, 900, false), webmtest.Ms(1, 1009, false), webmtest.Ms(1, 1010, false), webmtest.Ms(1, 1100, true)},
			[]int64{10, 1010, 1100}},
		{"hole of 32 s", webm.Config{MaxCluster: 30 * time.Second},
			[]webmtest.Fed{webmtest.Ms(1, 0, true), webmtest.Ms(0, 29999, true), webmtest.Ms(0, 62767, true), webmtest.Ms(1, 62768, false)},
			[]int64{0, 62767}},
		{"late sound", webm.Config{},
			[]webmtest.Fed{webmtest.Ms(1, 100, true), webmtest.Ms(0, 100, true), webmtest.Ms(1, 133, false), webmtest.Ms(0, 120, true), webmtest.Ms(0, 140, true), webmtest.Ms(1, 139, false)},
			[]int64{100, 120, 139}},
		{"late keyframe", webm.Config{},
			[]webmtest.Fed{webmtest.Ms(0, 0, true), webmtest.Ms(0, 500, true), webmtest.Ms(1, 100, true), webmtest.Ms(1, 133, false), webmtest.Ms(0, 520, true)},
			[]int64{0, 100}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := webmtest.Written(t, tc.c, webmtest.AVTracks(), tc.frames)
			webmtest.CheckFinished(t, b)
			o := webmtest.MustRead(t, b)
			webmtest.Compare(t, o.Blocks(), tc.frames)
			var starts []int64
			for _, c := range o.Segment.Cluster {
				starts = append(starts, int64(c.Timecode))
			}
			if len(starts) != len(tc.starts) {
				t.Fatalf("clusters at %d, want %d", starts, tc.starts)
			}
			for i := range starts {
				if starts[i] != tc.starts[i] {
					t.Fatalf("clusters at %d, want %d", starts, tc.starts)
				}
			}
		})
	}
}

func TestClustersOfFiveMegabytes(t *testing.T) {
	var frames []webmtest.Fed
	for i, n := range []int{4 << 20, 1 << 19, 1 << 20, 6 << 20, 6 << 20, 10} {
		frames = append(frames, webmtest.Fed{Track: webmtest.VideoTrack, Block: webm.Block{Time: time.Duration(i) * time.Millisecond, Sync: i == 0, Data: webmtest.VP8(i, i == 0, n)}})
	}
	b := webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), frames)
	webmtest.CheckFinished(t, b)
	o := webmtest.MustRead(t, b)
	webmtest.Compare(t, o.Blocks(), frames)
	if n := len(o.Segment.Cluster); n != 5 {
		t.Errorf("%d clusters", n)
	}
}

func TestTimesAreRoundedAndHeld(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	in := []time.Duration{-5 * time.Millisecond, 499999, 500000, 33333333, 33333333, 20000000, 66666667, 1<<40*time.Millisecond - time.Millisecond}
	want := []int64{0, 0, 1, 33, 33, 33, 67, 1<<40 - 1}
	for i, at := range in {
		if err := w.WriteFrame(webmtest.VideoTrack, webm.Block{Time: at, Sync: i == 0, Data: webmtest.VP8(i, i == 0, 10)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Stats().Tracks[webmtest.VideoTrack].Clamped; n != 2 {
		t.Errorf("%d frames counted as held, want 2", n)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	webmtest.CheckFinished(t, f.B)
	o := webmtest.MustRead(t, f.B)
	for i, g := range o.Blocks() {
		if g.MS != want[i] {
			t.Errorf("frame at %v is at %d ms, want %d", in[i], g.MS, want[i])
		}
	}
}

// TestTimesDoNotDrift writes an hour of frames of 1/30 s, whose distances are no
// whole milliseconds.
func TestTimesDoNotDrift(t *testing.T) {
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	const n = 30 * 3600
	for i := range n {
		if err := w.WriteFrame(webmtest.VideoTrack, webm.Block{Time: time.Duration(i) * time.Second / 30, Sync: i%300 == 0, Data: webmtest.VP8(i, false, 8)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	o := webmtest.MustRead(t, f.B)
	g := o.Blocks()
	if len(g) != n || g[n-1].MS != 3599967 {
		t.Errorf("%d frames, the last at %d ms", len(g), g[len(g)-1].MS)
	}
	if d := o.Segment.Info.Duration; d < 3599999 || d > 3600001 {
		t.Errorf("duration %v ms", d)
	}
}

func TestDurationOfTheLastFrame(t *testing.T) {
	for _, tc := range []struct {
		name   string
		frames []webmtest.Fed
		want   float64 // ms
	}{
		{"told", []webmtest.Fed{{Track: 0, Block: webm.Block{Duration: 60 * time.Millisecond, Data: webmtest.Opus(0, 9)}}}, 60},
		{"told for the last", []webmtest.Fed{webmtest.Ms(0, 0, true), {Track: 0, Block: webm.Block{Time: 1e9, Duration: 2500 * time.Microsecond, Data: webmtest.Opus(0, 9)}}}, 1002.5},
		{"one frame of sound", []webmtest.Fed{webmtest.Ms(0, 0, true)}, 20},
		{"by its step", []webmtest.Fed{webmtest.Ms(0, 0, true), webmtest.Ms(0, 60, true)}, 120},
		{"by an earlier step", []webmtest.Fed{webmtest.Ms(0, 0, true), webmtest.Ms(0, 60, true), webmtest.Ms(0, 60, true)}, 120},
		{"after a hole", []webmtest.Fed{webmtest.Ms(0, 0, true), webmtest.Ms(0, 60000, true)}, 61000},
		{"of the track that ends last", []webmtest.Fed{webmtest.Ms(1, 0, true), webmtest.Ms(0, 0, true), webmtest.Ms(1, 500, false), webmtest.Ms(0, 510, true)}, 1020},
	} {
		o := webmtest.MustRead(t, webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), tc.frames))
		if d := o.Segment.Info.Duration; d != tc.want {
			t.Errorf("%s: %v ms, want %v", tc.name, d, tc.want)
		}
	}
}

func TestTwoVideoTracks(t *testing.T) {
	tracks := append(webmtest.AVTracks(), ebml.TrackEntry{Codec: media.VP8, Name: "screen", Width: 640, Height: 480})
	frames := []webmtest.Fed{webmtest.Ms(1, 0, true), webmtest.Ms(2, 10, true), webmtest.Ms(1, 33, false), webmtest.Ms(2, 1000, true), webmtest.Ms(1, 990, true), webmtest.Ms(1, 1033, false)}
	b := webmtest.Written(t, webm.Config{}, tracks, frames)
	seg := webmtest.CheckFinished(t, b) // and cues in order
	if n := len(seg.Find(0x1C53BB6B).Children); n != 4 {
		t.Errorf("%d cues", n)
	}
	o := webmtest.MustRead(t, b)
	webmtest.Compare(t, o.Blocks(), frames)
}
