package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"weir/recorder"
	"weir/recorder/webm"
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/read"
	"weir/sfu/media"
)

// A recording of an hour, whose pictures are numbered: a minute of them, 60 times.
const (
	hourFPS   = 15
	hourGroup = 30 // pictures from one keyframe to the next
	hourBits  = 10 // of the number, one block each
	hourWidth = 640
)

// numberedMinute has ffmpeg make a minute of pictures that show their numbers as
// blocks, the lowest bit on the left.
func numberedMinute(t *testing.T) [][]byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "minute.webm")
	// Made small, since each pixel costs, and scaled.
	block := 160 / hourBits
	source := fmt.Sprintf("color=black:size=160x90:rate=%d,format=gray,geq=lum='16+219*mod(floor(N/pow(2\\,floor(X/%d)))\\,2)',scale=%d:360:flags=neighbor,format=yuv420p",
		hourFPS, block, hourWidth)
	if out, err := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", source, "-frames:v", fmt.Sprint(60*hourFPS),
		"-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "600k", "-g", fmt.Sprint(hourGroup), "-keyint_min", fmt.Sprint(hourGroup),
		"-auto-alt-ref", "0", file).CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := &pictures{}
	r := read.NewReader(c, read.Config{})
	if err := r.Push(data); err != nil {
		t.Fatal(err)
	}
	_ = r.Close() // what matters is how many there are
	if len(c.list) != 60*hourFPS {
		t.Fatalf("%d pictures", len(c.list))
	}
	return c.list
}

// pictures is a read.Receiver that keeps frames.
type pictures struct{ list [][]byte }

func (*pictures) Header(read.Header) error { return nil }
func (p *pictures) Frame(f read.Frame) error {
	p.list = append(p.list, bytes.Clone(f.Data))
	return nil
}
func (*pictures) Damage(ebml.Damage) {}

// recordHour writes the recording, as the recorder does, into a data folder.
func recordHour(t *testing.T, dataDir string) (id string) {
	t.Helper()
	id = "hourhourhourhour"
	base := filepath.Join(dataDir, "recordings", "hour", "20260101T000000Z-"+id)
	if err := os.MkdirAll(filepath.Dir(base), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(base + ".webm")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, err := webm.NewWriter(f, webm.Config{}, []ebml.TrackEntry{{Codec: media.VP8, Width: hourWidth, Height: 360}})
	if err != nil {
		t.Fatal(err)
	}
	minute := numberedMinute(t)
	for n := range 3600 * hourFPS {
		data := minute[n%len(minute)]
		if err := w.WriteFrame(0, webm.Block{Time: time.Duration(n) * time.Second / hourFPS, Sync: data[0]&1 == 0, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Finish(); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(recorder.Recording{
		ID: id, Stream: "hour", State: recorder.Finished, StartedAt: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), DurationMS: 3600_000, Gaps: []recorder.Gap{},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(base+".json", raw, 0o644); err != nil {
		t.Fatal(err)
	}
	return id
}

// TestSeekInAnHour: in a recording of an hour a player finds each of 20 random
// places: the picture is the one of that time, with its number.
func TestSeekInAnHour(t *testing.T) {
	dataDir := t.TempDir()
	id := recordHour(t, dataDir)
	s := startServerAt(t, dataDir)
	p := startChrome(t).Open(t, s.url+"/nothing-here")
	p.Wait("metadata", fmt.Sprintf(`(() => {
		let video = document.querySelector("video");
		if (!video) { video = document.createElement("video"); Object.assign(video, {muted: true, preload: "auto", src: "/recordings/%s.webm"}); document.body.replaceChildren(video); }
		return video.readyState >= 1;
	})()`, id))
	if d := eval[float64](p, `document.querySelector("video").duration`); d < 3599.9 || d > 3600.1 {
		t.Errorf("the player says that it lasts %v s", d)
	}
	var times []float64
	for range 20 {
		n := rand.IntN(3600 * hourFPS)
		at := (float64(n) + 0.5) / hourFPS
		got := eval[[]float64](p, fmt.Sprintf(`(async () => {
			const video = document.querySelector("video"), start = performance.now(), at = %f;
			// "seeked" may come before the picture is the one that is drawn.
			const picture = new Promise((done) => {
				const look = (_, { mediaTime }) => Math.abs(mediaTime - at) < 1 / %d ? done() : video.requestVideoFrameCallback(look);
				video.requestVideoFrameCallback(look);
			});
			video.currentTime = at;
			await picture;
			const took = performance.now() - start;
			const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight), context = canvas.getContext("2d");
			context.drawImage(video, 0, 0);
			let number = 0;
			for (let bit = 0; bit < %d; bit++) {
				const x = Math.round((bit + 0.5) * video.videoWidth / %d);
				if (context.getImageData(x, 180, 1, 1).data[0] > 128) number |= 1 << bit;
			}
			return [took, number];
		})()`, at, hourFPS, hourBits, hourBits))
		times = append(times, got[0])
		if want := n % (60 * hourFPS); int(got[1]) != want {
			t.Errorf("at %.3f s there is picture %v, want %d", at, got[1], want)
		}
	}
	slices.Sort(times)
	t.Logf("a seek takes %.0f ms in the median, %.0f ms at worst", times[10], times[19])
}
