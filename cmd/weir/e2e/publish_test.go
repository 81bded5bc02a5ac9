package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"weir/signaling/admin"
)

// TestPublishWatchRecord is the main job through the pages, in a real browser:
// publish, watch, stop, find the recording, play and seek it.
func TestPublishWatchRecord(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)

	publisher := c.Open(t, s.url+"/publish?name=e2e/camera")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)

	viewer := c.Open(t, s.url+"/watch/e2e/camera")
	viewer.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
	checkAdvances(t, viewer)
	checkSound(t, viewer)
	publisher.Screenshot("publish-live")
	viewer.Screenshot("watch-live")

	streams := get[streamList](t, s.url+"/api/v1/streams").Streams
	if len(streams) != 1 || streams[0].State != "live" || streams[0].Viewers != 1 || streams[0].Tracks[1].Width == 0 && streams[0].Tracks[0].Width == 0 {
		t.Errorf("the API shows %+v", streams)
	}
	// Long enough to seek in.
	publisher.Wait("eight seconds", `performance.now() - connectedAt > 8000`)
	sent := framesSent(publisher)
	broadcast := time.Duration(eval[float64](publisher, `(() => {
		const took = performance.now() - connectedAt;
		document.querySelector("#toggle").click();
		return took })()`) * float64(time.Millisecond))
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)

	recording := waitFinished(t, s.url, "e2e/camera")
	if frames := videoFrames(recording); frames < sent {
		t.Errorf("the recording has %d video frames, the publisher sent %d", frames, sent)
	}
	checkFile(t, filepath.Join(s.dataDir, "recordings"), recording, broadcast)
	viewer.Wait("told the end", `["ended", "waiting"].includes(document.documentElement.dataset.state)`)

	recordings := c.Open(t, s.url+"/recordings")
	openCard(t, recordings, recording.ID)
	checkSeeks(t, recordings, "#player", recording.DurationMS)
	recordings.Do(chromedp.Navigate(s.url + "/recordings"))
	recordings.Wait("card", `document.querySelector("[data-recording] .card-more")`)
	recordings.Click("[data-recording] .card-more")
	recordings.Click(`[data-recording] [data-action="delete"]`)
	recordings.Wait("it looks gone", `!document.querySelector("[data-recording]") && document.querySelector("#empty").checkVisibility()`)
	recordings.Wait("it is gone", `!document.querySelector(".notice")`)
	recordings.Do(chromedp.Reload())
	recordings.Wait("it is gone for good", `document.querySelector("#empty").checkVisibility()`)
	if left := get[recordingList](t, s.url+"/api/v1/recordings").Recordings; len(left) != 0 {
		t.Errorf("left: %+v", left)
	}

	publisher.Quiet()
	viewer.Quiet()
	recordings.Quiet()
}

// checkAdvances checks that the picture moves.
func checkAdvances(t *testing.T, p *tab) {
	t.Helper()
	count := `(async () => { let n = 0; for (const pc of connections) for (const s of (await pc.getStats()).values())
		if (s.type === "inbound-rtp" && s.kind === "video") n += s.framesDecoded; return n })()`
	before := eval[int](p, count)
	time.Sleep(2 * time.Second)
	if after := eval[int](p, count); after < before+10 {
		t.Errorf("in 2 s %d frames were decoded", after-before)
	}
}

func framesSent(p *tab) int64 {
	p.T.Helper()
	return eval[int64](p, `(async () => { let n = 0; for (const pc of connections) for (const s of (await pc.getStats()).values())
		if (s.type === "outbound-rtp" && s.kind === "video") n += s.framesSent; return n })()`)
}

// waitFinished waits until the newest recording of a stream is finished.
func waitFinished(t *testing.T, url, stream string) admin.Recording {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for time.Now().Before(deadline) {
		list := get[recordingList](t, url+"/api/v1/recordings?stream="+stream).Recordings
		if len(list) > 0 && list[0].State == "finished" {
			return list[0]
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("no finished recording of %s", stream)
	return admin.Recording{}
}

func videoFrames(r admin.Recording) int64 {
	for _, track := range r.Tracks {
		if track.Kind == "video" {
			return track.Frames
		}
	}
	return 0
}

// checkFile holds the file against what other programs say of it.
func checkFile(t *testing.T, dir string, r admin.Recording, broadcast time.Duration) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, r.Stream, "*-"+r.ID+".webm"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files of the recording: %v, %v", files, err)
	}
	probe := ffprobe(t, files[0])
	if codecs := probe.codecs(); codecs["vp8"] != 1 || codecs["opus"] != 1 || len(codecs) != 2 {
		t.Errorf("ffprobe finds %v, want VP8 and Opus", codecs)
	}
	duration, err := strconv.ParseFloat(probe.Format.Duration, 64)
	if off := time.Duration(duration*float64(time.Second)) - broadcast; err != nil || off.Abs() > 200*time.Millisecond {
		t.Errorf("the file lasts %v s, the broadcast lasted %v", probe.Format.Duration, broadcast)
	}
	checkIndexInFront(t, files[0])
	decode(t, files[0])
}

// checkIndexInFront: the Cues (RFC 9559 section 5.1.5) lie ahead of the first
// Cluster, so that a player can seek with two requests.
func checkIndexInFront(t *testing.T, file string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cluster := bytes.Index(data, []byte{0x1f, 0x43, 0xb6, 0x75})
	// The SeekHead names the Cues' ID too, further ahead.
	cues := bytes.LastIndex(data[:max(cluster, 0)], []byte{0x1c, 0x53, 0xbb, 0x6b})
	if cues < 0 || cluster < 0 {
		t.Errorf("Cues at byte %d, first Cluster at %d", cues, cluster)
	}
}

type probed struct {
	Streams []struct {
		Codec string `json:"codec_name"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"`
	} `json:"format"`
}

func (p probed) codecs() map[string]int {
	n := map[string]int{}
	for _, s := range p.Streams {
		n[s.Codec]++
	}
	return n
}

func ffprobe(t *testing.T, file string) probed {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_format", "-show_streams", file).Output()
	if err != nil {
		t.Fatalf("ffprobe: %v", err)
	}
	var p probed
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// decode decodes every frame; any error fails.
func decode(t *testing.T, file string) {
	t.Helper()
	// Every frame as it is, at its own time: ffmpeg would round times to the frame
	// rate that it guesses, and then complain about them.
	out, err := exec.Command("ffmpeg", "-v", "error", "-err_detect", "explode", "-xerror", "-i", file,
		"-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-f", "null", "-").CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("ffmpeg cannot decode the file: %v\n%s", err, out)
	}
}

// checkSeeks seeks to 5 random points and checks that each shows a picture soon.
func checkSeeks(t *testing.T, p *tab, player string, durationMS int64) {
	t.Helper()
	p.Wait("metadata", fmt.Sprintf(`document.querySelector(%q)?.readyState >= 1`, player))
	if d := eval[float64](p, fmt.Sprintf(`document.querySelector(%q).duration`, player)); int64(d*1000) < durationMS-50 {
		t.Errorf("the player says that it lasts %v s, want %d ms", d, durationMS)
	}
	for range 5 {
		at := rand.Float64() * float64(durationMS-500) / 1000
		took := eval[[]float64](p, fmt.Sprintf(`(async () => {
			const video = document.querySelector(%q), start = performance.now();
			video.pause();
			const picture = new Promise((done) => video.requestVideoFrameCallback((now, { mediaTime }) => done([now, mediaTime])));
			await new Promise((done) => { video.addEventListener("seeked", done, { once: true }); video.currentTime = %f; });
			const [now, shown] = await picture;
			return [now - start, shown];
		})()`, player, at))
		// The picture at that time began at most a few frames before it.
		if shown := took[1]; shown > at+0.05 || shown < at-0.3 {
			t.Errorf("seek to %.3f s shows the picture of %.3f s", at, shown)
		}
		t.Logf("seek to %.2f s took %.0f ms", at, took[0])
	}
}

// TestClientFromAnotherOrigin: a page of another server imports the client
// library from here, publishes with it and watches.
func TestClientFromAnotherOrigin(t *testing.T) {
	s := startServer(t)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<!doctype html><title>another</title><link rel="icon" href="data:,"><canvas></canvas><video muted></video>`)
	}))
	t.Cleanup(other.Close)
	p := startChrome(t).Open(t, other.URL)
	frames := eval[int](p, fmt.Sprintf(`(async () => {
		const { Publisher, Viewer } = await import("%[1]s/static/client/index.js");
		const canvas = document.querySelector("canvas"), context = canvas.getContext("2d");
		setInterval(() => { context.fillStyle = "hsl(" + performance.now() %% 360 + " 80%% 50%%)"; context.fillRect(0, 0, 300, 150); }, 30);
		const publisher = new Publisher({ endpoint: "%[1]s", name: "other/origin", stream: canvas.captureStream() });
		await publisher.start();
		const video = document.querySelector("video");
		const viewer = new Viewer({ endpoint: "%[1]s", name: "other/origin", video });
		viewer.start();
		for (let n = 0; n < 10; n++) await new Promise((done) => video.requestVideoFrameCallback(done));
		const frames = video.getVideoPlaybackQuality().totalVideoFrames;
		await viewer.stop();
		await publisher.stop();
		return frames;
	})()`, s.url))
	if frames < 10 {
		t.Errorf("%d frames were shown", frames)
	}
	p.Quiet()
}
