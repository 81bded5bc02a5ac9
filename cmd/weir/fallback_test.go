package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestEveryPathToEveryViewer: a publisher over WebRTC and one over a WebSocket,
// each watched over both, all at once: pictures move, there is sound, and each
// broadcast is kept.
func TestEveryPathToEveryViewer(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	paths := []string{"webrtc", "websocket"}
	publishers := map[string]*tab{}
	for _, path := range paths {
		p := c.open(t, fmt.Sprintf("%s/publish?name=by/%s&transport=%s", s.url, path, path))
		p.wait("preview", `document.querySelector("#preview").videoWidth > 0`)
		p.click("#toggle")
		p.wait("live", `document.documentElement.dataset.state === "live"`)
		publishers[path] = p
	}
	for _, from := range paths {
		for _, to := range paths {
			t.Run(from+" to "+to, func(t *testing.T) {
				v := c.open(t, fmt.Sprintf("%s/watch/by/%s?transport=%s", s.url, from, to))
				defer v.close()
				v.wait("picture", `document.querySelector("#player").videoWidth > 0`)
				checkPlays(t, v)
				v.quiet()
			})
		}
	}
	for _, path := range paths {
		p := publishers[path]
		p.click("#toggle")
		p.wait("ended", `document.documentElement.dataset.state === "ended"`)
		p.quiet()
		recording := waitFinished(t, s.url, "by/"+path)
		if frames := videoFrames(recording); frames < 50 {
			t.Errorf("%s: %d frames are in the file", path, frames)
		}
		files, _ := filepath.Glob(filepath.Join(s.dataDir, "recordings", recording.Stream, "*-"+recording.ID+".webm"))
		if len(files) != 1 {
			t.Fatalf("%s: files %v, want one", path, files)
		}
		checkIndexInFront(t, files[0])
		decode(t, files[0])
	}
}

// checkPlays checks that a player shows new pictures and that sound comes out,
// whichever way the media came.
func checkPlays(t *testing.T, p *tab) {
	t.Helper()
	shown := eval[int](p, `(async () => {
		const video = document.querySelector("#player");
		const before = video.getVideoPlaybackQuality().totalVideoFrames;
		await new Promise((done) => setTimeout(done, 3000));
		return video.getVideoPlaybackQuality().totalVideoFrames - before;
	})()`)
	if shown < 15 {
		t.Errorf("in 3 s %d pictures were shown", shown)
	}
	loudest := eval[float64](p, `(async () => {
		const video = document.querySelector("#player");
		const context = new AudioContext(), analyser = context.createAnalyser();
		context.createMediaStreamSource(video.srcObject instanceof MediaStream ? video.srcObject : video.captureStream()).connect(analyser);
		await context.resume();
		const samples = new Float32Array(analyser.fftSize);
		let peak = 0;
		for (let i = 0; i < 150 && peak < 0.01; i++) {
			analyser.getFloatTimeDomainData(samples);
			for (const s of samples) peak = Math.max(peak, Math.abs(s));
			await new Promise((done) => setTimeout(done, 20));
		}
		await context.close();
		return peak;
	})()`)
	if loudest < 0.01 {
		t.Errorf("no sound: the loudest sample is %v", loudest)
	}
}

// blockMedia makes a page's WebRTC connections go nowhere: the server's address in
// the answer becomes one where nobody listens, as behind a firewall that drops UDP.
const blockMedia = `{
  const apply = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (answer) {
    const sdp = answer.sdp.replace(/(a=candidate:.* udp \d+ 127\.0\.0\.1) \d+/g, "$1 9");
    return apply.call(this, { type: answer.type, sdp });
  };
}`

// TestFallsBackWhenUDPIsBlocked: publisher and viewer go on over the WebSocket by
// themselves, under the same name, and say so.
func TestFallsBackWhenUDPIsBlocked(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.open(t, s.url+"/publish?name=blocked/here", blockMedia)
	publisher.wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	took := eval[float64](publisher, `(async () => {
		const start = performance.now();
		document.querySelector("#toggle").click();
		while (document.documentElement.dataset.state !== "live") await new Promise((done) => setTimeout(done, 20));
		return performance.now() - start;
	})()`)
	t.Logf("live over the WebSocket after %.0f ms", took)
	viewer := c.open(t, s.url+"/watch/blocked/here", blockMedia)
	viewer.wait("picture", `document.querySelector("#player").videoWidth > 0`)
	checkPlays(t, viewer)
	streams := get[streamList](t, s.url+"/api/v1/streams").Streams
	if len(streams) != 1 || streams[0].Source != "websocket" || streams[0].Viewers != 1 {
		t.Errorf("the API shows %+v", streams)
	}
	for _, p := range []*tab{publisher, viewer} {
		if text := eval[string](p, `document.body.innerText`); !strings.Contains(text, "WebSocket") {
			t.Errorf("the page does not say that it goes over a WebSocket: %q", text)
		}
		p.quiet()
	}
}
