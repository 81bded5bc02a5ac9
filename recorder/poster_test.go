package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// easel has the poster of the only live stream, and notes since when one was wanted.
type easel struct {
	mu     sync.Mutex
	poster Poster
	since  time.Time
}

func (e *easel) show(jpeg string, shown time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.poster = Poster{JPEG: []byte(jpeg), Shown: shown}
}

func (e *easel) get(_ string, since time.Time) (Poster, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !since.IsZero() {
		e.since = since
	}
	return e.poster, e.poster.JPEG != nil
}

// noPosters makes the pictures' files fail, if that is set, and notes whether the newest
// was written when its recording had its name.
type noPosters struct {
	disk
	fails, sealed, after *atomic.Bool
}

func (d noPosters) Rename(from, to string) error {
	d.sealed.Store(true)
	return d.disk.Rename(from, to)
}

func (d noPosters) WriteFile(name string, data []byte) error {
	if d.fails.Load() && strings.HasSuffix(name, posterSuffix) {
		return syscall.EIO
	}
	if strings.HasSuffix(name, posterSuffix) {
		d.after.Store(d.sealed.Load())
	}
	return d.disk.WriteFile(name, data)
}

// pictured is a broadcast that is being recorded, whose poster a test sets.
type pictured struct {
	t     *testing.T
	dir   string
	r     *Recorder
	show  *show
	easel easel
	start time.Time // of its first recording
	id    string
	fails atomic.Bool // pictures cannot be written

	sealed, after atomic.Bool // see noPosters
}

func newPictured(t *testing.T) *pictured {
	t.Helper()
	p := &pictured{t: t, dir: t.TempDir()}
	r, hub := start(t, Config{Dir: p.dir, Poster: p.easel.get, disk: func(d disk) disk { return noPosters{d, &p.fails, &p.sealed, &p.after} }})
	p.r = r
	p.show = startShow(t, hub, "a", true)
	await(t, "the recording", func() bool { _, ok := r.Active(p.show.id); return ok })
	p.id, _ = r.Active(p.show.id)
	p.start = p.recording().StartedAt
	return p
}

func (p *pictured) recording() Recording {
	p.t.Helper()
	rec, err := p.r.Recording(p.id)
	if err != nil {
		p.t.Fatal(err)
	}
	return rec
}

// kept is the picture beside the file as it is served, "" if there is none. All that
// tells of it has to agree.
func (p *pictured) kept() string {
	p.t.Helper()
	f, rec, err := p.r.OpenPoster(p.id)
	if errors.Is(err, ErrNoPoster) {
		if rec := p.recording(); rec.PosterPath() != "" {
			p.t.Errorf("there is none, at %q", rec.PosterPath())
		}
		return ""
	}
	if err != nil {
		p.t.Fatal(err)
	}
	defer f.Close()
	jpeg, err := io.ReadAll(f)
	if err != nil || int64(len(jpeg)) != rec.PosterBytes || !strings.HasPrefix(rec.PosterPath(), "/recordings/"+p.id+".jpg?v=") {
		p.t.Errorf("%d bytes, %v: %+v", len(jpeg), err, rec)
	}
	raw, err := os.ReadFile(filepath.Join(p.dir, rec.sidecarName()))
	var told Recording
	if err != nil || json.Unmarshal(raw, &told) != nil || told.PosterBytes != rec.PosterBytes || told.PosterAtMS != rec.PosterAtMS {
		p.t.Errorf("the sidecar has %d bytes at %d ms, the catalogue %d at %d", told.PosterBytes, told.PosterAtMS, rec.PosterBytes, rec.PosterAtMS)
	}
	return string(jpeg)
}

// TestPosterIsKept: the first picture lies beside the file at once, and in the end one
// from the second half of the recording.
func TestPosterIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPictured(t)
		if got := p.kept(); got != "" || !p.easel.since.Equal(p.start) {
			t.Errorf("before there is one: %q, wanted since %v", got, p.easel.since)
		}
		for minute, want := range []string{"0", "1", "2", "3", "3", "5", "5", "5", "8", "8"} {
			shown := p.start.Add(time.Duration(minute) * time.Minute)
			time.Sleep(time.Until(shown))
			p.easel.show(string(rune('0'+minute)), shown)
			time.Sleep(3 * time.Second) // a second each to be seen, forced to the disk and told
			if got := p.kept(); got != want {
				t.Errorf("minute %d: %q, want %q", minute, got, want)
			}
		}
		time.Sleep(10 * time.Minute)
		p.easel.show("the last", time.Now()) // right before the end
		p.show.end()
		rec := p.recording()
		if got := p.kept(); got != "the last" || rec.State != Finished || rec.PosterAtMS < rec.DurationMS/2 || rec.PosterAtMS > rec.DurationMS {
			t.Errorf("%q at %d of %d ms, %s", got, rec.PosterAtMS, rec.DurationMS, rec.State)
		}
		if !p.after.Load() {
			t.Error("the last picture took room before the recording was whole")
		}
		if files := visible(t, p.dir); len(files) != 3 {
			t.Errorf("files: %v", files)
		}
		if list, err := List(p.dir); err != nil || len(list) != 1 || list[0].PosterBytes != 8 {
			t.Errorf("List() = %+v, %v", list, err)
		}
		if err := p.r.Delete(p.id); err != nil {
			t.Error(err)
		}
		if files := visible(t, p.dir); len(files) != 0 {
			t.Errorf("files: %v", files)
		}
		if _, _, err := p.r.OpenPoster(p.id); !errors.Is(err, ErrNotFound) {
			t.Errorf("OpenPoster() of what is gone = %v", err)
		}
	})
}

// TestPosterShowsWhatIsRecorded: no picture is kept of what was before the recording, or
// is left out by a pause.
func TestPosterShowsWhatIsRecorded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPictured(t)
		is := func(what, want string) {
			t.Helper()
			time.Sleep(3 * time.Second)
			if got := p.kept(); got != want {
				t.Errorf("%s: %q is kept, want %q", what, got, want)
			}
		}
		p.easel.show("before", p.start.Add(-time.Millisecond))
		is("from before the start", "")
		if _, err := p.r.Pause(t.Context(), p.show.id); err != nil {
			t.Fatal(err)
		}
		p.easel.show("hidden", time.Now())
		is("in a pause", "")
		if _, err := p.r.Resume(t.Context(), p.show.id); err != nil {
			t.Fatal(err)
		}
		resumed := time.Now()
		is("from the pause", "")
		p.easel.show("seen", time.Now())
		is("after the pause", "seen")
		if p.easel.since.Before(p.start) || p.easel.since.After(resumed) {
			t.Errorf("wanted since %v", p.easel.since)
		}
		if _, err := p.r.Pause(t.Context(), p.show.id); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		p.easel.show("hidden", time.Now())
		p.show.end()
		is("at the end, in a pause", "seen")
	})
}

// TestPosterNotWritten: a recording does not suffer for want of its picture, which is
// tried again.
func TestPosterNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPictured(t)
		p.fails.Store(true)
		p.easel.show("first", p.start)
		time.Sleep(5 * time.Second)
		if got := p.kept(); got != "" {
			t.Errorf("%q is kept", got)
		}
		p.fails.Store(false)
		time.Sleep(3 * time.Second)
		if got := p.kept(); got != "first" {
			t.Errorf("%q is kept, want the first", got)
		}
		p.fails.Store(true)
		p.easel.show("second", p.start.Add(time.Second))
		time.Sleep(3 * time.Second)
		p.show.end()
		if got, rec := p.kept(), p.recording(); got != "first" || rec.State != Finished || rec.Reason != "" {
			t.Errorf("%q is kept, %+v", got, rec)
		}
	})
}

// TestPosterSurvivesAKill: a picture whose sidecar was not written any more is found, and
// half of one is removed.
func TestPosterSurvivesAKill(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	lost := leaveOpen(t, dir, "lost", 7)
	write(lost+posterSuffix, "jpeg")
	if err := os.Remove(lost + sidecarSuffix); err != nil {
		t.Fatal(err)
	}
	write(leaveOpen(t, dir, "written", 7)+posterSuffix, "jpeg")
	write(leaveOpen(t, dir, "none", 7)+posterSuffix+freshSuffix, "jp")
	for range 2 { // by the repair, and by reading the sidecar again
		r, err := New(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { _ = r.Run(ctx) })
		await(t, "the repairs", func() bool {
			list, _, err := r.Recordings(Query{State: Interrupted})
			return err == nil && len(list) == 3 && list[0].Frames*list[1].Frames*list[2].Frames > 0
		})
		list, _, _ := r.Recordings(Query{})
		for _, rec := range list {
			want := int64(len("jpeg"))
			if rec.Stream == "none" {
				want = 0
			}
			if rec.PosterBytes != want || rec.PosterAtMS < 0 {
				t.Errorf("%s: a picture of %d bytes at %d ms", rec.Stream, rec.PosterBytes, rec.PosterAtMS)
			}
		}
		// What the catalogue tells is written before Run ends.
		cancel()
		running.Wait()
		r.Close()
		if err := os.Remove(filepath.Join(dir, indexName)); err != nil {
			t.Fatal(err)
		}
	}
	if files := visible(t, dir); len(files) != 8 {
		t.Errorf("files: %v", files)
	}
}

// TestRetentionCountsPosters: what is kept in all is counted with pictures, and they go
// with their files.
func TestRetentionCountsPosters(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		record(t, dir, "s")
	}
	r, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, _, _ := r.Recordings(Query{})
	r.config.RetainBytes = 3 * all[0].Bytes
	for _, rec := range all {
		if err := r.keepPoster(&rec, &posterFile{Poster: Poster{JPEG: make([]byte, 100)}}); err != nil {
			t.Fatal(err)
		}
		r.save(&rec)
	}
	r.tidy(time.Now())
	if left, _, _ := r.Recordings(Query{}); len(left) != 2 || left[0].ID != all[0].ID {
		t.Errorf("%d are left", len(left))
	}
	if files := visible(t, dir); len(files) != 6 {
		t.Errorf("files: %v", files)
	}
}
