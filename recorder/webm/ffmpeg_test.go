package webm_test

import (
	"testing"
	"time"

	ebmlgo "github.com/at-wat/ebml-go"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

func TestFFprobeReadsIt(t *testing.T) {
	frames := webmtest.RealFrames(t)
	date := time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	b := webmtest.Written(t, webm.Config{Date: date, Title: "a talk", WritingApp: "weir 1.0"}, webmtest.RealTracks(), frames)
	webmtest.CheckFinished(t, b)
	p := webmtest.Probe(t, webmtest.OnDisk(t, b))
	p.Agree(t, frames)
	last := frames[len(frames)-1].Time.Seconds()
	if d := webmtest.Seconds(t, p.Format.Duration); d < last || d > last+0.11 {
		t.Errorf("duration %v, the last of the frames is at %v", d, last)
	}
	if p.Format.Tags["title"] != "a talk" || p.Format.Tags["encoder"] != "weir" ||
		p.Format.Tags["creation_time"] != "2026-11-21T13:00:00.000000Z" {
		t.Errorf("tags %v", p.Format.Tags)
	}
	a, v := p.Streams[0], p.Streams[1]
	// Times as given, not moved by a codec delay: see opusHead.
	if a.Codec != "opus" || a.Channels != 1 || webmtest.Seconds(t, a.StartTime) != 0 {
		t.Errorf("audio %+v", a)
	}
	if v.Codec != "vp8" || v.Width != 640 || v.Height != 480 || webmtest.Seconds(t, v.StartTime) != 0.009 {
		t.Errorf("video %+v", v)
	}
}

func TestFFmpegDecodesIt(t *testing.T) {
	frames := webmtest.RealFrames(t)
	name := webmtest.OnDisk(t, webmtest.Written(t, webm.Config{}, webmtest.RealTracks(), frames))
	out := webmtest.Run(t, "ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", name,
		"-f", "framecrc", "-c:v", "rawvideo", "-an", "-fps_mode", "passthrough", "-")
	pictures := 0
	for line := range webmtest.SplitLines(out) {
		if line != "" && line[0] != '#' {
			pictures++
		}
	}
	video := 0
	for _, f := range frames {
		video += f.Track
	}
	if pictures != video {
		t.Errorf("%d pictures of %d", pictures, video)
	}
	webmtest.Run(t, "ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", name, "-f", "null", "-")
}

// TestFFprobeSeeksByTheIndex spoils a file in its middle: a reader that seeks
// past it by bytes or by reading on cannot get there, one that uses the cues can.
func TestFFprobeSeeksByTheIndex(t *testing.T) {
	frames := webmtest.Interleaved(120 * time.Second)
	for name, reserve := range map[string]int{"in front": 0, "at the end": -1} {
		b := webmtest.Written(t, webm.Config{IndexReserve: reserve}, webmtest.AVTracks(), frames)
		clusters := webmtest.MustSegment(t, b).All(0x1F43B675)
		for i := clusters[20].At; i < clusters[80].At; i++ {
			b[i] = 0xFF
		}
		p := webmtest.Probe(t, webmtest.OnDisk(t, b), "-read_intervals", "100%+0.5")
		if len(p.Packets) == 0 || webmtest.Seconds(t, p.Packets[0].PTS) != 100 || p.Packets[0].Flags[0] != 'K' {
			t.Errorf("index %s: seeking to 100 s reads %+v", name, p.Packets[:min(len(p.Packets), 1)])
		}
		if d := webmtest.Seconds(t, p.Format.Duration); d < 119.99 || d > 120.01 {
			t.Errorf("index %s: duration %v", name, d)
		}
	}
}

// TestFFprobeReadsCutFiles cuts an open file at some places.
func TestFFprobeReadsCutFiles(t *testing.T) {
	frames := webmtest.RealFrames(t)
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.RealTracks())
	ends := make([]int64, len(frames))
	for i, fr := range frames {
		if err := w.WriteFrame(fr.Track, fr.Block); err != nil {
			t.Fatal(err)
		}
		ends[i] = w.Stats().Bytes
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(frames); i += 8 {
		at := (ends[i-1] + ends[i]) / 2 // in the middle of frame i
		p := webmtest.Probe(t, webmtest.OnDisk(t, f.B[:at]))
		// ffmpeg also gives what there is of the cut frame.
		if n := len(p.Packets); n != i && n != i+1 {
			t.Fatalf("cut in frame %d: %d packets", i, n)
		}
		p.Packets = p.Packets[:i]
		p.Agree(t, frames[:i])
	}
}

// TestFFprobeReadsHalfFinishedFiles stops Finish after each positioned write.
func TestFFprobeReadsHalfFinishedFiles(t *testing.T) {
	frames := webmtest.RealFrames(t)
	tracks := append(webmtest.RealTracks(), ebml.TrackEntry{Codec: media.VP8})
	for n := 1; ; n++ {
		w, f := webmtest.NewWriter(t, webm.Config{}, tracks)
		f.Sealed = n
		webmtest.Feed(t, w, frames)
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		p := webmtest.Probe(t, webmtest.OnDisk(t, f.B))
		p.Agree(t, frames)
		if n == len(f.Patches) {
			if len(p.Streams) != 2 {
				t.Errorf("%d streams", len(p.Streams))
			}
			return
		}
	}
}

// TestRealFileIsRead makes sure that ebml-go reads the test data as meant.
func TestRealFileIsRead(t *testing.T) {
	frames := webmtest.RealFrames(t)
	keys := 0
	for i, f := range frames {
		if i > 0 && f.Time < frames[i-1].Time {
			t.Fatalf("frame %d is out of order", i)
		}
		if f.Track == webmtest.VideoTrack && f.Sync {
			keys++
		}
	}
	if keys != 2 {
		t.Errorf("%d keyframes", keys)
	}
	o := webmtest.MustRead(t, webmtest.Written(t, webm.Config{}, webmtest.RealTracks(), frames))
	webmtest.Compare(t, o.Blocks(), frames)
	if l := o.Segment.Cluster[0].SimpleBlock[0].Lacing; l != ebmlgo.LacingNo {
		t.Errorf("lacing %v", l)
	}
}
