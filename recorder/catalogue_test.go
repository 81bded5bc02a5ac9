package recorder

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"weir/sfu/media"
)

// record makes a short recording of a stream.
func record(t *testing.T, dir, stream string) {
	t.Helper()
	r, hub := newTest(t, dir)
	defer r.Close()
	publish(t, hub, stream, []media.TrackInfo{audioTrack}, func(b *broadcast) {
		for n := range 10 {
			b.audio(n, time.Duration(n)*audioStep)
		}
	})
}

func TestCatalogueIsReadAgain(t *testing.T) {
	dir := t.TempDir()
	for _, stream := range []string{"a", "b/c", "a"} {
		record(t, dir, stream)
	}
	r, _ := newTest(t, dir)
	all, next, _ := r.Recordings(Query{})
	if len(all) != 3 || next != "" {
		t.Fatalf("%d recordings, next %q", len(all), next)
	}
	if !slices.IsSortedFunc(all, func(a, b Recording) int { return b.StartedAt.Compare(a.StartedAt) }) {
		t.Error("not newest first")
	}
	if list, _, _ := r.Recordings(Query{Stream: "a"}); len(list) != 2 {
		t.Errorf("%d recordings of a, want 2", len(list))
	}
	f, rec, err := r.Open(all[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if n, err := io.Copy(io.Discard, f); err != nil || n != rec.Bytes {
		t.Errorf("the file has %d bytes, %v; the catalogue says %d", n, err, rec.Bytes)
	}
}

func TestPages(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		record(t, dir, "s")
	}
	r, _ := newTest(t, dir)
	var ids []string
	q := Query{Limit: 2}
	for {
		page, next, _ := r.Recordings(q)
		for _, rec := range page {
			ids = append(ids, rec.ID)
		}
		if next == "" {
			break
		}
		q.After = next
	}
	all, _, _ := r.Recordings(Query{})
	if len(ids) != 5 || ids[0] != all[0].ID || ids[4] != all[4].ID {
		t.Errorf("pages bring %v", ids)
	}
}

// TestInterrupted: what a killed program left is listed as what it is, and can
// be opened.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "s")
	rec := rewind(t, dir)
	r, _ := newTest(t, dir)
	got, err := r.Recording(rec.ID)
	if err != nil || got.State != Interrupted || got.EndedAt == nil || got.Bytes == 0 || got.Reason == "" {
		t.Fatalf("listed as %+v, %v", got, err)
	}
	f, _, err := r.Open(rec.ID)
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// rewind puts the one recording in dir back to how it was before its end.
func rewind(t *testing.T, dir string) Recording {
	t.Helper()
	r, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	rec, file := only(t, r, dir)
	if err := os.Rename(file, file+partSuffix); err != nil {
		t.Fatal(err)
	}
	rec.State, rec.EndedAt = Active, nil
	if err := r.writeSidecar(&rec); err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestStrangeFiles: what is not ours or damaged is left out, and nothing else
// suffers.
func TestStrangeFiles(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "s")
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "s", name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("notes.json", `{"hello":"world"}`)
	write("20260101T000000Z-x.json", `{"id":"x",`)
	write("20260101T000000Z-y.json", `{"id":"y"}`) // no media beside it
	write("20260101T000000Z-z.json", `{"id":"other"}`)
	write("film.webm", "?")
	if err := os.Symlink("/", filepath.Join(dir, "s", "20260101T000000Z-w.json")); err != nil {
		t.Fatal(err)
	}
	r, _ := newTest(t, dir)
	if list, _, _ := r.Recordings(Query{}); len(list) != 1 {
		t.Errorf("%d recordings, want 1: %+v", len(list), list)
	}
	for _, id := range []string{"", "x", "y", "other", "../s", "."} {
		if _, _, err := r.Open(id); !errors.Is(err, ErrNotFound) {
			t.Errorf("Open(%q) = %v, want ErrNotFound", id, err)
		}
	}
}

func TestDeletedFileIsNotFound(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "s")
	r, _ := newTest(t, dir)
	rec, file := only(t, r, dir)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Open(rec.ID); !errors.Is(err, ErrNotFound) {
		t.Errorf("Open = %v, want ErrNotFound", err)
	}
}

func TestUnusableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Dir: filepath.Join(file, "recordings")}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("New = %v, want an error that names the folder", err)
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a recorder without a folder")
	}
}
