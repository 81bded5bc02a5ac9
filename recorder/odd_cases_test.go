package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"weir/sfu"
	"weir/sfu/codec"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// TestLatePicture: a picture that comes long after the sound, of a codec that has
// to be described ahead, is in the same part.
func TestLatePicture(t *testing.T) {
	for _, c := range []media.Codec{media.VP9, media.AV1, media.H264} {
		t.Run(c.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, hub := newTest(t, t.TempDir())
				format, _ := codec.For(c)
				pictures := 0
				publish(t, hub, "a", []media.TrackInfo{audioTrack, {ID: "video", Codec: c}}, func(b *broadcast) {
					for n := range 300 {
						at := time.Duration(n) * audioStep
						b.writers["audio"].WriteFrame(media.Frame{PTS: at, Sync: true, Data: sfutest.OpusFrame(n, 80)})
						if n >= 200 {
							data := sfutest.Frame(c, n, n%10 == 0, 500)
							if _, ok := format.CodecPrivate(data); n%10 == 0 && !ok {
								t.Fatal("the test's keyframes are not described")
							}
							b.writers["video"].WriteFrame(media.Frame{PTS: at, Sync: n%10 == 0, Data: data})
							pictures++
						}
						time.Sleep(audioStep)
					}
				})
				list := checkSuffixes(t, r)
				got := int64(0)
				for _, rec := range list {
					for _, track := range rec.Tracks {
						if track.Kind == "video" {
							got += track.Frames
						}
					}
				}
				if len(list) != 1 || got != int64(pictures) {
					t.Errorf("%d of %d pictures in %d parts", got, pictures, len(list))
				}
			})
		})
	}
}

// checkSuffixes returns all recordings, which are finished.
func checkSuffixes(t *testing.T, r *Recorder) []Recording {
	t.Helper()
	list, _, err := r.Recordings(Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range list {
		if rec.State != Finished {
			t.Errorf("%+v", rec)
		}
	}
	return list
}

// onRequest is a Source that sends keyframes only when it is asked for one, as
// browsers do.
type onRequest struct {
	begun chan struct{}
	stop  chan struct{}
}

func (o onRequest) Run(_ context.Context, pub *sfu.Publication) error {
	writers, err := pub.AddTracks(sfu.Frames, videoTrack)
	if err != nil {
		return err
	}
	w := writers[0]
	key := true
	for n := 0; ; n++ {
		w.WriteFrame(media.Frame{PTS: pub.Now() + 1, Sync: key, Data: sfutest.VP8Frame(n, key, 500)})
		key = false
		if n == 0 {
			close(o.begun)
		}
		select {
		case <-pub.KeyframeRequests():
			key = true
		case <-o.stop:
			return nil
		case <-time.After(videoStep):
		}
	}
}

// TestStopAndStart: a recording that is started again asks for a keyframe to begin
// with.
func TestStopAndStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, hub := newTest(t, t.TempDir())
		pub, err := hub.Publish("a", sfu.PublishOptions{Record: true})
		if err != nil {
			t.Fatal(err)
		}
		src := onRequest{make(chan struct{}), make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			pub.Run(context.Background(), src)
		}()
		<-src.begun
		id := pub.Info().ID
		time.Sleep(5 * time.Second)
		r.Stop(t.Context(), id)
		time.Sleep(100 * time.Millisecond)
		r.Start(t.Context(), id, nil)
		time.Sleep(5 * time.Second)
		close(src.stop)
		<-done
		list := checkSuffixes(t, r)
		if len(list) != 2 || list[0].Frames < 90 || list[1].Frames < 120 {
			t.Errorf("recordings: %+v", list)
		}
	})
}

// TestUnreadableIsKept: a file that cannot be read is not taken for an empty one.
func TestUnreadableIsKept(t *testing.T) {
	dir := t.TempDir()
	base := leaveOpen(t, dir, "a", 0)
	part := base + ".webm" + partSuffix
	data, err := os.ReadFile(part)
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, make([]byte, emptyBytes)...)
	clear(data[:64])
	if err := os.WriteFile(part, data, 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := New(Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, rec := range r.broken {
		r.mend(rec)
	}
	if files := visible(t, dir); len(files) != 2 {
		t.Errorf("left: %v", files)
	}
	if list, _, _ := r.Recordings(Query{}); len(list) != 1 || list[0].State != Interrupted {
		t.Errorf("recordings: %+v", list)
	}
}

// TestSidecarWriters: many who write a sidecar at once leave a whole one.
func TestSidecarWriters(t *testing.T) {
	dir := t.TempDir()
	record(t, dir, "s")
	r, _ := newTest(t, dir)
	list, _, _ := r.Recordings(Query{})
	id := list[0].ID
	var writing sync.WaitGroup
	for i := range 8 {
		writing.Go(func() {
			for n := range 20 {
				if _, err := r.Describe(id, Change{Metadata: &map[string]string{"n": fmt.Sprint(i, n)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writing.Wait()
	files, _ := filepath.Glob(filepath.Join(dir, "s", "*"))
	if len(files) != 2 {
		t.Errorf("files: %v", files)
	}
	for _, name := range files {
		if !strings.HasSuffix(name, sidecarSuffix) {
			continue
		}
		raw, err := os.ReadFile(name)
		var rec Recording
		if err := errors.Join(err, json.Unmarshal(raw, &rec)); err != nil || rec.Metadata["n"] == "" {
			t.Errorf("the sidecar is %s, %v", raw, err)
		}
	}
}

// TestUnnamedIsMended: a file that could not get its name gets it from the next
// server, and stays what it is.
func TestUnnamedIsMended(t *testing.T) {
	var broken atomic.Bool
	d := newFaulty(func(op string, _ int) error {
		if op == "rename" && broken.Load() {
			return syscall.EIO
		}
		return nil
	})
	c := d.config(t)
	r, hub := start(t, c)
	s := startShow(t, hub, "a", true)
	s.pictures(20)
	broken.Store(true)
	s.end()
	list, _, _ := r.Recordings(Query{})
	if len(list) != 1 || list[0].State != Failed {
		t.Fatalf("recordings: %+v", list)
	}
	r.Close()
	again, _ := newTest(t, c.Dir)
	await(t, "its name", func() bool {
		files, _ := filepath.Glob(filepath.Join(c.Dir, "a", "*.webm"))
		return len(files) == 1
	})
	await(t, "the catalogue", func() bool {
		list, _, _ = again.Recordings(Query{})
		return len(list) == 1 && list[0].Frames > 0
	})
	if list[0].State != Failed || list[0].Reason == "" {
		t.Errorf("recordings: %+v", list)
	}
	checkFiles(t, again)
}

// TestUndeletable: what could not be deleted stays listed, and is no reason to
// delete nothing else.
func TestUndeletable(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		record(t, dir, "s")
	}
	stuck := ""
	d := newFaulty(nil)
	c := Config{Dir: dir, disk: func(inner disk) disk { d.disk = inner; return undeletable{d, &stuck} }}
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	list, _, _ := r.Recordings(Query{})
	stuck = list[2].ID
	if err := r.Delete(stuck); !errors.Is(err, syscall.EPERM) {
		t.Errorf("Delete() = %v", err)
	}
	r.config.RetainAge = time.Hour
	r.tidy(time.Now().Add(2 * time.Hour))
	if left, _, _ := r.Recordings(Query{}); len(left) != 1 || left[0].ID != stuck {
		t.Errorf("left: %+v", left)
	}
}

type undeletable struct {
	disk
	id *string
}

func (u undeletable) Remove(name string) error {
	if *u.id != "" && strings.Contains(name, *u.id) {
		return syscall.EPERM
	}
	return u.disk.Remove(name)
}
