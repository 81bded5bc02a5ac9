package recorder

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// leaveOpen records n pictures of a stream and leaves the file as a program does
// that is killed: not finished, and without its last cut bytes.
func leaveOpen(t *testing.T, dir, stream string, cut int) (base string) {
	t.Helper()
	r, hub := start(t, Config{Dir: dir})
	s := startShow(t, hub, stream, true)
	s.pictures(20)
	var data, sidecar []byte
	await(t, "the file", func() bool {
		parts, _ := filepath.Glob(filepath.Join(dir, stream, "*"+partSuffix))
		if len(parts) != 1 {
			return false
		}
		base = strings.TrimSuffix(parts[0], ".webm"+partSuffix)
		var err error
		if data, err = os.ReadFile(parts[0]); err != nil {
			t.Fatal(err)
		}
		if sidecar, err = os.ReadFile(base + sidecarSuffix); err != nil {
			t.Fatal(err)
		}
		return len(data) > 20_000
	})
	s.end()
	r.Close()
	if err := os.Remove(base + ".webm"); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{base + ".webm" + partSuffix: data[:len(data)-cut], base + sidecarSuffix: sidecar} {
		if err := os.WriteFile(name, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return base
}

// TestMend: at start every file that was left open becomes a whole one, in the
// catalogue and on the disk, wherever it was cut; a sidecar that is lost is made
// again; and another start finds nothing to do.
func TestMend(t *testing.T) {
	dir := t.TempDir()
	cut := leaveOpen(t, dir, "cut", 7)
	whole := leaveOpen(t, dir, "whole", 0)
	orphan := leaveOpen(t, dir, "a/orphan", 100)
	if err := os.Remove(orphan + sidecarSuffix); err != nil {
		t.Fatal(err)
	}
	renamed := leaveOpen(t, dir, "renamed", 0)
	if err := os.Rename(renamed+".webm"+partSuffix, renamed+".webm"); err != nil {
		t.Fatal(err)
	}
	// Killed while the header was being written, and while a sidecar was.
	empty := filepath.Join(dir, "cut", "20260101T000000Z-empty.webm"+partSuffix)
	for name, content := range map[string]string{empty: "\x1a\x45\xdf", cut + sidecarSuffix + freshSuffix: "{", whole + ".webm" + partSuffix + fixedSuffix: "x"} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now()
	r, _ := newTest(t, dir)
	if took := time.Since(before); took > 2*time.Second {
		t.Errorf("the recorder was ready after %v", took)
	}
	await(t, "the repairs", func() bool {
		parts, _ := filepath.Glob(filepath.Join(dir, "*", "*"+partSuffix))
		more, _ := filepath.Glob(filepath.Join(dir, "*", "*", "*"+partSuffix))
		return len(parts)+len(more) == 0
	})
	await(t, "the catalogue", func() bool {
		list, _, err := r.Recordings(Query{State: Interrupted})
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range list {
			if rec.Frames == 0 {
				return false
			}
		}
		return len(list) == 4
	})
	for _, rec := range checkFiles(t, r) {
		if got := numbers(t, r, rec.ID); len(got) < 15 || got[0] != 0 {
			t.Errorf("%s has %d pictures", rec.Stream, len(got))
		}
		checkRepaired(t, &rec)
		if known := rec.Gaps != nil; known == (rec.Stream == "a/orphan") {
			t.Errorf("%s: gaps %v", rec.Stream, rec.Gaps)
		}
		if rec.Reason == "" || rec.DurationMS < 500 || !strings.HasSuffix(rec.base, rec.ID) || rec.EndedAt == nil {
			t.Errorf("%+v", rec)
		}
	}
	if files := visible(t, dir); len(files) != 8 {
		t.Errorf("files: %v", files)
	}
	if list, _, _ := r.Recordings(Query{Stream: "a/orphan"}); len(list) != 1 {
		t.Errorf("the orphan is %+v", list)
	}
	r.Close()
	again, _ := newTest(t, dir)
	if len(again.broken) != 0 {
		t.Errorf("another start finds %d recordings to repair", len(again.broken))
	}
	if list, _, _ := again.Recordings(Query{}); len(list) != 4 {
		t.Errorf("%d recordings", len(list))
	}
}

// checkRepaired checks that what a sidecar says of each track is what is in the file.
func checkRepaired(t *testing.T, rec *Recording) {
	t.Helper()
	if len(rec.Tracks) != 2 {
		t.Fatalf("%s: tracks %+v", rec.Stream, rec.Tracks)
	}
	v, a := rec.Tracks[0], rec.Tracks[1]
	if v.ID != "video" || v.Kind != "video" || v.Codec != "vp8" || v.Keyframes != rec.Keyframes || v.Keyframes == 0 ||
		v.Bytes != 500*v.Frames || v.Width != sfutest.Width || v.Height != sfutest.Height {
		t.Errorf("%s: the picture is %+v", rec.Stream, v)
	}
	if a.ID != "audio" || a.Codec != "opus" || a.Bytes != 80*a.Frames || v.Frames+a.Frames != rec.Frames {
		t.Errorf("%s: of %d frames the sound has %+v", rec.Stream, rec.Frames, a)
	}
}

// TestUnknownIsAbsent: what a sidecar of a program that was killed cannot know is not
// told as zero.
func TestUnknownIsAbsent(t *testing.T) {
	dir := t.TempDir()
	base := leaveOpen(t, dir, "cut", 7)
	info, err := os.Stat(base + ".webm" + partSuffix)
	if err != nil {
		t.Fatal(err)
	}
	rec := Recording{Tracks: []Track{{ID: "video", Frames: 7, Bytes: 7, Keyframes: 7}}, Frames: 7, Keyframes: 7}
	rec.interrupt(info)
	raw, err := json.Marshal(&rec)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"frames", "keyframes", "gaps", "quality"} {
		if strings.Contains(string(raw), `"`+key+`"`) {
			t.Errorf("%s is told: %s", key, raw)
		}
	}
}

// TestGapsOutliveTheProgram: a gap is in the sidecar while the recording goes on, and
// still there when the next program has repaired the file.
func TestGapsOutliveTheProgram(t *testing.T) {
	dir := t.TempDir()
	r, hub := start(t, Config{Dir: dir, SyncInterval: 10 * time.Millisecond})
	var base string
	var data, sidecar []byte
	publish(t, hub, "gap", both, func(b *broadcast) {
		for n := range 10 {
			b.video(n, time.Duration(n)*videoStep)
		}
		w := b.writers["video"]
		w.WriteFrame(media.Frame{PTS: time.Second, Sync: true, Gap: true, Data: sfutest.VP8Frame(100, true, 5000)})
		w.WriteFrame(media.Frame{PTS: time.Second + videoStep, Data: sfutest.VP8Frame(101, false, 5000)})
		await(t, "the gap in the sidecar", func() bool {
			parts, _ := filepath.Glob(filepath.Join(dir, "gap", "*"+partSuffix))
			if len(parts) != 1 {
				return false
			}
			base = strings.TrimSuffix(parts[0], ".webm"+partSuffix)
			var err error
			if sidecar, err = os.ReadFile(base + sidecarSuffix); err != nil {
				return false // not yet
			}
			if data, err = os.ReadFile(parts[0]); err != nil {
				t.Error(err)
			}
			return strings.Contains(string(sidecar), `"duration_ms": 640`)
		})
	})
	r.Close()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "gap"), 0o755); err != nil {
		t.Fatal(err)
	}
	base = filepath.Join(dir, "gap", filepath.Base(base))
	for suffix, content := range map[string][]byte{".webm" + partSuffix: data, sidecarSuffix: sidecar} {
		if err := os.WriteFile(base+suffix, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again, _ := newTest(t, dir)
	var rec Recording
	await(t, "the repair", func() bool {
		list, _, err := again.Recordings(Query{State: Interrupted})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		rec = list[0]
		return rec.Frames > 0
	})
	if want := (Gap{Track: "video", AtMS: 360, DurationMS: 640}); len(rec.Gaps) != 1 || rec.Gaps[0] != want || rec.Frames < 11 {
		t.Errorf("%d frames, gaps %+v, want %+v", rec.Frames, rec.Gaps, want)
	}
}
