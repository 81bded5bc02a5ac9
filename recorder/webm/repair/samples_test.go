package repair_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/repair"
	"weir/recorder/webm/webmtest"
)

// whole returns b after Repair, or after Rewrite if that is what Repair asks for.
// Either way the result is clean.
func whole(t testing.TB, b []byte) (out []byte, r repair.Report, rewritten bool) {
	t.Helper()
	f := &webmtest.RepairMem{B: bytes.Clone(b)}
	r, err := repair.Repair(f, int64(len(b)))
	if errors.Is(err, repair.ErrRewrite) {
		if f.Calls > 0 || !r.Rewrite {
			t.Fatalf("Repair changed a file that it cannot repair: %+v", r)
		}
		out, r = rewrite(t, b)
		return out, r, true
	}
	if err != nil {
		t.Fatalf("Repair: %v", err)
	}
	checkClean(t, f.B)
	return f.B, r, false
}

func rewrite(t testing.TB, b []byte) ([]byte, repair.Report) {
	t.Helper()
	to := &webmtest.MemFile{}
	r, err := repair.Rewrite(bytes.NewReader(b), int64(len(b)), to)
	if err != nil {
		t.Fatalf("Rewrite: %v", err)
	}
	checkClean(t, to.B)
	return to.B, r
}

// foreign returns files that other programs made, by name.
func foreign(t *testing.T) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	out := map[string][]byte{}
	add := func(name, program string, args ...string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if program == "ffmpeg" {
			webmtest.Run(t, "ffmpeg", append(append([]string{"-v", "error", "-y"}, args...), path)...)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	const source = "../testdata/mediarecorder/av_ts100ms.webm"
	add("ffmpeg.webm", "ffmpeg", "-i", source, "-c", "copy")
	add("ffmpeg.mkv", "ffmpeg", "-i", source, "-c", "copy")
	add("reserved.webm", "ffmpeg", "-i", source, "-c", "copy", "-reserve_index_space", "3000")
	add("front.webm", "ffmpeg", "-i", source, "-c", "copy", "-cues_to_front", "1")
	add("live.webm", "ffmpeg", "-i", source, "-c", "copy", "-live", "1")
	add("dash.webm", "ffmpeg", "-i", source, "-map", "0:v", "-c", "copy", "-dash", "1", "-cluster_time_limit", "500")
	add("sound.webm", "ffmpeg", "-i", "../testdata/mediarecorder/a_only_2s.webm", "-c", "copy")
	add("h264.mkv", "ffmpeg", "-f", "lavfi", "-i", "testsrc=s=160x120:r=25", "-f", "lavfi", "-i", "sine",
		"-t", "8", "-c:v", "libx264", "-g", "25", "-bf", "2", "-c:a", "aac", "-cluster_time_limit", "1000")
	for _, s := range webmtest.Samples(t) {
		out[filepath.Base(s.Name)] = s.B
	}
	return out
}

// TestRepairForeignFiles repairs files of others, whole ones and cut ones, and
// requires the same packets as before.
func TestRepairForeignFiles(t *testing.T) {
	for name, b := range foreign(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(7, uint64(len(b))))
			for n := range 2 {
				cut := b
				if n > 0 {
					cut = b[:len(b)/4+random.IntN(len(b)*3/4)]
				}
				got, r, rewritten := whole(t, cut)
				checkPackets(t, cut, got, len(cut) < len(b) || r.Cut > 0)
				checkSeekable(t, got, r)
				t.Logf("%d of %d bytes: rewritten %v, clean %v, %v, %d blocks, cut %d; %v", len(cut), len(b), rewritten,
					r.Clean, r.Duration, r.Frames, r.Cut, r.Faults)
				if n == 0 && !rewritten {
					other, _ := rewrite(t, cut)
					checkPackets(t, cut, other, r.Cut > 0)
					checkSeekable(t, other, r)
				}
			}
		})
	}
}

// checkPackets requires that ffprobe finds the same packets in both files; if cut,
// but for a last one, that may be cut.
func checkPackets(t *testing.T, before, after []byte, cut bool) {
	t.Helper()
	was, is := webmtest.ProbedPackets(t, webmtest.OnDisk(t, before)), webmtest.ProbedPackets(t, webmtest.OnDisk(t, after))
	webmtest.SamePackets(t, "repaired", is, was, cut)
}

// checkSeekable requires a duration that fits to the packets, an index that ffprobe
// uses, and that ffmpeg decodes all of it.
func checkSeekable(t *testing.T, b []byte, r repair.Report) {
	t.Helper()
	name := webmtest.OnDisk(t, b)
	p := webmtest.Probe(t, name)
	d := webmtest.Seconds(t, p.Format.Duration)
	last := 0.0
	for _, g := range p.Packets {
		last = max(last, webmtest.Seconds(t, g.PTS))
	}
	if d < last-1 || d > last+1.1 || d < r.Duration.Seconds()-1 || d > r.Duration.Seconds()+1 {
		t.Errorf("duration %v, the last packet is at %v, the report says %v", d, last, r.Duration)
	}
	again, err := repair.Verify(bytes.NewReader(b), int64(len(b)))
	if err != nil || !again.Indexed || again.Frames != r.Frames || again.Keyframes != r.Keyframes {
		t.Errorf("%v, %+v, was %+v", err, again, r)
	}
	if p := decode(t, name); p != "" {
		t.Errorf("ffmpeg: %s", p)
	}
}

// TestRepairForeignFilesIsKilled is TestRepairIsKilled with files that other
// programs made, whose places for Duration, SeekHead and Cues are other ones.
func TestRepairForeignFilesIsKilled(t *testing.T) {
	stops := 0
	for name, b := range foreign(t) {
		b = b[:len(b)*3/4]
		f := &webmtest.RepairMem{B: bytes.Clone(b)}
		if _, err := repair.Repair(f, int64(len(b))); err != nil {
			if !errors.Is(err, repair.ErrRewrite) {
				t.Fatal(err)
			}
			continue
		}
		for _, torn := range []int{0, 2, 3} {
			stops += killed(t, name, b, f.B, torn, nil)
		}
	}
	if stops < 100 {
		t.Errorf("only %d stops", stops)
	}
}

// decode returns what ffmpeg has against a file. That two frames have the same time,
// as Chromium's now and then have, is nothing that decoding is about.
func decode(t *testing.T, name string) string {
	t.Helper()
	out := webmtest.Run(t, "sh", "-c",
		`exec ffmpeg -v error -err_detect explode -i "$0" -fps_mode passthrough -enc_time_base -1 -f null - 2>&1`, name)
	var complaints []string
	for line := range webmtest.SplitLines(out) {
		if line != "" && !strings.Contains(line, "non monotonically increasing dts to muxer") {
			complaints = append(complaints, line)
		}
	}
	return strings.Join(complaints, "\n")
}

// TestVerifyCountsFrames: a block with several frames counts as so many, and what
// tells their sizes is none of them. Whatever the sizes are, the count is bounded by
// what the block has.
func TestVerifyCountsFrames(t *testing.T) {
	for _, tc := range webmtest.Lacings {
		b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(50, webmtest.El(ebml.SimpleBlockID, webmtest.Laced(tc.Kind, tc.Frames...)),
			webmtest.El(ebml.BlockGroupID, webmtest.El(ebml.BlockID, webmtest.Laced(tc.Kind, tc.Frames...)), webmtest.Number(ebml.BlockDurationID, uint64(8*len(tc.Frames))))))
		size := int64(0)
		for _, f := range tc.Frames {
			size += 2 * int64(len(f))
		}
		report, err := repair.Verify(bytes.NewReader(b), int64(len(b)))
		if n := int64(2 * len(tc.Frames)); err != nil || report.Frames != n {
			t.Errorf("%s: %d frames, %v, want %d", tc.Name, report.Frames, err, n)
		}
		for _, track := range report.Tracks {
			if s := track.Stats; track.Entry.Number == webmtest.LiveAudio && (s.Frames != report.Frames || s.Bytes != size) {
				t.Errorf("%s: %d frames of %d bytes, want %d", tc.Name, s.Frames, s.Bytes, size)
			}
		}
	}
	for _, kind := range []byte{ebml.LacingXiph, ebml.LacingEBML, ebml.LacingFixed} {
		for n := range 4 {
			b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(50, webmtest.SimpleBlock(webmtest.LiveAudio, 0, kind, bytes.Repeat([]byte{255}, n)...), webmtest.SimpleBlock(webmtest.LiveAudio, 20, ebml.FlagKey, 0xFC, 1, 2)))
			report, err := repair.Verify(bytes.NewReader(b), int64(len(b)))
			if err != nil || report.Tracks[1].Stats.Bytes < 0 {
				t.Errorf("%d bytes of nonsense: %+v, %v", n, report, err)
			}
		}
	}
}
