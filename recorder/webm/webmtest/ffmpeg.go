package webmtest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/sfu/media"
)

// These tests need ffmpeg and ffprobe, and fail without them: that ffmpeg can
// read the files is part of what the package promises.

// RealFrames returns what Chromium's MediaRecorder made of a camera and a
// microphone: 1.5 s of VP8 at 640x480 and of Opus in packets of 60 ms.
func RealFrames(t *testing.T) []Fed {
	t.Helper()
	b, err := os.ReadFile(testdata("chromium.webm"))
	if err != nil {
		t.Fatal(err)
	}
	f := MustRead(t, b)
	var out []Fed
	for _, c := range f.Segment.Cluster {
		blocks := c.SimpleBlock
		for _, g := range c.BlockGroup {
			g.Block.Keyframe = len(g.ReferenceBlock) == 0
			blocks = append(blocks, g.Block)
		}
		for _, s := range blocks {
			out = append(out, Fed{int(s.TrackNumber) - 1, webm.Block{
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

func RealTracks() []ebml.TrackEntry {
	return []ebml.TrackEntry{{Codec: media.Opus, Channels: 1}, {Codec: media.VP8, Width: 640, Height: 480}}
}

// OnDisk writes b to a file and returns its name.
func OnDisk(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "t.webm")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// Run runs a program and returns what it printed.
func Run(t *testing.T, program string, args ...string) []byte {
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

func Probe(t *testing.T, name string, args ...string) probed {
	t.Helper()
	args = append(args, "-v", "error", "-of", "json", "-show_packets", "-show_streams", "-show_format", name)
	var p probed
	if err := json.Unmarshal(Run(t, "ffprobe", args...), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// Agree holds the packets that ffprobe lists, in the file's order, against frames.
func (p probed) Agree(t *testing.T, frames []Fed) {
	t.Helper()
	if len(p.Packets) != len(frames) {
		t.Fatalf("ffprobe lists %d packets, want %d", len(p.Packets), len(frames))
	}
	for i, g := range p.Packets {
		f := frames[i]
		pts, err := strconv.ParseFloat(g.PTS, 64)
		want := f.Time.Round(time.Millisecond).Seconds()
		if err != nil || g.Stream != f.Track || pts < want-1e-6 || pts > want+1e-6 ||
			g.Size != strconv.Itoa(len(f.Data)) || (g.Flags[0] == 'K') != f.Sync {
			t.Fatalf("packet %d is %+v, want track %d at %v, %d bytes, key %v", i, g, f.Track, want, len(f.Data), f.Sync)
		}
	}
}

func Seconds(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatalf("%q is no number of seconds", s)
	}
	return v
}

func SplitLines(b []byte) func(func(string) bool) {
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
