package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"
)

// marksPage plays a file, or watches a broadcast, and tells when flashes are shown and
// beeps are heard, both on the page's own clock. What a browser itself adds between
// them is the same all the time.
const marksPage = `<!doctype html><title>marks</title><link rel="icon" href="data:,">
<video playsinline></video>
<script type="module">
const query = new URLSearchParams(location.search), video = document.querySelector("video");
const luma = [], power = [];

const canvas = document.createElement("canvas"), size = 16;
canvas.width = canvas.height = size;
const pen = canvas.getContext("2d", { willReadFrequently: true });
const look = (now, { expectedDisplayTime }) => {
  pen.drawImage(video, 0, 0, size, size);
  const { data } = pen.getImageData(0, 0, size, size);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i + 1];
  luma.push([expectedDisplayTime / 1000, sum / size / size]);
  video.requestVideoFrameCallback(look);
};
video.requestVideoFrameCallback(look);

const context = new AudioContext();
const listen = context.createScriptProcessor(256, 1, 1);
listen.onaudioprocess = ({ inputBuffer, playbackTime }) => {
  const samples = inputBuffer.getChannelData(0);
  let sum = 0;
  for (const s of samples) sum += s * s;
  const { contextTime, performanceTime } = context.getOutputTimestamp();
  power.push([performanceTime / 1000 + playbackTime - contextTime, Math.sqrt(sum / samples.length)]);
};
listen.connect(context.destination);
await context.resume();

const done = async () => {
  const figures = { luma, power };
  if (query.has("tell")) await fetch(query.get("tell"), { method: "POST", body: JSON.stringify(figures) });
  window.figures = figures;
};
if (query.has("file")) {
  context.createMediaElementSource(video).connect(listen);
  video.src = query.get("file");
  video.onended = done;
  video.onerror = () => { window.failed = video.error.message; };
  await video.play();
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
    if (state === "ended") done();
  });
  viewer.start();
}
</script>`

// pageFigures is what a marksPage tells: rows of an instant and a value.
type pageFigures struct {
	Luma  [][2]float64 `json:"luma"`
	Power [][2]float64 `json:"power"`
}

func (f pageFigures) marks() marks {
	columns := func(rows [][2]float64) (at, values []float64) {
		for _, r := range rows {
			at, values = append(at, r[0]), append(values, r[1])
		}
		return at, values
	}
	var m marks
	at, values := columns(f.Luma)
	m.Flashes = rising(at, values, 60)
	at, values = columns(f.Power)
	m.Beeps = rising(at, values, 0.02)
	return m
}

// stage serves a marksPage, and files for it to play.
type stage struct {
	*httptest.Server
	told chan pageFigures
}

// newStage returns one that serves files by the names given.
func newStage(t *testing.T, files map[string]string) *stage {
	t.Helper()
	s := &stage{told: make(chan pageFigures, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, marksPage)
	})
	for name, file := range files {
		mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	}
	mux.HandleFunc("POST /told", func(_ http.ResponseWriter, r *http.Request) {
		var f pageFigures
		if json.NewDecoder(r.Body).Decode(&f) == nil {
			s.told <- f
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// inChromium plays a file to its end.
func (s *stage) inChromium(t *testing.T, c chrome, file string, seconds int) marks {
	t.Helper()
	p := c.open(t, s.URL+"/?file="+url.QueryEscape(file))
	defer p.close()
	return p.figures(seconds)
}

// watch opens a page that watches a broadcast by one of the transports.
func (s *stage) watch(t *testing.T, c chrome, server, name, transport string) *tab {
	t.Helper()
	return c.open(t, fmt.Sprintf("%s/?server=%s&watch=%s&transport=%s", s.URL, url.QueryEscape(server), url.QueryEscape(name), transport))
}

// figures waits until what the page plays is over.
func (p *tab) figures(seconds int) marks {
	p.t.Helper()
	for deadline := time.Now().Add(playTime(seconds)); !eval[bool](p, "Boolean(window.figures || window.failed)"); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Errorf("the page does not come to an end: %s", eval[string](p, `JSON.stringify({ state: window.state, time: document.querySelector("video").currentTime })`))
			return marks{}
		}
	}
	if failed := eval[string](p, `window.failed ?? ""`); failed != "" {
		p.t.Errorf("the page cannot play it: %s", failed)
		return marks{}
	}
	return eval[pageFigures](p, "window.figures").marks()
}

// inFirefox plays a file to its end.
func (s *stage) inFirefox(t *testing.T, file string, seconds int) (m marks) {
	t.Helper()
	t.Run("Firefox", func(t *testing.T) { // the browser ends with it
		startFirefox(t, fmt.Sprintf("%s/?file=%s&tell=/told", s.URL, url.QueryEscape(file)))
		select {
		case f := <-s.told:
			m = f.marks()
		case <-time.After(playTime(seconds)):
			t.Error("Firefox does not come to an end")
		}
	})
	return m
}
