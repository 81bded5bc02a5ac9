package recorder

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"weir/sfu"
)

// TestTexts: what is said of a stream is in the sidecar and in the index of each of its
// files, follows a change while it is live, and can be changed later.
func TestTexts(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	s := startShow(t, hub, "a", true)
	say := func(title, description string) {
		t.Helper()
		if _, err := hub.Describe("a", sfu.TextsChange{Title: &title, Description: &description}); err != nil {
			t.Fatal(err)
		}
	}
	say("港からの生中継", "一行目\n二行目")
	await(t, "the recording", func() bool { _, ok := r.Active(s.id); return ok })
	id, _ := r.Active(s.id)
	sidecar := func() (rec Recording) {
		files, _ := filepath.Glob(filepath.Join(dir, "a", "*"+id+sidecarSuffix))
		if len(files) != 1 {
			t.Fatalf("sidecars: %v", files)
		}
		raw, err := os.ReadFile(files[0])
		if err == nil {
			err = json.Unmarshal(raw, &rec)
		}
		if err != nil {
			t.Fatal(err)
		}
		return rec
	}
	await(t, "the title in the sidecar", func() bool { return sidecar().Title == "港からの生中継" })
	say("بثّ من الميناء", "")
	await(t, "the change in the sidecar", func() bool {
		now := sidecar()
		return now.Title == "بثّ من الميناء" && now.Description == ""
	})
	if rec, err := r.Recording(id); err != nil || rec.Title != "بثّ من الميناء" {
		t.Errorf("the catalogue has %+v, %v", rec, err)
	}
	title := "🎬"
	if _, err := r.Describe(id, Change{TextsChange: sfu.TextsChange{Title: &title}}); !errors.Is(err, ErrActive) {
		t.Errorf("Describe() of what goes on = %v", err)
	}
	say("the last", "word") // right before the end
	s.end()
	if rec := sidecar(); rec.Title != "the last" || rec.Description != "word" {
		t.Errorf("the sidecar has %+v", rec)
	}
	if rec, err := r.Describe(id, Change{TextsChange: sfu.TextsChange{Title: &title}}); err != nil || rec.Title != title || rec.Description != "word" {
		t.Errorf("Describe() = %+v, %v", rec, err)
	}
	long := strings.Repeat("a", 121)
	if _, err := r.Describe(id, Change{TextsChange: sfu.TextsChange{Title: &long}}); !errors.Is(err, sfu.ErrBadTitle) {
		t.Errorf("Describe() with a long title = %v", err)
	}
	list, _, err := r.Recordings(Query{Stream: "a"})
	if err != nil || len(list) != 1 || list[0].Title != title || sidecar().Title != title {
		t.Errorf("the index has %+v, %v", list, err)
	}
}

// TestTextsSurviveARestart: a repair and a new index keep what the sidecar says, and a
// sidecar from before there were titles is read as one without.
func TestTextsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	base := leaveOpen(t, dir, "a", 7)
	old := leaveOpen(t, dir, "old", 7)
	edit := func(base string, change func(map[string]any)) {
		t.Helper()
		raw, err := os.ReadFile(base + sidecarSuffix)
		fields := map[string]any{}
		if err == nil {
			err = json.Unmarshal(raw, &fields)
		}
		if err != nil {
			t.Fatal(err)
		}
		change(fields)
		if raw, err = json.Marshal(fields); err == nil {
			err = os.WriteFile(base+sidecarSuffix, raw, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	edit(base, func(fields map[string]any) { fields["title"], fields["description"] = "港から", "a\nb" })
	edit(old, func(fields map[string]any) {
		if _, there := fields["title"]; there {
			t.Error("a sidecar without a title has one")
		}
	})
	if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
		t.Fatal(err)
	}
	for range 2 { // by the repair, and by reading the sidecar again
		r, _ := newTest(t, dir)
		await(t, "the repairs", func() bool {
			list, _, err := r.Recordings(Query{State: Interrupted})
			return err == nil && len(list) == 2 && list[0].Frames > 0 && list[1].Frames > 0
		})
		for stream, want := range map[string]sfu.Texts{"a": {Title: "港から", Description: "a\nb"}, "old": {}} {
			list, _, err := r.Recordings(Query{Stream: stream})
			if err != nil || len(list) != 1 || list[0].texts() != want {
				t.Errorf("%s: %+v, %v", stream, list, err)
			}
		}
		r.Close()
		if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
			t.Fatal(err)
		}
	}
}
