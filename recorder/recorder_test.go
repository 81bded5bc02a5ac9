package recorder

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"weir/sfu"
	"weir/sfu/media"
	"weir/sfu/sfutest"
)

func TestMain(m *testing.M) { sfutest.VerifyNoLeaks(m) }

// broadcast is a Source that writes frames when told to.
type broadcast struct {
	writers map[string]*sfu.TrackWriter
	script  func(b *broadcast)
}

func (b *broadcast) Run(context.Context, *sfu.Publication) error {
	b.script(b)
	return nil
}

const (
	videoStep = 40 * time.Millisecond
	audioStep = 20 * time.Millisecond
)

func (b *broadcast) video(n int, at time.Duration) {
	b.writers["video"].WriteFrame(media.Frame{PTS: at, Sync: n%25 == 0, Data: sfutest.VP8Frame(n, n%25 == 0, 500)})
}

func (b *broadcast) audio(n int, at time.Duration) {
	b.writers["audio"].WriteFrame(media.Frame{PTS: at, Sync: true, Data: sfutest.OpusFrame(n, 80)})
}

// visible lists what is below a folder, without our own hidden files.
func visible(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.HasPrefix(d.Name(), ".") {
			names = append(names, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// newTest returns a recorder in a folder of the test, and a hub that it records.
func newTest(t *testing.T, dir string) (*Recorder, *sfu.Hub) {
	t.Helper()
	return start(t, Config{Dir: dir})
}

// start is newTest with any configuration. The recorder runs.
func start(t *testing.T, c Config) (*Recorder, *sfu.Hub) {
	t.Helper()
	r, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		r.Close()
	})
	hub, err := sfu.New(sfu.Config{Standing: []func(sfu.StreamInfo) sfu.Sink{r.Sink}})
	if err != nil {
		t.Fatal(err)
	}
	return r, hub
}

// addTracks adds the tracks of a publication that writes frames, and returns their
// writers by their IDs.
func addTracks(t *testing.T, pub *sfu.Publication, tracks ...media.TrackInfo) map[string]*sfu.TrackWriter {
	t.Helper()
	list, err := pub.AddTracks(sfu.Frames, tracks...)
	if err != nil {
		t.Fatal(err)
	}
	writers := map[string]*sfu.TrackWriter{}
	for i, info := range tracks {
		writers[info.ID] = list[i]
	}
	return writers
}

// publish runs a broadcast with the given tracks and returns when it and its
// recording have ended.
func publish(t *testing.T, hub *sfu.Hub, name string, tracks []media.TrackInfo, script func(b *broadcast)) {
	t.Helper()
	pub, err := hub.Publish(name, sfu.PublishOptions{Record: true})
	if err != nil {
		t.Fatal(err)
	}
	b := &broadcast{writers: addTracks(t, pub, tracks...), script: script}
	if err := pub.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

var (
	videoTrack = media.TrackInfo{ID: "video", Codec: media.VP8}
	audioTrack = media.TrackInfo{ID: "audio", Codec: media.Opus}
	both       = []media.TrackInfo{audioTrack, videoTrack}
)

// packet is a packet as ffprobe lists it.
type packet struct {
	Kind string `json:"codec_type"`
	Time string `json:"pts_time"`
	Size string `json:"size"`
	Hash string `json:"data_hash"`
}

func (p packet) milliseconds(t *testing.T) int64 {
	t.Helper()
	s, err := strconv.ParseFloat(p.Time, 64)
	if err != nil {
		t.Fatal(err)
	}
	return int64(s*1000 + 0.5)
}

// probe reads a file with ffprobe.
func probe(t *testing.T, file string) (packets []packet, duration string) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_packets", "-show_format", "-show_data_hash", "md5", file).Output()
	if err != nil {
		t.Fatalf("ffprobe %s: %v", file, err)
	}
	var probed struct {
		Packets []packet `json:"packets"`
		Format  struct {
			Duration string `json:"duration"`
		} `json:"format"`
	}
	if err := json.Unmarshal(out, &probed); err != nil {
		t.Fatal(err)
	}
	return probed.Packets, probed.Format.Duration
}

// only returns the one recording there is, and its file.
func only(t *testing.T, r *Recorder, dir string) (Recording, string) {
	t.Helper()
	list, _, _ := r.Recordings(Query{})
	if len(list) != 1 {
		t.Fatalf("%d recordings, want 1", len(list))
	}
	files, _ := filepath.Glob(filepath.Join(dir, list[0].Stream, "*"+".webm"))
	if len(files) != 1 {
		t.Fatalf("files: %v, want one", files)
	}
	return list[0], files[0]
}

func TestRecordsBothTracks(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	publish(t, hub, "acme/alice", both, func(b *broadcast) {
		for n := range 75 { // 3 s at once: what a ring holds in any case
			b.audio(2*n, time.Duration(2*n)*audioStep)
			b.audio(2*n+1, time.Duration(2*n+1)*audioStep)
			b.video(n, time.Duration(n)*videoStep)
		}
	})
	rec, file := only(t, r, dir)
	if rec.State != Finished || rec.Stream != "acme/alice" || rec.Frames != 225 || rec.Keyframes != 3 ||
		rec.DurationMS != 3000 || rec.EndedAt == nil || len(rec.Gaps) != 0 {
		t.Errorf("recording: %+v", rec)
	}
	if v := rec.Tracks[0]; v.Codec != "vp8" || v.Width != sfutest.Width || v.Height != sfutest.Height || v.Frames != 75 || v.Keyframes != 3 {
		t.Errorf("video track: %+v", v)
	}
	packets, duration := probe(t, file)
	if d, _ := strconv.ParseFloat(duration, 64); d != 3 {
		t.Errorf("ffprobe says %s s, want 3", duration)
	}
	n := map[string]int64{}
	last := int64(0)
	for _, p := range packets {
		at := p.milliseconds(t)
		step := map[string]int64{"video": videoStep.Milliseconds(), "audio": audioStep.Milliseconds()}[p.Kind]
		if want := n[p.Kind] * step; at != want {
			t.Fatalf("%s packet %d is at %d ms, want %d", p.Kind, n[p.Kind], at, want)
		}
		if at < last {
			t.Fatalf("the tracks are not in one order: %d ms after %d ms", at, last)
		}
		last = at
		n[p.Kind]++
	}
	if n["video"] != 75 || n["audio"] != 150 {
		t.Errorf("ffprobe finds %v", n)
	}
	checkSidecar(t, file, rec)
}

// checkSidecar: what lies beside the file says what the catalogue says.
func checkSidecar(t *testing.T, file string, want Recording) {
	t.Helper()
	raw, err := os.ReadFile(strings.TrimSuffix(file, ".webm") + sidecarSuffix)
	if err != nil {
		t.Fatal(err)
	}
	var got Recording
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != want.ID || got.State != want.State || got.Frames != want.Frames || !got.StartedAt.Equal(want.StartedAt) ||
		got.EndedAt == nil || !got.EndedAt.Equal(*want.EndedAt) || got.Bytes != want.Bytes {
		t.Errorf("the sidecar says %+v, the catalogue %+v", got, want)
	}
}

func TestOneTrackOnly(t *testing.T) {
	for _, track := range both {
		t.Run(track.ID, func(t *testing.T) {
			dir := t.TempDir()
			r, hub := newTest(t, dir)
			// Both are announced, one comes: what never came is not in the file.
			publish(t, hub, "solo", both, func(b *broadcast) {
				for n := range 50 {
					if track.ID == "video" {
						b.video(n, time.Duration(n)*videoStep)
					} else {
						b.audio(n, time.Duration(n)*audioStep)
					}
				}
			})
			_, file := only(t, r, dir)
			packets, _ := probe(t, file)
			if len(packets) != 50 || packets[0].Kind != track.ID {
				t.Errorf("%d packets of %s, want 50 of %s", len(packets), packets[0].Kind, track.ID)
			}
		})
	}
}

// TestLateTrack: a track whose first frame comes late has its frames where they
// belong.
func TestLateTrack(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	publish(t, hub, "late", both, func(b *broadcast) {
		for n := range 100 {
			b.audio(n, time.Duration(n)*audioStep)
			if n >= 60 && n%2 == 0 {
				b.video((n-60)/2, time.Duration(n)*audioStep)
			}
		}
	})
	_, file := only(t, r, dir)
	packets, _ := probe(t, file)
	var first int64 = -1
	for _, p := range packets {
		if p.Kind == "video" && first < 0 {
			first = p.milliseconds(t)
		}
	}
	if want := (60 * audioStep).Milliseconds(); first != want {
		t.Errorf("the picture begins at %d ms, want %d", first, want)
	}
}

func TestNothingSentLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	publish(t, hub, "silent", both, func(*broadcast) {})
	pub, err := hub.Publish("refused", sfu.PublishOptions{Record: false})
	if err != nil {
		t.Fatal(err)
	}
	b := &broadcast{writers: addTracks(t, pub, audioTrack), script: func(b *broadcast) { b.audio(0, 0) }}
	if err := pub.Run(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if list, _, _ := r.Recordings(Query{}); len(list) != 0 {
		t.Errorf("recordings: %+v", list)
	}
	if left := visible(t, dir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestGapsAndSizes: what is missing and where the picture changes its size is on
// record.
func TestGapsAndSizes(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	publish(t, hub, "gaps", []media.TrackInfo{videoTrack}, func(b *broadcast) {
		w := b.writers["video"]
		w.WriteFrame(media.Frame{PTS: 0, Sync: true, Data: sfutest.VP8Frame(0, true, 100)})
		w.WriteFrame(media.Frame{PTS: 40 * time.Millisecond, Data: sfutest.VP8Frame(1, false, 100)})
		large := sfutest.VP8Frame(50, true, 100)
		large[6], large[7] = 0x00, 0x05 // 1280
		w.WriteFrame(media.Frame{PTS: 2 * time.Second, Sync: true, Gap: true, Data: large})
	})
	rec, file := only(t, r, dir)
	if len(rec.Gaps) != 1 || rec.Gaps[0] != (Gap{Track: "video", AtMS: 40, DurationMS: 1960}) {
		t.Errorf("gaps: %+v", rec.Gaps)
	}
	if s := rec.Tracks[0].Sizes; len(s) != 1 || s[0] != (Size{AtMS: 2000, Width: 1280, Height: sfutest.Height}) {
		t.Errorf("sizes: %+v", s)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if largest := []byte{0xb0, 0x82, 1280 >> 8, 1280 & 0xff}; !bytes.Contains(raw, largest) {
		t.Error("the header does not tell the largest size")
	}
}

// TestWritesAsFramesCome: what was received is in the file soon, long before the
// recording ends.
func TestWritesAsFramesCome(t *testing.T) {
	dir := t.TempDir()
	r, hub := newTest(t, dir)
	publish(t, hub, "now", both, func(b *broadcast) {
		for n := range 25 { // one second of media at once
			b.audio(2*n, time.Duration(2*n)*audioStep)
			b.audio(2*n+1, time.Duration(2*n+1)*audioStep)
			b.video(n, time.Duration(n)*videoStep)
		}
		deadline := time.Now().Add(10 * time.Second)
		for {
			parts, _ := filepath.Glob(filepath.Join(dir, "now", "*.webm"+partSuffix))
			if len(parts) == 1 {
				if packets, _ := probe(t, parts[0]); len(packets) == 75 {
					break
				}
			}
			if time.Now().After(deadline) {
				t.Error("what was received is not in the part file")
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if list, _, _ := r.Recordings(Query{}); len(list) != 1 || list[0].State != Active {
			t.Errorf("while it records: %+v", list)
		}
	})
}
