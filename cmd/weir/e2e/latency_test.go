package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"weir/cmd/weir/browsertest"
)

// latencyPage publishes a clock, and reads it from the screen of a viewer: the
// top of the picture is a bar of 20 blocks, white or black, 16 bits of the wall
// clock in milliseconds and 4 that check them. What is below it moves, so that
// the encoder has something to do.
const latencyPage = `<!doctype html><title>latency</title><link rel="icon" href="data:,">
<canvas width="640" height="360"></canvas><video muted playsinline></video>
<script>
const BITS = 20, BAR = 0.2;
const wall = () => performance.timeOrigin + performance.now();
const check = (ms) => (ms ^ ms >> 4 ^ ms >> 8 ^ ms >> 12) & 15 ^ 9;
let publisher, viewer;

async function publish(name, transport, slice) {
  const start = MediaRecorder.prototype.start;
  MediaRecorder.prototype.start = function () { start.call(this, slice); };
  const { Publisher } = await import(endpoint + "/static/client/index.js");
  const canvas = document.querySelector("canvas"), context = canvas.getContext("2d", { alpha: false });
  const { width, height } = canvas, block = width / BITS;
  setInterval(() => {
    const at = performance.now() / 1000;
    context.fillStyle = "hsl(" + at * 40 % 360 + " 50% 40%)";
    context.fillRect(0, 0, width, height);
    for (let i = 0; i < 12; i++) {
      context.fillStyle = "hsl(" + i * 30 + " 70% 50%)";
      context.fillRect((i * 53 + at * (40 + i * 9)) % width, height * BAR + i * 23, 60, 23);
    }
    const ms = Math.round(wall()) & 65535, code = ms << 4 | check(ms);
    for (let i = 0; i < BITS; i++) {
      context.fillStyle = code >> BITS - 1 - i & 1 ? "#fff" : "#000";
      context.fillRect(i * block, 0, block, height * BAR);
    }
  }, 33);
  const sound = await navigator.mediaDevices.getUserMedia({ audio: true });
  const stream = new MediaStream([...canvas.captureStream(30).getTracks(), ...sound.getTracks()]);
  publisher = new Publisher({ endpoint, name, stream, transport });
  await publisher.start();
}

/** Reads how old the picture is that the video shows; null where that cannot be read. */
function reader(video) {
  const canvas = new OffscreenCanvas(BITS * 4, 4);
  const context = canvas.getContext("2d", { willReadFrequently: true, alpha: false });
  return () => {
    context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight * BAR, 0, 0, canvas.width, canvas.height);
    const { data } = context.getImageData(0, 2, canvas.width, 1);
    let code = 0;
    for (let i = 0; i < BITS; i++) code = code << 1 | (data[(i * 4 + 2) * 4 + 1] > 127 ? 1 : 0);
    const ms = code >> 4;
    return check(ms) === (code & 15) ? (Math.round(wall()) - ms + 65536) % 65536 : null;
  };
}

async function watch(name, transport) {
  const { Viewer } = await import(endpoint + "/static/client/index.js");
  const video = document.querySelector("video");
  viewer = new Viewer({ endpoint, name, video, transport });
  viewer.start();
  await new Promise((done) => video.requestVideoFrameCallback(done));
  return true;
}

/** The ages of all pictures that are shown within so many milliseconds. */
async function ages(ms) {
  const video = document.querySelector("video"), age = reader(video), found = { ages: [], unread: 0, stalls: 0, rate: 0 };
  const until = performance.now() + ms;
  const stall = () => found.stalls++;
  video.addEventListener("waiting", stall);
  const look = () => {
    if (performance.now() > until) return;
    const n = age();
    if (n === null) found.unread++; else found.ages.push(n);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  await new Promise((done) => setTimeout(done, ms));
  video.removeEventListener("waiting", stall);
  found.rate = video.playbackRate;
  return found;
}
</script>`

// shown is what a viewer saw.
type shown struct {
	Ages   []float64 `json:"ages"` // ms
	Unread int       `json:"unread"`
	Stalls int       `json:"stalls"`
	Rate   float64   `json:"rate"`
}

// latencyRig is a server and a browser for measurements.
type latencyRig struct {
	b       *testing.B
	url     string // of the page
	browser context.Context
}

func newLatencyRig(b *testing.B) *latencyRig {
	b.Helper()
	s := startServer(b, "--keyframe-interval", "0", "--log-level", "error")
	page := fmt.Sprintf("<script>const endpoint = %q;</script>%s", s.url, latencyPage)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, page)
	}))
	b.Cleanup(pages.Close)
	return &latencyRig{b: b, url: pages.URL, browser: browsertest.Start(b).Context()}
}

// open opens the page in a tab of its own.
func (r *latencyRig) open() (tab context.Context, closeTab func()) {
	r.b.Helper()
	tab, closeTab = chromedp.NewContext(r.browser)
	if err := chromedp.Do(tab); err != nil {
		r.b.Fatalf("open a tab: %v", err)
	}
	if err := chromedp.Do(tab, chromedp.Navigate(r.url)); err != nil {
		r.b.Fatal(err)
	}
	return tab, closeTab
}

// rigEval returns the value of a JavaScript expression, awaited.
func rigEval[T any](r *latencyRig, tab context.Context, js string) T {
	r.b.Helper()
	ctx, cancel := context.WithTimeout(tab, 2*time.Minute)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		r.b.Fatalf("in the page: %s: %v", js, err)
	}
	return v
}

// BenchmarkLatency measures from the moment a picture is painted to the moment
// that it is on a viewer's screen, for all ways in and out.
func BenchmarkLatency(b *testing.B) {
	for _, in := range []struct {
		name, transport string
		slice           time.Duration
	}{
		{"whip", "webrtc", 100 * time.Millisecond},
		{"upload-100ms", "websocket", 100 * time.Millisecond},
		{"upload-2s", "websocket", 2 * time.Second},
	} {
		for _, out := range []struct{ name, transport string }{{"whep", "webrtc"}, {"mse", "websocket"}} {
			b.Run(in.name+"/"+out.name, func(b *testing.B) {
				r := newLatencyRig(b)
				for b.Loop() {
					publisher, stop := r.open()
					rigEval[any](r, publisher, fmt.Sprintf(`publish("latency", %q, %d)`, in.transport, in.slice.Milliseconds()))
					viewer, leave := r.open()
					rigEval[any](r, viewer, fmt.Sprintf(`watch("latency", %q)`, out.transport))
					// Until the player has settled: the pacer of an upload finds its delay within 10 s.
					rigEval[any](r, viewer, `new Promise((done) => setTimeout(done, 12000))`)
					found := rigEval[shown](r, viewer, `ages(20000)`)
					b.Logf("%d pictures, %d unread, %d stalls, rate %.2f", len(found.Ages), found.Unread, found.Stalls, found.Rate)
					report(b, found.Ages, "")
					rigEval[any](r, publisher, `publisher.stop()`)
					leave()
					stop()
				}
			})
		}
	}
}

// report reports what is usual, what is rare, and the worst.
func report(b *testing.B, ms []float64, what string) {
	if len(ms) == 0 {
		b.Error("nothing was measured")
		return
	}
	slices.Sort(ms)
	at := func(share float64) float64 { return ms[min(len(ms)-1, int(share*float64(len(ms))))] }
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(at(0.5), what+"p50-ms")
	b.ReportMetric(at(0.95), what+"p95-ms")
	b.ReportMetric(ms[len(ms)-1], what+"max-ms")
}
