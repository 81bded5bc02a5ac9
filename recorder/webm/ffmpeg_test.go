package webm

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/at-wat/ebml-go"

	"weir/sfu/media"
)

// These tests need ffmpeg and ffprobe, and fail without them: that ffmpeg can
// read the files is part of what the package promises.

// realFrames returns what Chromium's MediaRecorder made of a camera and a
// microphone: 1.5 s of VP8 at 640x480 and of Opus in packets of 60 ms.
func realFrames(t *testing.T) []fed {
	t.Helper()
	b, err := os.ReadFile("testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	f := mustRead(t, b)
	var out []fed
	for _, c := range f.Segment.Cluster {
		blocks := c.SimpleBlock
		for _, g := range c.BlockGroup {
			g.Block.Keyframe = len(g.ReferenceBlock) == 0
			blocks = append(blocks, g.Block)
		}
		for _, s := range blocks {
			out = append(out, fed{int(s.TrackNumber) - 1, Block{
				Time: time.Duration(int64(c.Timecode)+int64(s.Timecode)) * time.Millisecond,
				Sync: s.Keyframe, Data: s.Data[0],
			}})
		}
	}
	if len(out) < 40 {
		t.Fatalf("only %d frames", len(out))
	}
	return out
}

func realTracks() []TrackEntry {
	return []TrackEntry{{Codec: media.Opus, Channels: 1}, {Codec: media.VP8, Width: 640, Height: 480}}
}

// onDisk writes b to a file and returns its name.
func onDisk(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "t.webm")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// run runs a program and returns what it printed.
func run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	out, err := cmd.Output()
	if err != nil {
		var stderr []byte
		if e, ok := err.(*exec.ExitError); ok {
			stderr = e.Stderr
		}
		t.Fatalf("%s: %v\n%s", program, err, stderr)
	}
	return out
}

// probed is what ffprobe says of a file.
type probed struct {
	Packets []struct {
		Stream int    `json:"stream_index"`
		PTS    string `json:"pts_time"`
		Size   string `json:"size"`
		Flags  string `json:"flags"`
	} `json:"packets"`
	Streams []struct {
		Codec         string `json:"codec_name"`
		Width, Height int
		Channels      int
		StartTime     string `json:"start_time"`
	} `json:"streams"`
	Format struct {
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	} `json:"format"`
}

func probe(t *testing.T, name string, args ...string) probed {
	t.Helper()
	args = append(args, "-v", "error", "-of", "json", "-show_packets", "-show_streams", "-show_format", name)
	var p probed
	if err := json.Unmarshal(run(t, "ffprobe", args...), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// agree holds the packets that ffprobe lists, in the file's order, against frames.
func (p probed) agree(t *testing.T, frames []fed) {
	t.Helper()
	if len(p.Packets) != len(frames) {
		t.Fatalf("ffprobe lists %d packets, want %d", len(p.Packets), len(frames))
	}
	for i, g := range p.Packets {
		f := frames[i]
		pts, err := strconv.ParseFloat(g.PTS, 64)
		want := f.Time.Round(time.Millisecond).Seconds()
		if err != nil || g.Stream != f.track || pts < want-1e-6 || pts > want+1e-6 ||
			g.Size != strconv.Itoa(len(f.Data)) || (g.Flags[0] == 'K') != f.Sync {
			t.Fatalf("packet %d is %+v, want track %d at %v, %d bytes, key %v", i, g, f.track, want, len(f.Data), f.Sync)
		}
	}
}

func seconds(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatalf("%q is no number of seconds", s)
	}
	return v
}

func TestFFprobeReadsIt(t *testing.T) {
	frames := realFrames(t)
	date := time.Date(2026, 11, 21, 13, 0, 0, 0, time.UTC)
	b := written(t, Config{Date: date, Title: "a talk", WritingApp: "weir 1.0"}, realTracks(), frames)
	checkFinished(t, b)
	p := probe(t, onDisk(t, b))
	p.agree(t, frames)
	last := frames[len(frames)-1].Time.Seconds()
	if d := seconds(t, p.Format.Duration); d < last || d > last+0.11 {
		t.Errorf("duration %v, the last of the frames is at %v", d, last)
	}
	if p.Format.Tags["title"] != "a talk" || p.Format.Tags["encoder"] != "weir" ||
		p.Format.Tags["creation_time"] != "2026-11-21T13:00:00.000000Z" {
		t.Errorf("tags %v", p.Format.Tags)
	}
	a, v := p.Streams[0], p.Streams[1]
	// Times as given, not moved by a codec delay: see opusHead.
	if a.Codec != "opus" || a.Channels != 1 || seconds(t, a.StartTime) != 0 {
		t.Errorf("audio %+v", a)
	}
	if v.Codec != "vp8" || v.Width != 640 || v.Height != 480 || seconds(t, v.StartTime) != 0.009 {
		t.Errorf("video %+v", v)
	}
}

func TestFFmpegDecodesIt(t *testing.T) {
	frames := realFrames(t)
	name := onDisk(t, written(t, Config{}, realTracks(), frames))
	out := run(t, "ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", name,
		"-f", "framecrc", "-c:v", "rawvideo", "-an", "-fps_mode", "passthrough", "-")
	pictures := 0
	for line := range splitLines(out) {
		if line != "" && line[0] != '#' {
			pictures++
		}
	}
	video := 0
	for _, f := range frames {
		video += f.track
	}
	if pictures != video {
		t.Errorf("%d pictures of %d", pictures, video)
	}
	run(t, "ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", name, "-f", "null", "-")
}

func splitLines(b []byte) func(func(string) bool) {
	return func(yield func(string) bool) {
		start := 0
		for i, c := range b {
			if c == '\n' {
				if !yield(string(b[start:i])) {
					return
				}
				start = i + 1
			}
		}
	}
}

// TestFFprobeSeeksByTheIndex spoils a file in its middle: a reader that seeks
// past it by bytes or by reading on cannot get there, one that uses the cues can.
func TestFFprobeSeeksByTheIndex(t *testing.T) {
	frames := interleaved(120 * time.Second)
	for name, reserve := range map[string]int{"in front": 0, "at the end": -1} {
		b := written(t, Config{IndexReserve: reserve}, avTracks(), frames)
		clusters := mustSegment(t, b).all(0x1F43B675)
		for i := clusters[20].at; i < clusters[80].at; i++ {
			b[i] = 0xFF
		}
		p := probe(t, onDisk(t, b), "-read_intervals", "100%+0.5")
		if len(p.Packets) == 0 || seconds(t, p.Packets[0].PTS) != 100 || p.Packets[0].Flags[0] != 'K' {
			t.Errorf("index %s: seeking to 100 s reads %+v", name, p.Packets[:min(len(p.Packets), 1)])
		}
		if d := seconds(t, p.Format.Duration); d < 119.99 || d > 120.01 {
			t.Errorf("index %s: duration %v", name, d)
		}
	}
}

// TestFFprobeReadsCutFiles cuts an open file at some places.
func TestFFprobeReadsCutFiles(t *testing.T) {
	frames := realFrames(t)
	w, f := newWriter(t, Config{}, realTracks())
	ends := make([]int64, len(frames))
	for i, fr := range frames {
		if err := w.WriteFrame(fr.track, fr.Block); err != nil {
			t.Fatal(err)
		}
		ends[i] = w.Stats().Bytes
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < len(frames); i += 8 {
		at := (ends[i-1] + ends[i]) / 2 // in the middle of frame i
		p := probe(t, onDisk(t, f.b[:at]))
		// ffmpeg also gives what there is of the cut frame.
		if n := len(p.Packets); n != i && n != i+1 {
			t.Fatalf("cut in frame %d: %d packets", i, n)
		}
		p.Packets = p.Packets[:i]
		p.agree(t, frames[:i])
	}
}

// TestFFprobeReadsHalfFinishedFiles stops Finish after each positioned write.
func TestFFprobeReadsHalfFinishedFiles(t *testing.T) {
	frames := realFrames(t)
	tracks := append(realTracks(), TrackEntry{Codec: media.VP8})
	for n := 1; ; n++ {
		w, f := newWriter(t, Config{}, tracks)
		f.sealed = n
		feed(t, w, frames)
		if err := w.Finish(); err != nil {
			t.Fatal(err)
		}
		p := probe(t, onDisk(t, f.b))
		p.agree(t, frames)
		if n == len(f.patches) {
			if len(p.Streams) != 2 {
				t.Errorf("%d streams", len(p.Streams))
			}
			return
		}
	}
}

// TestRealFileIsRead makes sure that ebml-go reads the test data as meant.
func TestRealFileIsRead(t *testing.T) {
	frames := realFrames(t)
	keys := 0
	for i, f := range frames {
		if i > 0 && f.Time < frames[i-1].Time {
			t.Fatalf("frame %d is out of order", i)
		}
		if f.track == videoTrack && f.Sync {
			keys++
		}
	}
	if keys != 2 {
		t.Errorf("%d keyframes", keys)
	}
	o := mustRead(t, written(t, Config{}, realTracks(), frames))
	compare(t, o.blocks(), frames)
	if l := o.Segment.Cluster[0].SimpleBlock[0].Lacing; l != ebml.LacingNo {
		t.Errorf("lacing %v", l)
	}
}
