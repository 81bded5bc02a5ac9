package read_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"testing"
	"time"

	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/recorder/webm/walk"
	"weir/recorder/webm/webmtest"
	"weir/sfu/media"
)

// recordings returns files as weir and as MediaRecorder make them: with an index in
// front, at the end, thinned, and none; cut off; of sound alone; with damage.
func recordings(t testing.TB) map[string][]byte {
	t.Helper()
	long := webmtest.Interleaved(minute)
	for i := range long {
		f := &long[i]
		f.Sync = f.Sync && (f.Track == webmtest.AudioTrack || f.Time%(3*time.Second) == 0)
	}
	out := map[string][]byte{
		"in front":   webmtest.Written(t, webm.Config{}, webmtest.AVTracks(), long),
		"at the end": webmtest.Written(t, webm.Config{IndexReserve: -1}, webmtest.AVTracks(), long),
		"thinned":    webmtest.Written(t, webm.Config{IndexReserve: 12 * 22}, webmtest.AVTracks(), long),
	}
	w, f := webmtest.NewWriter(t, webm.Config{}, webmtest.AVTracks())
	webmtest.Feed(t, w, long)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	out["unfinished"] = f.B
	out["cut off"] = f.B[:len(f.B)*2/3]
	out["finished, cut off"] = out["at the end"][:len(f.B)/2]
	var sound []webmtest.Fed
	for _, f := range long {
		if f.Track == webmtest.AudioTrack {
			sound = append(sound, f)
		}
	}
	out["sound"] = webmtest.Written(t, webm.Config{}, webmtest.AVTracks()[:1], sound)
	damaged := bytes.Clone(out["in front"])
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		at := len(damaged)/10 + random.IntN(len(damaged)/2)
		copy(damaged[at:], make([]byte, random.IntN(3000)))
	}
	out["damaged"] = damaged
	for _, s := range webmtest.Samples(t) {
		out[s.Name] = s.B
	}
	camera, err := os.ReadFile("../testdata/chromium.webm")
	if err != nil {
		t.Fatal(err)
	}
	out["camera"] = camera
	return out
}

// minute is how long the recordings of weir's are.
const minute = time.Minute

// openFile opens b.
func openFile(t testing.TB, b []byte) *read.File {
	t.Helper()
	f, err := read.Open(bytes.NewReader(b), int64(len(b)), read.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// rest returns all frames that are left, at most n.
func rest(t testing.TB, f *read.File, n int) (out []read.Frame) {
	t.Helper()
	for len(out) < n {
		frame, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, frame)
	}
	return out
}

// TestFileIsLikeReader requires that a File gives the frames that a Reader gives, to the
// byte, and its tracks.
func TestFileIsLikeReader(t *testing.T) {
	for name, b := range recordings(t) {
		want, err := webmtest.ReadAll(t, read.Config{}, b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		f := openFile(t, b)
		have := rest(t, f, 1<<30)
		if !reflect.DeepEqual(have, want.Frames) || len(have) == 0 {
			t.Errorf("%s: %d frames, want %d", name, len(have), len(want.Frames))
		}
		if !reflect.DeepEqual(f.Tracks(), want.Headers[0].Tracks) {
			t.Errorf("%s: tracks %+v, want %+v", name, f.Tracks(), want.Headers[0].Tracks)
		}
		if (f.Lost() > 0) != (name == "damaged") {
			t.Errorf("%s: %d bytes are lost", name, f.Lost())
		}
	}
}

// TestFileSeek seeks to every time, and requires that reading goes on at the newest
// keyframe, with the same frames as those that a Reader gives behind it.
func TestFileSeek(t *testing.T) {
	for name, b := range recordings(t) {
		all, err := webmtest.ReadAll(t, read.Config{}, b)
		if err != nil {
			t.Fatal(err)
		}
		checkSeeks(t, name, openFile(t, b), all.Frames)
	}
}

// checkSeeks seeks to the times of all frames and around them.
func checkSeeks(t *testing.T, name string, f *read.File, all []read.Frame) {
	t.Helper()
	track := max(0, slices.IndexFunc(f.Tracks(), func(e ebml.TrackEntry) bool { return e.Codec.Kind() == media.Video }))
	var keys []int // places in all
	times := []time.Duration{-time.Second, 0, time.Hour}
	for i, frame := range all {
		if frame.Track != track {
			continue
		}
		if frame.Key {
			keys = append(keys, i)
			times = append(times, frame.Time-1, frame.Time)
		}
		if i%25 == 0 || len(all) < 1000 {
			times = append(times, frame.Time)
		}
	}
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
	for _, to := range times[:min(len(times), 150)] {
		want := keys[0]
		for _, k := range keys {
			if all[k].Time <= to {
				want = k
			}
		}
		landed, err := f.Seek(to)
		if err != nil || landed != all[want].Time {
			t.Fatalf("%s: seek to %v: %v, %v; want %v", name, to, landed, err, all[want].Time)
		}
		got := rest(t, f, 60)
		first := slices.IndexFunc(got, func(f read.Frame) bool { return f.Track == track })
		if n := min(20, len(all)-want); first < 0 || first > want || len(got) < first+n ||
			!reflect.DeepEqual(got[first:first+n], all[want:want+n]) {
			t.Fatalf("%s: seek to %v: other frames than from %v on", name, to, landed)
		}
		// What precedes it is of its Cluster, and of other tracks.
		before := all[:want]
		for i := first - 1; i >= 0; i-- {
			last := len(before) - 1
			for before[last].Track == track {
				last--
			}
			if !reflect.DeepEqual(got[i], before[last]) {
				t.Fatalf("%s: seek to %v: a frame ahead of the keyframe is of track %d, %v", name, to, got[i].Track, got[i].Time)
			}
			before = before[:last]
		}
	}
}

// counted counts what is read of a file.
type counted struct {
	io.ReaderAt
	bytes int64
	fails bool
}

func (c *counted) ReadAt(p []byte, at int64) (int, error) {
	if c.fails {
		return 0, webmtest.ErrDisk
	}
	c.bytes += int64(len(p))
	return c.ReaderAt.ReadAt(p, at)
}

// TestFileSeeksByCues requires that a seek reads a small part of a file that has an
// index, wherever that is, and of one without all of it once.
func TestFileSeeksByCues(t *testing.T) {
	all := recordings(t)
	for name, scans := range map[string]bool{"in front": false, "at the end": false, "thinned": false, "unfinished": true} {
		c := &counted{ReaderAt: bytes.NewReader(all[name])}
		f, err := read.Open(c, int64(len(all[name])), read.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for i, to := range []time.Duration{40 * time.Second, 20 * time.Second, 57 * time.Second} {
			c.bytes = 0
			if _, err := f.Seek(to); err != nil {
				t.Fatal(err)
			}
			part := float64(c.bytes) / float64(len(all[name]))
			if looks := part > 0.5; looks != (scans && i == 0) || !looks && part > 0.3 {
				t.Errorf("%s: seek %d reads %.2f of the file", name, i, part)
			}
		}
	}
}

// TestFileCuesThatLie requires that seeks are right whatever the index says.
func TestFileCuesThatLie(t *testing.T) {
	good := recordings(t)["in front"]
	cues := webmtest.MustSegment(t, good).Find(uint32(ebml.CuesID))
	want := webmtest.MustReadAll(t, good).Frames
	random := rand.New(rand.NewPCG(5, 6))
	for name, position := range map[string]func(i int) uint64{
		"all to the last":  func(int) uint64 { return uint64(len(good) * 9 / 10) },
		"all to the first": func(int) uint64 { return uint64(len(good) / 100) },
		"behind the end":   func(int) uint64 { return 1 << 40 },
		"anywhere":         func(int) uint64 { return random.Uint64() % uint64(len(good)) },
		"to the Cues":      func(int) uint64 { return 0 },
		"between blocks":   func(i int) uint64 { return uint64(len(good)/22*i + 100) },
	} {
		bad := bytes.Clone(good)
		for i, place := range cues.All(uint32(ebml.CueClusterPositionID)) {
			end := place.End()
			for j, v := 0, position(i); j < 6; j++ {
				bad[end-1-j] = byte(v >> (8 * j))
			}
		}
		checkSeeks(t, name, openFile(t, bad), want)
	}
}

// TestFileDuration requires the duration that a file tells, or else its last frame's
// time.
func TestFileDuration(t *testing.T) {
	all := recordings(t)
	for name, want := range map[string]time.Duration{
		"in front": minute, "unfinished": minute - 20*time.Millisecond, "sound": minute,
	} {
		if d, err := openFile(t, all[name]).Duration(); err != nil || d.Round(20*time.Millisecond) != want {
			t.Errorf("%s: %v, %v; want %v", name, d, err, want)
		}
	}
}

// TestFileWithoutKeyframe requires that a seek goes to the start of a file in which it
// finds none.
func TestFileWithoutKeyframe(t *testing.T) {
	b := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(5, webmtest.SimpleBlock(webmtest.LiveVideo, 0, 0, 'a')))
	f := openFile(t, b)
	for range 2 {
		if at, err := f.Seek(time.Second); at != 0 || err != nil {
			t.Errorf("%v, %v", at, err)
		}
		if got := rest(t, f, 9); len(got) != 1 {
			t.Errorf("%d frames", len(got))
		}
	}
	if f := openFile(t, webmtest.LiveStart); len(rest(t, f, 9)) != 0 || len(f.Tracks()) != 2 {
		t.Error("frames in a file without a Cluster")
	}
}

// TestFileErrors requires that an error tells what is wrong with a file, and that a seek
// gets over one that was the disk's.
func TestFileErrors(t *testing.T) {
	one := webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(5, webmtest.SimpleBlock(webmtest.LiveVideo, 0, ebml.FlagKey, 'a')))
	for name, tc := range map[string]struct {
		b    []byte
		want error
	}{
		"nothing":      {nil, ebml.ErrNotWebM},
		"no EBML":      {[]byte("RIFF....WAVE"), ebml.ErrNotWebM},
		"half a start": {webmtest.LiveStart[:len(webmtest.LiveStart)-9], ebml.ErrHeader},
		"no tracks":    {webmtest.Join(webmtest.EBMLStart, webmtest.Open(ebml.SegmentID)), ebml.ErrHeader},
	} {
		if _, err := read.Open(bytes.NewReader(tc.b), int64(len(tc.b)), read.Config{}); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	f := openFile(t, webmtest.Join(one, one))
	if got, err := f.Next(); err != nil || string(got.Data) != "a" {
		t.Errorf("%v, %v", got, err)
	}
	for range 2 {
		if _, err := f.Next(); !errors.Is(err, walk.ErrSegments) {
			t.Errorf("two files in one: %v", err)
		}
	}
	if _, err := f.Seek(time.Minute); err != nil {
		t.Error(err)
	}
	c := &counted{ReaderAt: bytes.NewReader(one)}
	f, err := read.Open(c, int64(len(one)), read.Config{})
	if err != nil {
		t.Fatal(err)
	}
	c.fails = true
	_, seekErr := f.Seek(0)
	_, nextErr := f.Next()
	_, durationErr := f.Duration()
	for _, err := range []error{seekErr, nextErr, durationErr} {
		if !errors.Is(err, walk.ErrRead) || !errors.Is(err, webmtest.ErrDisk) {
			t.Errorf("%v", err)
		}
	}
	c.fails = false
	if _, err := f.Seek(0); err != nil || len(rest(t, f, 9)) != 1 {
		t.Errorf("after the disk's error: %v", err)
	}
}

// FuzzFile reads and seeks in any bytes. Both end, and give no more than there is.
func FuzzFile(f *testing.F) {
	short := webmtest.Interleaved(300 * time.Millisecond)
	for i := range short { // so that it is found soon what bytes mean
		short[i].Data = short[i].Data[:9]
		short[i].Sync = i%5 == 0
	}
	f.Add(webmtest.Written(f, webm.Config{IndexReserve: 200}, webmtest.AVTracks(), short), int64(time.Second))
	f.Add(webmtest.Written(f, webm.Config{IndexReserve: -1}, webmtest.AVTracks(), short), int64(0))
	w, open := webmtest.NewWriter(f, webm.Config{}, webmtest.AVTracks())
	webmtest.Feed(f, w, short)
	if err := w.Flush(); err != nil {
		f.Fatal(err)
	}
	f.Add(open.B, int64(200*time.Millisecond))
	for _, b := range hostile(64) {
		f.Add(webmtest.Join(webmtest.LiveStart, webmtest.LiveCluster(9, b)), int64(5))
	}
	f.Fuzz(func(t *testing.T, b []byte, to int64) {
		file, err := read.Open(bytes.NewReader(b), int64(len(b)), read.Config{MaxElement: 1 << 16})
		if err != nil {
			return
		}
		before := readFuzzed(t, file, len(b))
		landed, err := file.Seek(time.Duration(to))
		if err != nil {
			t.Fatal(err)
		}
		readFuzzed(t, file, len(b))
		if again, err := file.Seek(time.Duration(to)); err != nil || again != landed {
			t.Fatalf("%v, then %v, %v", landed, again, err)
		}
		if _, err := file.Duration(); err != nil {
			t.Fatal(err)
		}
		if _, err := file.Seek(-1 << 62); err != nil {
			t.Fatal(err)
		}
		if again := readFuzzed(t, file, len(b)); len(again) > len(before) {
			t.Fatalf("%d frames, then %d", len(before), len(again))
		}
	})
}

// readFuzzed reads all frames there are in n bytes.
func readFuzzed(t *testing.T, f *read.File, n int) (out []string) {
	total := int64(0)
	for {
		frame, err := f.Next()
		if err != nil {
			break
		}
		out = append(out, fmt.Sprint(frame.Track, frame.Time))
		total += int64(len(frame.Data))
	}
	if total > int64(n) {
		t.Fatalf("%d bytes of frames in %d", total, n)
	}
	return out
}

// BenchmarkFile reads a file of three minutes, and seeks in it.
func BenchmarkFile(b *testing.B) {
	file := webmtest.Written(b, webm.Config{}, webmtest.AVTracks(), webmtest.Interleaved(3*time.Minute))
	b.Run("next", func(b *testing.B) {
		f := openFile(b, file)
		b.SetBytes(int64(len(file)))
		for b.Loop() {
			if _, err := f.Seek(0); err != nil {
				b.Fatal(err)
			}
			rest(b, f, 1<<30)
		}
	})
	b.Run("seek", func(b *testing.B) {
		f := openFile(b, file)
		for i := 0; b.Loop(); i++ {
			if _, err := f.Seek(time.Duration(i%180) * time.Second); err != nil {
				b.Fatal(err)
			}
		}
	})
}
