package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// feedPlayer plays /ws/watch by Media Source Extensions and nothing else: what
// comes is appended as it is.
const feedPlayer = `<!doctype html><title>feed</title><link rel="icon" href="data:,"><video muted></video>
<script>
const video = document.querySelector("video");
const state = window.state = { events: [], messages: 0, errors: [], started: performance.now(), firstPicture: 0 };
video.requestVideoFrameCallback(() => { state.firstPicture = performance.now() - state.started; });
video.onerror = () => state.errors.push("video: " + video.error.message);
function follow(url, framing) {
  let buffer, queue = [];
  const append = () => {
    if (!buffer || buffer.updating || queue.length === 0) return;
    try { buffer.appendBuffer(queue.shift()); } catch (e) { state.errors.push(String(e)); }
  };
  const begin = (mime) => {
    buffer = undefined; queue = [];
    const source = new MediaSource();
    source.onsourceopen = () => {
      buffer = source.addSourceBuffer(mime);
      buffer.onupdateend = () => {
        // Without anything in hand a player starves at once, and on a busy machine
        // its picture freezes until the next keyframe.
        if (video.paused && video.buffered.length > 0 && video.buffered.end(0) > 0.4) video.play();
        append();
      };
      buffer.onerror = () => state.errors.push("buffer error");
      append();
    };
    video.pause();
    video.src = URL.createObjectURL(source);
  };
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => socket.send(JSON.stringify({ type: "hello", framing }));
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") { state.messages++; queue.push(data); append(); return; }
    const event = JSON.parse(data);
    state.events.push(event);
    if (event.type === "init") begin(event.mime);
  };
}
</script>`

// feedState is what the page says of its player.
type feedState struct {
	At       float64 `json:"at"`
	Ranges   int     `json:"ranges"`
	Ahead    float64 `json:"ahead"`
	Width    int     `json:"width"`
	Frames   int     `json:"frames"`
	Sound    int     `json:"sound"`
	Messages int     `json:"messages"`
	First    float64 `json:"first"`
	Errors   string  `json:"errors"`
	Events   string  `json:"events"`
}

func playing(p *tab) feedState {
	p.T.Helper()
	return eval[feedState](p, `({ at: video.currentTime, ranges: video.buffered.length,
		ahead: video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : 0,
		width: video.videoWidth, frames: video.getVideoPlaybackQuality().totalVideoFrames,
		sound: video.webkitAudioDecodedByteCount, messages: state.messages, first: state.firstPicture,
		errors: state.errors.join("; "), events: JSON.stringify(state.events) })`)
}

// TestWatchByMSE: what a camera publishes over WebRTC plays in a page that has
// only a WebSocket and a SourceBuffer, in both framings, from the middle of the
// broadcast on, and over a new broadcast.
func TestWatchByMSE(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	pages := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, feedPlayer)
	}))
	t.Cleanup(pages.Close)
	publisher := c.Open(t, s.url+"/publish?name=mse/camera")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)

	url := "ws" + strings.TrimPrefix(s.url, "http") + "/ws/watch/mse/camera"
	var viewers []*tab
	for _, framing := range []string{"clusters", "growing"} {
		p := c.Open(t, pages.URL)
		eval[bool](p, fmt.Sprintf(`(state.started = performance.now(), follow(%q, %q), true)`, url, framing))
		viewers = append(viewers, p)
		t.Run(framing, func(t *testing.T) { checkFeed(t, p) })
	}
	if n := get[streamList](t, s.url+"/api/v1/streams").Streams[0].Viewers; n != 2 {
		t.Errorf("%d viewers are counted, want 2", n)
	}
	publisher.Click("#toggle")
	for _, p := range viewers {
		p.Wait("told the end", `state.events.at(-1).type === "ended" && state.events.at(-1).recording`)
	}
	publisher.Wait("ready", `document.documentElement.dataset.state !== "live"`)
	publisher.Click("#toggle")
	for _, p := range viewers {
		p.Wait("the next broadcast", `state.events.at(-1).type === "init"`)
		checkFeed(t, p)
		p.Quiet()
	}
	publisher.Quiet()
}

// checkFeed checks that picture and sound go on for 4 s, without a hole.
func checkFeed(t *testing.T, p *tab) {
	t.Helper()
	p.Wait("playing", `video.currentTime > 0.5 && video.videoWidth > 0 && video.webkitAudioDecodedByteCount > 0`)
	from := playing(p)
	p.Wait("4 s more", fmt.Sprintf(`video.currentTime > %f`, from.At+4))
	to := playing(p)
	t.Logf("first picture after %.0f ms; %.0f ms ahead; %+v", to.First, to.Ahead*1000, to)
	if to.Ranges != 1 || to.Errors != "" {
		t.Errorf("the buffer has %d ranges; errors: %q", to.Ranges, to.Errors)
	}
	if to.Frames < from.Frames+40 || to.Sound <= from.Sound || to.Messages < from.Messages+40 {
		t.Errorf("in 4 s from %+v to %+v", from, to)
	}
}
