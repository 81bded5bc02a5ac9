package webm

import (
	"testing"
	"time"

	"weir/sfu/media"
)

// ms makes a frame of one track at a time.
func ms(track int, at int, sync bool) fed {
	return fed{track, Block{Time: time.Duration(at) * time.Millisecond, Sync: sync || track == audioTrack, Data: vp8(at, sync, 20)}}
}

func TestClusters(t *testing.T) {
	for _, tc := range []struct {
		name   string
		c      Config
		frames []fed
		starts []int64 // the Clusters' timestamps
	}{
		{"keyframes begin one", Config{},
			[]fed{ms(1, 0, true), ms(0, 5, true), ms(1, 33, false), ms(1, 66, true), ms(1, 66, true), ms(0, 70, true)},
			[]int64{0, 66, 66}},
		{"a key of sound does not", Config{},
			[]fed{ms(0, 0, true), ms(0, 20, true), ms(0, 40, true)},
			[]int64{0}},
		{"every 5 s", Config{},
			[]fed{ms(0, 0, true), ms(0, 4999, true), ms(0, 5000, true), ms(0, 9999, true), ms(0, 10001, true)},
			[]int64{0, 5000, 10001}},
		{"every second", Config{MaxCluster: time.Second},
			[]fed{ms(1, 10, true), ms(1, 900, false), ms(1, 1009, false), ms(1, 1010, false), ms(1, 1100, true)},
			[]int64{10, 1010, 1100}},
		{"hole of 32 s", Config{MaxCluster: 30 * time.Second},
			[]fed{ms(1, 0, true), ms(0, 29999, true), ms(0, 62767, true), ms(1, 62768, false)},
			[]int64{0, 62767}},
		{"late sound", Config{},
			[]fed{ms(1, 100, true), ms(0, 100, true), ms(1, 133, false), ms(0, 120, true), ms(0, 140, true), ms(1, 139, false)},
			[]int64{100, 120, 139}},
		{"late keyframe", Config{},
			[]fed{ms(0, 0, true), ms(0, 500, true), ms(1, 100, true), ms(1, 133, false), ms(0, 520, true)},
			[]int64{0, 100}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := written(t, tc.c, avTracks(), tc.frames)
			checkFinished(t, b)
			o := mustRead(t, b)
			compare(t, o.blocks(), tc.frames)
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
	var frames []fed
	for i, n := range []int{4 << 20, 1 << 19, 1 << 20, 6 << 20, 6 << 20, 10} {
		frames = append(frames, fed{videoTrack, Block{Time: time.Duration(i) * time.Millisecond, Sync: i == 0, Data: vp8(i, i == 0, n)}})
	}
	b := written(t, Config{}, avTracks(), frames)
	checkFinished(t, b)
	o := mustRead(t, b)
	compare(t, o.blocks(), frames)
	if n := len(o.Segment.Cluster); n != 5 {
		t.Errorf("%d clusters", n)
	}
}

func TestTimesAreRoundedAndHeld(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	in := []time.Duration{-5 * time.Millisecond, 499999, 500000, 33333333, 33333333, 20000000, 66666667, 1<<40*time.Millisecond - time.Millisecond}
	want := []int64{0, 0, 1, 33, 33, 33, 67, 1<<40 - 1}
	for i, at := range in {
		if err := w.WriteFrame(videoTrack, Block{Time: at, Sync: i == 0, Data: vp8(i, i == 0, 10)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := w.Stats().Tracks[videoTrack].Clamped; n != 2 {
		t.Errorf("%d frames counted as held, want 2", n)
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	checkFinished(t, f.b)
	o := mustRead(t, f.b)
	for i, g := range o.blocks() {
		if g.ms != want[i] {
			t.Errorf("frame at %v is at %d ms, want %d", in[i], g.ms, want[i])
		}
	}
}

// TestTimesDoNotDrift writes an hour of frames of 1/30 s, whose distances are no
// whole milliseconds.
func TestTimesDoNotDrift(t *testing.T) {
	w, f := newWriter(t, Config{}, avTracks())
	const n = 30 * 3600
	for i := range n {
		if err := w.WriteFrame(videoTrack, Block{Time: time.Duration(i) * time.Second / 30, Sync: i%300 == 0, Data: vp8(i, false, 8)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	o := mustRead(t, f.b)
	g := o.blocks()
	if len(g) != n || g[n-1].ms != 3599967 {
		t.Errorf("%d frames, the last at %d ms", len(g), g[len(g)-1].ms)
	}
	if d := o.Segment.Info.Duration; d < 3599999 || d > 3600001 {
		t.Errorf("duration %v ms", d)
	}
}

func TestDurationOfTheLastFrame(t *testing.T) {
	for _, tc := range []struct {
		name   string
		frames []fed
		want   float64 // ms
	}{
		{"told", []fed{{0, Block{Duration: 60 * time.Millisecond, Data: opus(0, 9)}}}, 60},
		{"told for the last", []fed{ms(0, 0, true), {0, Block{Time: 1e9, Duration: 2500 * time.Microsecond, Data: opus(0, 9)}}}, 1002.5},
		{"one frame of sound", []fed{ms(0, 0, true)}, 20},
		{"by its step", []fed{ms(0, 0, true), ms(0, 60, true)}, 120},
		{"by an earlier step", []fed{ms(0, 0, true), ms(0, 60, true), ms(0, 60, true)}, 120},
		{"after a hole", []fed{ms(0, 0, true), ms(0, 60000, true)}, 61000},
		{"of the track that ends last", []fed{ms(1, 0, true), ms(0, 0, true), ms(1, 500, false), ms(0, 510, true)}, 1020},
	} {
		o := mustRead(t, written(t, Config{}, avTracks(), tc.frames))
		if d := o.Segment.Info.Duration; d != tc.want {
			t.Errorf("%s: %v ms, want %v", tc.name, d, tc.want)
		}
	}
}

func TestTwoVideoTracks(t *testing.T) {
	tracks := append(avTracks(), TrackEntry{Codec: media.VP8, Name: "screen", Width: 640, Height: 480})
	frames := []fed{ms(1, 0, true), ms(2, 10, true), ms(1, 33, false), ms(2, 1000, true), ms(1, 990, true), ms(1, 1033, false)}
	b := written(t, Config{}, tracks, frames)
	seg := checkFinished(t, b) // and cues in order
	if n := len(seg.find(0x1C53BB6B).children); n != 4 {
		t.Errorf("%d cues", n)
	}
	o := mustRead(t, b)
	compare(t, o.blocks(), frames)
}
