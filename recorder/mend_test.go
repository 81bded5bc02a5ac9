package recorder

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
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
