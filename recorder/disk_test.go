package recorder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"weir/recorder/webm/repair"
	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

// faulty is a disk on which operations fail, or take long.
type faulty struct {
	disk
	// fault is asked before each operation, with how many bytes it writes.
	fault func(op string, bytes int) error
	free  atomic.Int64 // what Free says, of 100 GB; negative: what the disk says
}

func newFaulty(fault func(op string, bytes int) error) *faulty {
	f := &faulty{fault: fault}
	f.free.Store(-1)
	return f
}

func (f *faulty) config(t *testing.T) Config {
	return Config{Dir: t.TempDir(), disk: func(d disk) disk { f.disk = d; return f }, SyncInterval: 100 * time.Millisecond}
}

func (f *faulty) Create(name string) (mediaFile, error) {
	if err := f.fault("create", 0); err != nil {
		return nil, err
	}
	file, err := f.disk.Create(name)
	return faultyFile{file, f}, err
}

func (f *faulty) WriteFile(name string, data []byte) error {
	if err := f.fault("sidecar", len(data)); err != nil {
		return err
	}
	return f.disk.WriteFile(name, data)
}

func (f *faulty) Rename(from, to string) error {
	if err := f.fault("rename", 0); err != nil {
		return err
	}
	return f.disk.Rename(from, to)
}

func (f *faulty) Free() (free, total int64, err error) {
	if n := f.free.Load(); n >= 0 {
		return n, 100e9, nil
	}
	return f.disk.Free()
}

type faultyFile struct {
	mediaFile
	disk *faulty
}

func (f faultyFile) Write(b []byte) (int, error) {
	if err := f.disk.fault("write", len(b)); err != nil {
		n, _ := f.mediaFile.Write(b[:len(b)/2]) // a disk that is full takes what fits
		return n, err
	}
	return f.mediaFile.Write(b)
}

func (f faultyFile) WriteAt(b []byte, at int64) (int, error) {
	if err := f.disk.fault("patch", 0); err != nil {
		return 0, err
	}
	return f.mediaFile.WriteAt(b, at)
}

func (f faultyFile) Sync() error {
	if err := f.disk.fault("sync", 0); err != nil {
		return err
	}
	return f.mediaFile.Sync()
}

// witness is a viewer of frames: whatever the disk does, it misses none.
type witness struct {
	mu   sync.Mutex
	got  *sfutest.Collector
	lost bool
}

func watch(t *testing.T, hub *sfu.Hub, name string) *witness {
	t.Helper()
	sub, err := hub.Subscribe(name)
	if err != nil {
		t.Fatal(err)
	}
	tracks, err := sub.Tracks(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := &witness{got: sfutest.NewCollector(media.VP8)}
	c := tracks[0].Frames()
	var reading sync.WaitGroup
	reading.Go(func() {
		defer sub.Close()
		defer c.Close()
		batch := make([]*media.Frame, 32)
		for {
			n, lagged, err := c.Next(context.Background(), batch)
			if err != nil {
				return
			}
			w.mu.Lock()
			w.lost = w.lost || lagged
			w.got.AddFrames(batch[:n], lagged)
			w.mu.Unlock()
		}
	})
	t.Cleanup(reading.Wait)
	return w
}

func (w *witness) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lost {
		t.Error("a viewer lost frames")
	}
}

// checkFiles checks that every recording is a whole file, and returns them, by
// their parts.
func checkFiles(t *testing.T, r *Recorder) (list []Recording) {
	t.Helper()
	list, _, err := r.Recordings(Query{})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, func(a, b Recording) int { return a.Part - b.Part })
	for _, rec := range list {
		if rec.State.open() {
			continue
		}
		f, _, err := r.Open(rec.ID)
		if err != nil {
			t.Errorf("%s: %v", rec.ID, err)
			continue
		}
		info, _ := f.Stat()
		report, err := repair.Verify(f, info.Size())
		f.Close()
		if err != nil || !report.Clean || report.Frames == 0 || report.Frames != rec.Frames || filepath.Ext(f.Name()) != ".webm" {
			t.Errorf("%s, %s: %v; it has %d frames, the catalogue says %d; %v", filepath.Base(f.Name()), rec.State, err, report.Frames, rec.Frames, report.Faults)
		}
	}
	return list
}

// TestDiskFailsOnce: whichever call fails, what was written before is a whole
// file, the recording goes on in another one, and viewers notice nothing.
func TestDiskFailsOnce(t *testing.T) {
	for n := range 50 {
		t.Run(fmt.Sprint(n+1), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var calls atomic.Int64
				var failed atomic.Bool
				d := newFaulty(func(string, int) error {
					if calls.Add(1) == int64(n+1) {
						failed.Store(true)
						return syscall.EIO
					}
					return nil
				})
				r, hub := start(t, d.config(t))
				s := startShow(t, hub, "a", true)
				w := watch(t, hub, "a")
				await(t, "the fault", failed.Load)
				if n%2 == 0 { // else the broadcast ends before it is tried again
					s.pictures(50)
				}
				s.end()
				w.check(t)
				list := checkFiles(t, r)
				if len(list) == 0 || len(list) > 2 || list[len(list)-1].State != Finished {
					t.Errorf("recordings: %+v", list)
				}
				if len(list) == 2 && (list[0].State != Failed || list[0].Reason == "" || list[0].Next != list[1].ID) {
					t.Errorf("the one that failed is %+v", list[0])
				}
				all := map[int]bool{} // the last group of pictures may be in both
				for _, rec := range list {
					for _, n := range numbers(t, r, rec.ID) {
						all[n] = true
					}
				}
				if len(all) != s.sent {
					t.Errorf("%d pictures are in files, want all %d", len(all), s.sent)
				}
			})
		})
	}
}

// TestDiskFull: the recording ends as a whole file with a reason, nothing is made
// while there is no room, and it goes on soon after there is some.
func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var room atomic.Int64
		room.Store(60_000)
		d := newFaulty(nil)
		d.fault = func(op string, bytes int) error {
			if left := room.Add(-int64(bytes)); left < 0 && bytes > 0 {
				d.free.Store(0)
				return syscall.ENOSPC
			}
			return nil
		}
		r, hub := start(t, d.config(t))
		s := startShow(t, hub, "a", true)
		w := watch(t, hub, "a")
		await(t, "a full disk", func() bool {
			got, err := r.Status(t.Context(), s.id)
			return err == nil && got.State == "suspended" && got.Reason != ""
		})
		await(t, "the first file's end", func() bool {
			list, _, _ := r.Recordings(Query{State: Failed})
			return len(list) == 1
		})
		other := startShow(t, hub, "b", false)
		await(t, "a refusal", func() bool { // what the disk said is believed for a second
			_, err := r.Start(t.Context(), other.id, nil)
			r.Stop(t.Context(), other.id)
			return errors.Is(err, ErrNoSpace)
		})
		s.pictures(75)
		if list, _, _ := r.Recordings(Query{Stream: "a"}); len(list) != 1 {
			t.Errorf("%d recordings while the disk is full, want 1", len(list))
		}
		room.Store(1 << 40)
		d.free.Store(50e9)
		back := time.Now()
		await(t, "the next file", func() bool {
			got, err := r.Status(t.Context(), s.id)
			return err == nil && got.State == "recording" && got.Recording != ""
		})
		t.Logf("it went on after %v", time.Since(back))
		s.pictures(10)
		s.end()
		w.check(t)
		list := checkFiles(t, r)
		if len(list) < 2 || list[len(list)-1].State != Finished {
			t.Errorf("recordings: %+v", list)
		}
	})
}

// TestDiskSlow: a disk that takes half of what comes costs frames in the file, and
// none anywhere else.
func TestDiskSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newFaulty(func(op string, bytes int) error {
			if op == "write" {
				time.Sleep(time.Duration(bytes) * 150 * time.Microsecond)
			}
			return nil
		})
		r, hub := start(t, d.config(t))
		s := startShow(t, hub, "a", true) // 14 kB/s, of which 7 are taken
		w := watch(t, hub, "a")
		s.pictures(200)
		close(s.stop)
		w.check(t)
		<-s.done
		for _, rec := range checkFiles(t, r) {
			if rec.Quality.Overruns == 0 || rec.Quality.Verdict == "clean" || len(rec.Gaps) == 0 {
				t.Errorf("%+v, with %+v", rec, rec.Quality)
			}
		}
	})
}

// TestFolderRemoved: somebody removes what is being recorded. That is gone, and
// the next recording has its place again.
func TestFolderRemoved(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, filepath.Join(dir, "recordings"))
	s := startShow(t, hub, "a", true)
	await(t, "the recording", func() bool { _, ok := r.Active(s.id); return ok })
	w := watch(t, hub, "a")
	if err := os.RemoveAll(filepath.Join(dir, "recordings")); err != nil {
		t.Fatal(err)
	}
	s.pictures(5)
	s.end()
	w.check(t)
	s = startShow(t, hub, "b", true)
	s.pictures(5)
	s.end()
	list, _, err := r.Recordings(Query{Stream: "b"})
	if err != nil || len(list) != 1 || list[0].State != Finished {
		t.Errorf("the next recording is %+v, %v", list, err)
	}
}

// TestTwoRecorders: the second one is told why it cannot start.
func TestTwoRecorders(t *testing.T) {
	dir := t.TempDir()
	newTest(t, dir)
	if _, err := New(Config{Dir: dir}); !errors.Is(err, ErrLocked) {
		t.Errorf("New() = %v, want ErrLocked", err)
	}
}
