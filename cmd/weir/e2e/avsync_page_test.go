package e2e

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"weir/cmd/weir/browsertest"
)

// marksPage plays a file, or watches a broadcast, and tells what was shown and heard,
// and when: see pageFigures. Sound is taken in the thread that renders it, where none is
// lost when the page has no time, by the audio clock's own count of samples; that clock
// is held against the page's now and then.
const marksPage = `<!doctype html><title>marks</title><link rel="icon" href="data:,">
<video playsinline></video>
<script type="module">
const video = document.querySelector("video");
const frames = [], sound = [], clock = [];

const canvas = document.createElement("canvas"), size = 16;
canvas.width = canvas.height = size;
const pen = canvas.getContext("2d", { willReadFrequently: true });
const context = new AudioContext();
const compare = () => {
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  clock.push([contextTime, performanceTime / 1000]);
};
const look = (now, { expectedDisplayTime, mediaTime, presentedFrames }) => {
  pen.drawImage(video, 0, 0, size, size);
  const { data } = pen.getImageData(0, 0, size, size);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i + 1];
  frames.push([expectedDisplayTime / 1000, sum / size / size, mediaTime, presentedFrames]);
  video.requestVideoFrameCallback(look);
  compare();
};
video.requestVideoFrameCallback(look);
setInterval(compare, 20);

await context.audioWorklet.addModule("/listen.js");
const listen = new AudioWorkletNode(context, "listen");
listen.port.onmessage = ({ data }) => sound.push(...data);
listen.connect(context.destination);
await context.resume();

// play plays a file to its end.
const play = async (file) => {
  context.createMediaElementSource(video).connect(listen);
  const over = new Promise((ended, failed) => {
    video.onended = ended;
    video.onerror = () => failed(new Error(video.error.message));
  });
  video.src = file;
  await video.play();
  await over;
  await new Promise((done) => setTimeout(done, 300)); // what the worklet has still to tell
  return { frames, sound, clock };
};

const query = new URLSearchParams(location.search);
if (query.has("file")) {
  play(query.get("file")).then((figures) => { window.figures = figures; }, (error) => { window.failed = error.message; });
} else if (query.has("player")) {
  const { file } = await (await fetch("/next")).json();
  const told = await play(file).catch((error) => ({ failed: error.message }));
  await fetch("/told", { method: "POST", body: JSON.stringify(told) });
  location.reload();
} else {
  const { Viewer } = await import(query.get("server") + "/static/client/index.js");
  const viewer = new Viewer({ endpoint: query.get("server"), name: query.get("watch"), video, transport: query.get("transport") });
  // Of a stream its sound is heard as it comes to the element; of a MediaSource by the element.
  const hear = () => {
    if (video.srcObject) context.createMediaStreamSource(video.srcObject).connect(listen);
    else context.createMediaElementSource(video).connect(listen);
  };
  viewer.addEventListener("state", ({ detail: { state } }) => {
    window.state = state;
    if (state === "live") video.srcObject ? video.addEventListener("playing", hear, { once: true }) : hear();
    if (state === "ended") window.figures = { frames, sound, clock };
  });
  viewer.start();
}
</script>`

// listenScript tells how loud each 128 samples are.
const listenScript = `registerProcessor("listen", class extends AudioWorkletProcessor {
  rows = [];
  process([input], [output]) {
    let sum = 0, n = 0;
    for (const channel of input) for (const s of channel) { sum += s * s; n++; }
    input.forEach((channel, i) => output[i]?.set(channel));
    this.rows.push([currentTime, Math.sqrt(sum / Math.max(n, 1))]);
    if (this.rows.length >= 32) { this.port.postMessage(this.rows); this.rows = []; }
    return true;
  }
});`

// pageFigures is what a marksPage tells. All times are in seconds.
type pageFigures struct {
	Frames [][4]float64 `json:"frames"` // of each picture: see the constants
	Sound  [][2]float64 `json:"sound"`  // of each 128 samples: time on the audio clock, power
	Clock  [][2]float64 `json:"clock"`  // time on the audio clock, and on the page's
	Failed string       `json:"failed"`
}

// What is told of a picture.
const (
	shownAt   = iota // on the page's clock
	luma             // of what was on the page then
	mediaTime        // in the file or stream
	shownSum         // how many were shown so far
)

const (
	// clockWindow is how far around an instant clocks are compared. A figure alone is
	// off by as much as a page has no time for, or by the interval of its refreshes.
	clockWindow = 1.0
	// flashLasts is by when a flash that a page shows is seen, in seconds. Firefox may
	// tell of the picture next to the one that is drawn.
	flashLasts = 0.15
)

// file returns the marks of a file that was played, on the page's clock. flashes are
// where the file has its own. A picture that a page did not get to look at is taken to
// be shown when those around it tell.
func (f pageFigures) file(flashes []float64) marks {
	m := marks{Beeps: f.beeps()}
	at, values := f.column(mediaTime, luma)
	var own, shown [][2]float64
	for _, r := range f.Frames {
		shown = append(shown, [2]float64{r[mediaTime], r[shownAt] - r[mediaTime]})
	}
	for _, seen := range rising(at, values, 60) {
		own = append(own, [2]float64{seen})
	}
	for _, flash := range flashes {
		if !slices.ContainsFunc(own, func(o [2]float64) bool { return o[0] > flash-0.02 && o[0] < flash+flashLasts }) {
			continue // it was not seen
		}
		if offset, ok := around(shown, flash); ok {
			m.Flashes = append(m.Flashes, flash+offset)
		}
	}
	return m
}

// live returns the marks of a broadcast that was watched, on the page's clock: each
// flash by itself, since a stream's own times may step.
func (f pageFigures) live() marks {
	at, values := f.column(shownAt, luma)
	return marks{Flashes: rising(at, values, 60), Beeps: f.beeps()}
}

func (f pageFigures) column(time, value int) (at, values []float64) {
	for _, r := range f.Frames {
		at, values = append(at, r[time]), append(values, r[value])
	}
	return at, values
}

// beeps returns when beeps begin, on the page's clock.
func (f pageFigures) beeps() (found []float64) {
	var at, power []float64
	for _, r := range f.Sound {
		at, power = append(at, r[0]), append(power, r[1])
	}
	var clock [][2]float64
	for _, r := range f.Clock {
		if r[0] > 0 { // it runs
			clock = append(clock, [2]float64{r[0], r[1] - r[0]})
		}
	}
	for _, beep := range rising(at, power, 0.02) {
		if offset, ok := around(clock, beep); ok {
			found = append(found, beep+offset)
		}
	}
	return found
}

// around returns the median of the values in the window around an instant. Rows are of
// an instant and a value.
func around(rows [][2]float64, at float64) (median float64, ok bool) {
	var values []float64
	for _, r := range rows {
		if math.Abs(r[0]-at) <= clockWindow {
			values = append(values, r[1])
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return values[len(values)/2], true
}

// stage serves a marksPage, and files for it to play.
type stage struct {
	*httptest.Server
	next chan string
	told chan pageFigures

	mu    sync.Mutex
	files []string
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{next: make(chan string), told: make(chan pageFigures)}
	text := func(kind, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", kind)
			fmt.Fprint(w, body)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", text("text/html", marksPage))
	mux.HandleFunc("GET /listen.js", text("text/javascript", listenScript))
	mux.HandleFunc("GET /file/{number}", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		number, err := strconv.Atoi(r.PathValue("number"))
		if err != nil || number < 0 || number >= len(s.files) {
			s.mu.Unlock()
			http.NotFound(w, r)
			return
		}
		file := s.files[number]
		s.mu.Unlock()
		http.ServeFile(w, r, file)
	})
	mux.HandleFunc("GET /next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case file := <-s.next:
			_ = json.NewEncoder(w).Encode(map[string]string{"file": file}) // else it does not tell
		case <-r.Context().Done():
		}
	})
	mux.HandleFunc("POST /told", func(_ http.ResponseWriter, r *http.Request) {
		var f pageFigures
		if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
			f = pageFigures{Failed: err.Error()}
		}
		select {
		case s.told <- f:
		case <-r.Context().Done():
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// put returns the path under which a file is served from now on.
func (s *stage) put(file string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files = append(s.files, file)
	return "/file/" + strconv.Itoa(len(s.files)-1)
}

// open opens a page that plays a file.
func (s *stage) open(t *testing.T, c chrome, file string) *tab {
	t.Helper()
	return c.Open(t, s.URL+"/?file="+url.QueryEscape(s.put(file)))
}

// watch opens a page that watches a broadcast by one of the transports.
func (s *stage) watch(t *testing.T, c chrome, server, name, transport string) *tab {
	t.Helper()
	return c.Open(t, fmt.Sprintf("%s/?server=%s&watch=%s&transport=%s", s.URL, url.QueryEscape(server), url.QueryEscape(name), transport))
}

// figuresOf waits until what the page plays is over.
func figuresOf(p *tab, seconds int) (f pageFigures) {
	p.T.Helper()
	for deadline := time.Now().Add(playTime(seconds)); !eval[bool](p, "Boolean(window.figures || window.failed)"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			f.Failed = "it does not come to an end: " + eval[string](p, `JSON.stringify({ state: window.state, time: document.querySelector("video").currentTime })`)
			return f
		}
	}
	if f.Failed = eval[string](p, `window.failed ?? ""`); f.Failed != "" {
		return f
	}
	return eval[pageFigures](p, "window.figures")
}

// playTime is how long a page may take to play some seconds.
func playTime(seconds int) time.Duration {
	return time.Duration(seconds)*time.Second + 2*browsertest.Timeout
}
