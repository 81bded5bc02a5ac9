package recorder

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// show is a broadcast that a test drives: it goes on, in real time, until it is
// ended.
type show struct {
	t    *testing.T
	pub  *sfu.Publication
	id   string
	stop chan struct{}
	done chan struct{}

	mu   sync.Mutex
	sent int // pictures
}

// Run implements sfu.Source.
func (s *show) Run(ctx context.Context, pub *sfu.Publication) error {
	writers, err := pub.AddTracks(sfu.Frames, videoTrack, audioTrack)
	if err != nil {
		return err
	}
	video, audio := writers[0], writers[1]
	tick := time.NewTicker(videoStep)
	defer tick.Stop()
	for n := 0; ; n++ {
		now := max(pub.Now(), time.Microsecond)
		video.WriteFrame(media.Frame{PTS: now, Sync: n%5 == 0, Data: sfutest.VP8Frame(n, n%5 == 0, 500)})
		for _, at := range []time.Duration{now, now + audioStep} {
			audio.WriteFrame(media.Frame{PTS: at, Sync: true, Data: sfutest.OpusFrame(n, 80)})
		}
		s.mu.Lock()
		s.sent++
		s.mu.Unlock()
		select {
		case <-tick.C:
		case <-s.stop:
			return nil
		}
	}
}

// startShow publishes until the test ends, or end is called.
func startShow(t *testing.T, hub *sfu.Hub, name string, record bool) *show {
	t.Helper()
	pub, err := hub.Publish(name, sfu.PublishOptions{Record: record})
	if err != nil {
		t.Fatal(err)
	}
	s := &show{t: t, pub: pub, id: pub.Info().ID, stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		pub.Run(context.Background(), s)
	}()
	t.Cleanup(s.end)
	s.pictures(1)
	return s
}

// pictures waits until n more were sent.
func (s *show) pictures(n int) {
	s.t.Helper()
	s.mu.Lock()
	want := s.sent + n
	s.mu.Unlock()
	await(s.t, "pictures", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.sent >= want
	})
}

// end ends the broadcast and waits for its recordings.
func (s *show) end() {
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	<-s.done
}

// await polls until ok.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within 30 s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// numbers returns the numbers of the pictures in a recording's file.
func numbers(t *testing.T, r *Recorder, id string) (list []int) {
	t.Helper()
	f, _, err := r.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	c := &frames{}
	reader := read.NewReader(c, read.Config{})
	if err := errors.Join(reader.Push(data), reader.Close()); err != nil {
		t.Fatalf("%s: %v", id, err)
	}
	for _, f := range c.list {
		if n, ok := sfutest.VP8Number(f); ok {
			list = append(list, n)
		}
	}
	return list
}

// frames is a read.Receiver that keeps what it gets.
type frames struct{ list [][]byte }

func (*frames) Header(read.Header) error   { return nil }
func (c *frames) Frame(f read.Frame) error { c.list = append(c.list, slices.Clone(f.Data)); return nil }
func (*frames) Damage(ebml.Damage)         {}

// TestControl: a live stream's recording is started, paused, resumed and stopped
// by order; events tell.
func TestControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var events []string
		r, hub := start(t, Config{Dir: t.TempDir(), OnEvent: func(e Event) {
			mu.Lock()
			defer mu.Unlock()
			events = append(events, e.Type)
		}})
		s := startShow(t, hub, "a", false)
		check := func(want string) func(Status, error) Status {
			return func(got Status, err error) Status {
				t.Helper()
				if err != nil || got.State != want {
					t.Errorf("it is %+v, %v; want %s", got, err, want)
				}
				return got
			}
		}
		ctx := t.Context()
		check("off")(r.Status(ctx, s.id))
		if _, err := r.Pause(ctx, s.id); !errors.Is(err, ErrNotRecording) {
			t.Errorf("a pause of nothing: %v", err)
		}
		s.pictures(20)
		check("recording")(r.Start(ctx, s.id, map[string]string{"class": "5b"}))
		check("recording")(r.Start(ctx, s.id, nil))
		s.pictures(20)
		check("paused")(r.Pause(ctx, s.id))
		s.pictures(20)
		check("recording")(r.Resume(ctx, s.id))
		s.pictures(20)
		first := check("recording")(r.Status(ctx, s.id)).Recording
		check("off")(r.Stop(ctx, s.id))
		check("off")(r.Stop(ctx, s.id))
		s.pictures(10)
		check("recording")(r.Start(ctx, s.id, nil))
		s.pictures(10)
		s.end()
		if _, err := r.Start(ctx, s.id, nil); !errors.Is(err, ErrNotFound) {
			t.Errorf("a start after the end: %v", err)
		}

		list, _, err := r.Recordings(Query{})
		if err != nil || len(list) != 2 || list[1].ID != first || list[0].Previous != first || list[1].Next != list[0].ID || list[0].Part != 2 {
			t.Fatalf("%v; recordings %+v", err, list)
		}
		one := list[1]
		if one.State != Finished || one.Metadata["class"] != "5b" || len(one.Gaps) != 2 || one.Gaps[0].Reason != "paused" || one.Quality == nil || one.Quality.Verdict != "clean" {
			t.Errorf("the first is %+v, with %+v", one, one.Quality)
		}
		got := numbers(t, r, first)
		breaks := 0
		for i, n := range got {
			if i > 0 && n != got[i-1]+1 {
				breaks++
				if n%5 != 0 {
					t.Errorf("after the pause comes picture %d, which is no keyframe", n)
				}
			}
		}
		if breaks != 1 || got[0]%5 != 0 || got[0] < 10 {
			t.Errorf("the file has the pictures %v", got)
		}
		mu.Lock()
		defer mu.Unlock()
		want := []string{EventStarted, EventPaused, EventResumed, EventFinished, EventStarted, EventFinished}
		if !slices.Equal(events, want) {
			t.Errorf("events %v, want %v", events, want)
		}
	})
}

// TestRotation: parts begin with a keyframe, and one after the other they are the
// whole: no frame is missing and none is twice.
func TestRotation(t *testing.T) {
	for name, c := range map[string]Config{"time": {RotateAfter: time.Second}, "size": {RotateBytes: 8 << 10}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.Dir = t.TempDir()
				r, hub := start(t, c)
				s := startShow(t, hub, "a", true)
				s.pictures(90)
				s.end()
				list, _, err := r.Recordings(Query{})
				if err != nil || len(list) < 3 {
					t.Fatalf("%d parts, %v", len(list), err)
				}
				slices.Reverse(list)
				var all []int
				for i, rec := range list {
					part := numbers(t, r, rec.ID)
					if part[0]%5 != 0 || rec.Part != i+1 || i > 0 && (rec.Previous != list[i-1].ID || list[i-1].Next != rec.ID) {
						t.Errorf("part %d: %+v begins with picture %d", i, rec, part[0])
					}
					if i > 0 { // the times go on, too
						gap := rec.StartedAt.Sub(*list[i-1].EndedAt).Abs()
						if gap > 3*videoStep {
							t.Errorf("part %d begins %v from the end of the one before", i, gap)
						}
					}
					all = append(all, part...)
				}
				for i, n := range all {
					if i != n {
						t.Fatalf("picture %d is at place %d", n, i)
					}
				}
				if len(all) != s.sent {
					t.Errorf("%d pictures in all, want %d", len(all), s.sent)
				}
			})
		})
	}
}

// TestRetention: what is too old or too much is deleted, the oldest first, and
// nothing else.
func TestRetention(t *testing.T) {
	dir := t.TempDir()
	for range 5 {
		record(t, dir, "s")
	}
	r, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, _, _ := r.Recordings(Query{})
	r.config.RetainBytes = 3 * all[0].Bytes
	r.tidy(time.Now())
	left, _, _ := r.Recordings(Query{})
	if len(left) != 3 || left[0].ID != all[0].ID || left[2].ID != all[2].ID {
		t.Errorf("%d are left", len(left))
	}
	if files := visible(t, dir); len(files) != 6 {
		t.Errorf("files: %v", files)
	}
	r.config.RetainBytes, r.config.RetainAge = 0, time.Hour
	r.tidy(time.Now())
	if left, _, _ := r.Recordings(Query{}); len(left) != 3 {
		t.Errorf("%d are left, though none is old", len(left))
	}
	r.tidy(time.Now().Add(2 * time.Hour))
	if files := visible(t, dir); len(files) != 0 {
		t.Errorf("files: %v", files)
	}
}

// TestDelete: what goes on is not deleted, nor what does not exist.
func TestDelete(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	s := startShow(t, hub, "a", true)
	await(t, "the recording", func() bool { _, ok := r.Active(s.id); return ok })
	id, _ := r.Active(s.id)
	if err := r.Delete(id); !errors.Is(err, ErrActive) {
		t.Errorf("Delete() of what goes on = %v", err)
	}
	if _, err := r.Describe(id, Change{}); !errors.Is(err, ErrActive) {
		t.Errorf("Describe() of what goes on = %v", err)
	}
	s.end()
	if rec, err := r.Describe(id, Change{Metadata: &map[string]string{"a": "b"}}); err != nil || rec.Metadata["a"] != "b" {
		t.Errorf("Describe() = %+v, %v", rec, err)
	}
	if err := r.Delete(id); err != nil {
		t.Error(err)
	}
	if err := r.Delete(id); !errors.Is(err, ErrNotFound) {
		t.Errorf("the second Delete() = %v", err)
	}
	if files := visible(t, dir); len(files) != 0 {
		t.Errorf("files: %v", files)
	}
}

// TestIndexIsRebuilt: the sidecars are the truth. An index that is missing, or
// garbage, or older than they are, is made again from them.
func TestIndexIsRebuilt(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		record(t, dir, "s")
	}
	list := func() []Recording {
		t.Helper()
		r, err := New(Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		all, _, err := r.Recordings(Query{})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	want := list()
	x := filepath.Join(dir, indexName)
	for name, spoil := range map[string]func() error{
		"missing": func() error { return os.Remove(x) },
		"garbage": func() error { return os.WriteFile(x, make([]byte, 50_000), 0o644) },
		"torn": func() error {
			raw, err := os.ReadFile(x)
			if err != nil {
				return err
			}
			return os.WriteFile(x, raw[:len(raw)/2], 0o644)
		},
		"in order": func() error { return nil },
	} {
		for _, suffix := range []string{"-wal", "-shm"} {
			os.Remove(x + suffix)
		}
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		got := list()
		if len(got) != 3 || got[0].ID != want[0].ID || got[2].ID != want[2].ID || got[1].Frames != want[1].Frames {
			t.Errorf("%s: %+v", name, got)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "s", "*"+want[0].ID+"*"))
	for _, f := range files {
		os.Remove(f)
	}
	if got := list(); len(got) != 2 || got[0].ID != want[1].ID {
		t.Errorf("after one was removed by hand: %+v", got)
	}
}

// TestQueries: filters select, in the index and among what goes on.
func TestQueries(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"acme/alice/desk", "acme/bob", "acme2/x"} {
		record(t, dir, name)
	}
	r, hub := newTest(t, dir)
	s := startShow(t, hub, "acme/alice/cam", true)
	await(t, "the recording", func() bool { _, ok := r.Active(s.id); return ok })
	now := time.Now()
	bob, _, err := r.Recordings(Query{Stream: "acme/bob"})
	if err != nil {
		t.Fatal(err)
	}
	title := "Über den Hafen, Москва Ωμέγα"
	if _, err := r.Describe(bob[0].ID, Change{TextsChange: sfu.TextsChange{Title: &title}}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		q    Query
		want int
	}{
		{Query{}, 4}, {Query{Stream: "acme/bob"}, 1}, {Query{Prefix: "acme"}, 3}, {Query{Prefix: "acme/alice"}, 2},
		{Query{Prefix: "acme/alice/desk"}, 0}, {Query{State: Active}, 1}, {Query{State: Finished}, 3}, {Query{State: Failed}, 0},
		{Query{Until: now.Add(time.Minute)}, 4}, {Query{From: now.Add(time.Minute)}, 0}, {Query{StreamID: s.id}, 1}, {Query{Limit: 2}, 2},
		{Query{Search: "ALICE"}, 2}, {Query{Search: "acme%"}, 0}, {Query{Search: "cme_"}, 0}, {Query{Search: "bob", Prefix: "acme"}, 1},
		{Query{Search: "hafen"}, 1}, {Query{Search: "über"}, 1}, {Query{Search: "ÜBER"}, 1}, {Query{Search: `\`}, 0},
		{Query{Search: "москва ωμέγα"}, 1}, {Query{Search: "мОСКВА"}, 1}, {Query{Search: strings.Repeat("_", 30_000)}, 0}, {Query{Search: "cme/b"}, 1},
		{Query{Verdicts: []string{"clean", "repaired"}}, 3}, {Query{Verdicts: []string{"poor"}}, 0},
	} {
		got, next, err := r.Recordings(tt.q)
		if err != nil || len(got) != tt.want || (next != "") != (tt.q.Limit > 0) {
			t.Errorf("%+v: %d recordings, next %q, %v; want %d", tt.q, len(got), next, err, tt.want)
		}
	}
	page, next, _ := r.Recordings(Query{Limit: 1})
	if page[0].Stream != "acme/alice/cam" {
		t.Errorf("the newest is of %s", page[0].Stream)
	}
	if rest, _, err := r.Recordings(Query{After: next}); err != nil || len(rest) != 3 {
		t.Errorf("%d follow, %v", len(rest), err)
	}
	if _, _, err := r.Recordings(Query{After: "nobody"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("after what does not exist: %v", err)
	}
}

func TestParseSpace(t *testing.T) {
	for text, want := range map[string]Space{
		"5%": {Percent: 5}, "0.5 %": {Percent: 0.5}, "500MB": {Bytes: 500e6}, "1GiB": {Bytes: 1 << 30}, "1.5 kB": {Bytes: 1500}, "0": {}, "12": {Bytes: 12},
	} {
		if got, err := ParseSpace(text); err != nil || got != want {
			t.Errorf("%q is %+v, %v; want %+v", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "%", "-1", "101%", "1XB", "NaN", "1e99TB", "five"} {
		if got, err := ParseSpace(bad); err == nil {
			t.Errorf("%q is %+v", bad, got)
		}
	}
	if got := defaultMinFree.of(100 << 30); got != 1<<30 {
		t.Errorf("of 100 GiB %d bytes are to stay free", got)
	}
	if got := defaultMinFree.of(100 << 20); got != 5<<20 {
		t.Errorf("of 100 MiB %d bytes are to stay free", got)
	}
}
