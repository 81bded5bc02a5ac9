package webmtest

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"weir/recorder/webm/read"
)

// A sample is a real recording.
type sample struct {
	Name   string
	B      []byte
	Chunks []int // the sizes of the pieces in which it came
}

// Samples returns the recordings in testdata, and those in the directory that
// WEIR_WEBM_SAMPLES names.
func Samples(t testing.TB) []sample {
	t.Helper()
	names, err := filepath.Glob(testdata("mediarecorder/*.webm"))
	if err != nil || len(names) != 5 {
		t.Fatalf("%v, %v", names, err)
	}
	if dir := os.Getenv("WEIR_WEBM_SAMPLES"); dir != "" {
		more, err := filepath.Glob(filepath.Join(dir, "*.webm"))
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: %v, %v", dir, more, err)
		}
		names = append(names, more...)
	}
	var out []sample
	for _, name := range names {
		s := sample{Name: name}
		if s.B, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadFile(strings.TrimSuffix(name, ".webm") + ".chunks.json")
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Sizes  []int
			Chunks []struct{ Size int }
		}
		if err := json.Unmarshal(list, &v); err != nil {
			t.Fatal(err)
		}
		s.Chunks = v.Sizes
		for _, c := range v.Chunks {
			s.Chunks = append(s.Chunks, c.Size)
		}
		total := 0
		for _, n := range s.Chunks {
			total += n
		}
		if total != len(s.B) || len(s.Chunks) < 2 && !strings.Contains(name, "notimeslice") {
			t.Fatalf("%s: %d chunks, %d bytes of %d", name, len(s.Chunks), total, len(s.B))
		}
		out = append(out, s)
	}
	return out
}

// Packets lists frames as probedPackets does.
func Packets(frames []read.Frame) []string {
	var out []string
	for _, f := range frames {
		sum := md5.Sum(f.Data)
		out = append(out, fmt.Sprintf("track %d at %d ms key %v %d bytes %s",
			f.Track, f.Time.Milliseconds(), f.Key, len(f.Data), hex.EncodeToString(sum[:])))
	}
	return out
}

// ProbedPackets lists the packets that ffprobe finds in a file.
func ProbedPackets(t *testing.T, name string) []string {
	t.Helper()
	var p struct {
		Packets []struct {
			Stream int    `json:"stream_index"`
			PTS    string `json:"pts_time"`
			Size   string `json:"size"`
			Flags  string `json:"flags"`
			Hash   string `json:"data_hash"`
		} `json:"packets"`
	}
	b := Run(t, "ffprobe", "-v", "quiet", "-show_packets", "-show_data_hash", "md5", "-of", "json", name)
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range p.Packets {
		pts, err := strconv.ParseFloat(g.PTS, 64)
		if err != nil {
			t.Fatal(err)
		}
		ms := time.Duration(pts * float64(time.Second)).Round(time.Millisecond).Milliseconds()
		out = append(out, fmt.Sprintf("track %d at %d ms key %v %s bytes %s",
			g.Stream, ms, g.Flags[0] == 'K', g.Size, strings.TrimPrefix(g.Hash, "MD5:")))
	}
	return out
}

// SamePackets requires that both lists are the same. ffprobe also gives what
// there is of a frame that the end of the file cuts, or leaves it out.
func SamePackets(t *testing.T, name string, have, want []string, cut bool) {
	t.Helper()
	if len(have) == 0 || len(have) != len(want) && !(cut && len(have) == len(want)-1) {
		t.Errorf("%s: %d frames, ffprobe has %d", name, len(have), len(want))
	}
	for i := range min(len(have), len(want)) {
		if have[i] != want[i] {
			t.Fatalf("%s: frame %d is\n%s\nffprobe has\n%s", name, i, have[i], want[i])
		}
	}
}
