package webm

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A sample is a real recording.
type sample struct {
	name   string
	b      []byte
	chunks []int // the sizes of the pieces in which it came
}

// samples returns the recordings in testdata, and those in the directory that
// WEIR_WEBM_SAMPLES names.
func samples(t testing.TB) []sample {
	t.Helper()
	names, err := filepath.Glob("testdata/mediarecorder/*.webm")
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
		s := sample{name: name}
		if s.b, err = os.ReadFile(name); err != nil {
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
		s.chunks = v.Sizes
		for _, c := range v.Chunks {
			s.chunks = append(s.chunks, c.Size)
		}
		total := 0
		for _, n := range s.chunks {
			total += n
		}
		if total != len(s.b) || len(s.chunks) < 2 && !strings.Contains(name, "notimeslice") {
			t.Fatalf("%s: %d chunks, %d bytes of %d", name, len(s.chunks), total, len(s.b))
		}
		out = append(out, s)
	}
	return out
}

// packets lists frames as probedPackets does.
func packets(frames []Frame) []string {
	var out []string
	for _, f := range frames {
		sum := md5.Sum(f.Data)
		out = append(out, fmt.Sprintf("track %d at %d ms key %v %d bytes %s",
			f.Track, f.Time.Milliseconds(), f.Key, len(f.Data), hex.EncodeToString(sum[:])))
	}
	return out
}

// probedPackets lists the packets that ffprobe finds in a file.
func probedPackets(t *testing.T, name string) []string {
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
	b := run(t, "ffprobe", "-v", "quiet", "-show_packets", "-show_data_hash", "md5", "-of", "json", name)
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

// samePackets requires that both lists are the same. ffprobe also gives what
// there is of a frame that the end of the file cuts, or leaves it out.
func samePackets(t *testing.T, name string, have, want []string, cut bool) {
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

// TestReaderAgreesWithFFprobe reads each sample in different pieces and compares
// each frame with ffprobe's.
func TestReaderAgreesWithFFprobe(t *testing.T) {
	for _, s := range samples(t) {
		random := rand.New(rand.NewPCG(1, uint64(len(s.b))))
		want := probedPackets(t, s.name)
		for what, sizes := range map[string][]int{
			"whole": {len(s.b)}, "in its own chunks": s.chunks, "byte by byte": {1},
			"at random": randomSizes(random, len(s.b)), "at random again": randomSizes(random, len(s.b)),
		} {
			got, err := readAll(t, ReaderConfig{}, s.b, sizes...)
			cut := len(got.damages) == 1 && got.damages[0].Reason == reasonEnd
			if err != nil || len(got.headers) != 1 || len(got.damages) > 0 && !cut {
				t.Fatalf("%s %s: %v, %d headers, damage %v", s.name, what, err, len(got.headers), got.damages)
			}
			samePackets(t, s.name+" "+what, packets(got.frames), want, cut)
		}
		t.Logf("%s: %d frames", s.name, len(want))
	}
}

// TestReaderGivesFramesAtOnce requires that a frame does not wait for what
// follows it: at each end of a chunk all frames of the bytes so far are there.
// A timesliced chunk ends one byte inside of the next element.
func TestReaderGivesFramesAtOnce(t *testing.T) {
	for _, s := range samples(t) {
		if !strings.HasSuffix(s.name, "av_ts100ms.webm") && !strings.HasSuffix(s.name, "canvas_2s.webm") {
			continue
		}
		var got received
		r := NewReader(&got, ReaderConfig{})
		rest := s.b
		for i, n := range s.chunks {
			if err := r.Push(rest[:n]); err != nil {
				t.Fatal(err)
			}
			if rest = rest[n:]; len(rest) > 0 && r.have+len(r.buf) != 1 {
				t.Errorf("%s: chunk %d leaves %d bytes behind", s.name, i, r.have+len(r.buf))
			}
		}
	}
}

// TestReaderDropsAlpha requires that of a BlockGroup with an alpha plane, which is
// a VP8 frame too, only the picture comes.
func TestReaderDropsAlpha(t *testing.T) {
	b, err := os.ReadFile("testdata/mediarecorder/av_canvas_2s.webm")
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, ReaderConfig{}, b)
	if err != nil {
		t.Fatal(err)
	}
	pictures, keys := 0, 0
	for _, f := range got.frames {
		if f.Track == 0 {
			pictures++
			keys += int(^f.Data[0] & 1)
		}
	}
	groups := bytes.Count(b, idBytes(blockAdditionsID)) - 1 // the last is cut
	if pictures != groups || keys != 1 {
		t.Errorf("%d pictures, %d of them keyframes, in %d groups", pictures, keys, groups)
	}
}

// TestReaderSeesSizeChange finds the new size in the frames; the header is that of
// the old one.
func TestReaderSeesSizeChange(t *testing.T) {
	b, err := os.ReadFile("testdata/mediarecorder/av_reschange.webm")
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(t, ReaderConfig{}, b)
	if err != nil || len(got.headers) != 1 || got.headers[0].Tracks[0].Width != 640 {
		t.Fatalf("%v, %+v", err, got.headers)
	}
	widths := ""
	for _, f := range got.frames {
		if f.Track == 0 && f.Data[0]&1 == 0 {
			widths += fmt.Sprint(int(f.Data[6])|int(f.Data[7]&0x3F)<<8, f.Key, " ")
		}
	}
	if widths != "640 true 1280 true " {
		t.Errorf("keyframes %s", widths)
	}
}

// TestReaderCutAnywhere cuts a sample at many places and requires each frame that
// is whole.
func TestReaderCutAnywhere(t *testing.T) {
	b, err := os.ReadFile("testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	whole, ends := endsOf(t, b)
	header := bytes.Index(b, []byte(clusterMagic))
	for at := 1; at < len(b); at += 1 + at/200 {
		n := 0
		for n < len(ends) && ends[n] <= at {
			n++
		}
		got, err := readAll(t, ReaderConfig{}, b[:at])
		if at > header && err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		if strings.Join(packets(got.frames), "") != strings.Join(packets(whole.frames[:n]), "") {
			t.Fatalf("cut at %d: %d frames, want %d", at, len(got.frames), n)
		}
	}
}

// endsOf reads b, which is without damage, and returns for each frame the offset
// behind its last byte.
func endsOf(t testing.TB, b []byte) (received, []int) {
	t.Helper()
	var got received
	var ends []int
	r := NewReader(&got, ReaderConfig{})
	for i := range b {
		if err := r.Push(b[i : i+1]); err != nil {
			t.Fatal(err)
		}
		for len(ends) < len(got.frames) {
			ends = append(ends, i+1)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return got, ends
}
