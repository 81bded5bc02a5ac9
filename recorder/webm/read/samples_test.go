package read_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/webmtest"
)

// TestReaderAgreesWithFFprobe reads each sample in different pieces and compares
// each frame with ffprobe's.
func TestReaderAgreesWithFFprobe(t *testing.T) {
	for _, s := range webmtest.Samples(t) {
		random := rand.New(rand.NewPCG(1, uint64(len(s.B))))
		want := webmtest.ProbedPackets(t, s.Name)
		for what, sizes := range map[string][]int{
			"whole": {len(s.B)}, "in its own chunks": s.Chunks, "byte by byte": {1},
			"at random": randomSizes(random, len(s.B)), "at random again": randomSizes(random, len(s.B)),
		} {
			got, err := webmtest.ReadAll(t, read.Config{}, s.B, sizes...)
			cut := len(got.Damages) == 1 && got.Damages[0].Reason == ebml.ReasonEnd
			if err != nil || len(got.Headers) != 1 || len(got.Damages) > 0 && !cut {
				t.Fatalf("%s %s: %v, %d headers, damage %v", s.Name, what, err, len(got.Headers), got.Damages)
			}
			webmtest.SamePackets(t, s.Name+" "+what, webmtest.Packets(got.Frames), want, cut)
		}
		t.Logf("%s: %d frames", s.Name, len(want))
	}
}

// TestReaderGivesFramesAtOnce requires that a frame does not wait for what
// follows it: at each end of a chunk all frames of the bytes so far are there.
// A timesliced chunk ends one byte inside of the next element.
func TestReaderGivesFramesAtOnce(t *testing.T) {
	for _, s := range webmtest.Samples(t) {
		if !strings.HasSuffix(s.Name, "av_ts100ms.webm") && !strings.HasSuffix(s.Name, "canvas_2s.webm") {
			continue
		}
		var got webmtest.Received
		r := read.NewReader(&got, read.Config{})
		rest := s.B
		for i, n := range s.Chunks {
			if err := r.Push(rest[:n]); err != nil {
				t.Fatal(err)
			}
			if rest = rest[n:]; len(rest) > 0 && r.Begun() != 1 {
				t.Errorf("%s: chunk %d leaves %d bytes behind", s.Name, i, r.Begun())
			}
		}
	}
}

// TestReaderDropsAlpha requires that of a BlockGroup with an alpha plane, which is
// a VP8 frame too, only the picture comes.
func TestReaderDropsAlpha(t *testing.T) {
	b, err := os.ReadFile("../testdata/mediarecorder/av_canvas_2s.webm")
	if err != nil {
		t.Fatal(err)
	}
	got, err := webmtest.ReadAll(t, read.Config{}, b)
	if err != nil {
		t.Fatal(err)
	}
	pictures, keys := 0, 0
	for _, f := range got.Frames {
		if f.Track == 0 {
			pictures++
			keys += int(^f.Data[0] & 1)
		}
	}
	groups := bytes.Count(b, webmtest.IDBytes(ebml.BlockAdditionsID)) - 1 // the last is cut
	if pictures != groups || keys != 1 {
		t.Errorf("%d pictures, %d of them keyframes, in %d groups", pictures, keys, groups)
	}
}

// TestReaderSeesSizeChange finds the new size in the frames; the header is that of
// the old one.
func TestReaderSeesSizeChange(t *testing.T) {
	b, err := os.ReadFile("../testdata/mediarecorder/av_reschange.webm")
	if err != nil {
		t.Fatal(err)
	}
	got, err := webmtest.ReadAll(t, read.Config{}, b)
	if err != nil || len(got.Headers) != 1 || got.Headers[0].Tracks[0].Width != 640 {
		t.Fatalf("%v, %+v", err, got.Headers)
	}
	widths := ""
	for _, f := range got.Frames {
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
	b, err := os.ReadFile("../testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	whole, ends := endsOf(t, b)
	header := bytes.Index(b, []byte(read.ClusterMagic))
	for at := 1; at < len(b); at += 1 + at/200 {
		n := 0
		for n < len(ends) && ends[n] <= at {
			n++
		}
		got, err := webmtest.ReadAll(t, read.Config{}, b[:at])
		if at > header && err != nil {
			t.Fatalf("cut at %d: %v", at, err)
		}
		if strings.Join(webmtest.Packets(got.Frames), "") != strings.Join(webmtest.Packets(whole.Frames[:n]), "") {
			t.Fatalf("cut at %d: %d frames, want %d", at, len(got.Frames), n)
		}
	}
}

// endsOf reads b, which is without damage, and returns for each frame the offset
// behind its last byte.
func endsOf(t testing.TB, b []byte) (webmtest.Received, []int) {
	t.Helper()
	var got webmtest.Received
	var ends []int
	r := read.NewReader(&got, read.Config{})
	for i := range b {
		if err := r.Push(b[i : i+1]); err != nil {
			t.Fatal(err)
		}
		for len(ends) < len(got.Frames) {
			ends = append(ends, i+1)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return got, ends
}
