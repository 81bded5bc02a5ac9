package e2e

import (
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// brightness is how bright the picture of a page's player is, 0 to 255, and loudness how
// loud its sound is at most within 100 ms.
const (
	brightness = `(() => { const video = document.querySelector("#player"), canvas = document.createElement("canvas");
		canvas.width = canvas.height = 16;
		const context = canvas.getContext("2d"); context.drawImage(video, 0, 0, 16, 16);
		const {data} = context.getImageData(0, 0, 16, 16);
		let sum = 0; for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i+1] + data[i+2];
		return sum / data.length * 4 / 3 })()`
	listen = `(() => { const context = new AudioContext(); window.analyser = context.createAnalyser(); window.analyser.fftSize = 4096;
		context.createMediaStreamSource(document.querySelector("#player").srcObject).connect(analyser); context.resume(); return true })()`
	loudness = `(() => { const samples = new Float32Array(analyser.fftSize); analyser.getFloatTimeDomainData(samples);
		return Math.max(...samples.map(Math.abs)) })()`
)

// TestGoesOn: what is muted or switched off while live is silent and black at a viewer. A
// page that is loaded again goes on with its broadcast, and with a server that was killed
// and is back publisher and viewer go on, both by themselves; the recordings tell of it.
func TestGoesOn(t *testing.T) {
	binary, data := builtProgram(t), t.TempDir()
	p := startProcess(t, binary, data)
	c := startChrome(t)
	publisher := c.Open(t, p.url+"/publish?name=goes/on")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	viewer := c.Open(t, p.url+"/watch/goes/on?transport=webrtc")
	pictures := func(more int) {
		t.Helper()
		viewer.Wait("live", `document.documentElement.dataset.state === "live"`)
		from := eval[int](viewer, `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames`)
		viewer.Wait("pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > `+strconv.Itoa(from+more))
	}
	pictures(10)
	eval[bool](viewer, listen)

	viewer.Wait("sound", loudness+" > 0.01")
	viewer.Wait("light", brightness+" > 20")
	took := func(what, button, seen string) {
		t.Helper()
		eval[bool](viewer, `(window.came = new Promise((done) => {
			const look = () => { if (`+seen+`) done(Date.now()); else setTimeout(look, 10) }; look(); }), true)`)
		at := eval[float64](publisher, `(document.querySelector("`+button+`").click(), Date.now())`)
		t.Logf("%s came after %.0f ms", what, eval[float64](viewer, `window.came`)-at)
	}
	took("silence", "#mute", loudness+" < 0.001")
	took("sound again", "#mute", loudness+" > 0.01")
	took("a black picture", "#darken", brightness+" < 5")
	publisher.Screenshot("publish-camera-off")
	took("light again", "#darken", brightness+" > 20")

	before := get[streamList](t, p.url+"/api/v1/streams").Streams
	if !publisher.Reload() {
		t.Error("the page did not ask before it was left while live")
	}
	publisher.Wait("live again", `document.documentElement.dataset.state === "live"`)
	pictures(20)
	after := get[streamList](t, p.url+"/api/v1/streams").Streams
	list := get[recordingList](t, p.url+"/api/v1/recordings").Recordings
	if len(before) != 1 || len(after) != 1 || before[0].ID != after[0].ID || len(list) != 1 {
		t.Errorf("after a reload the stream %+v is %+v, recordings %+v", before, after, list)
	}

	killed := time.Now()
	p.signal(syscall.SIGKILL)
	p.wait(time.Second)
	for _, page := range []*tab{publisher, viewer} {
		page.Wait("notices", `document.documentElement.dataset.state === "reconnecting"`)
		t.Logf("a page noticed after %v", time.Since(killed).Round(10*time.Millisecond))
	}
	p = startProcess(t, binary, data, "--http-addr", strings.Replace(strings.TrimPrefix(p.url, "http://"), "localhost", "127.0.0.1", 1))
	started := time.Now()
	publisher.Wait("live again", `document.documentElement.dataset.state === "live"`)
	viewer.Wait("live again", `document.documentElement.dataset.state === "live"`)
	t.Logf("both went on within %v", time.Since(started).Round(10*time.Millisecond))
	pictures(20)
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	publisher.Wait("no gauges", `!document.querySelector("#gauges").checkVisibility()`)
	last := waitFinished(t, p.url, "goes/on")
	list = get[recordingList](t, p.url+"/api/v1/recordings").Recordings
	if len(list) != 2 || list[0].ID != last.ID || list[0].Previous != list[1].ID || list[1].Next != last.ID {
		t.Errorf("the recordings do not name each other: %+v", list)
	}
}
