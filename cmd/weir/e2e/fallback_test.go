package e2e

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
	publishers := map[string]*tab{}
	for _, path := range paths {
		p := c.Open(t, fmt.Sprintf("%s/publish?name=by/%s&transport=%s", s.url, path, path))
		p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
		p.Click("#toggle")
		p.Wait("live", `document.documentElement.dataset.state === "live"`)
		publishers[path] = p
	}
	for _, from := range paths {
		for _, to := range paths {
			t.Run(from+" to "+to, func(t *testing.T) {
				v := c.Open(t, fmt.Sprintf("%s/watch/by/%s?transport=%s", s.url, from, to))
				defer v.Close()
				v.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
				checkPlays(t, v)
				v.Quiet()
			})
		}
	}
	for _, path := range paths {
		p := publishers[path]
		p.Click("#toggle")
		p.Wait("ended", `document.documentElement.dataset.state === "ended"`)
		p.Quiet()
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
	checkSound(t, p)
}

// checkSound checks that what comes out of a player is not silence: the fake
// microphone beeps.
func checkSound(t *testing.T, p *tab) {
	t.Helper()
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
	publisher := c.Open(t, s.url+"/publish?name=blocked/here", blockMedia)
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	took := eval[float64](publisher, `(async () => {
		const start = performance.now();
		document.querySelector("#toggle").click();
		while (document.documentElement.dataset.state !== "live") await new Promise((done) => setTimeout(done, 20));
		return performance.now() - start;
	})()`)
	t.Logf("live over the WebSocket after %.0f ms", took)
	viewer := c.Open(t, s.url+"/watch/blocked/here", blockMedia)
	viewer.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
	checkPlays(t, viewer)
	streams := get[streamList](t, s.url+"/api/v1/streams").Streams
	if len(streams) != 1 || streams[0].Source != "websocket" || streams[0].Viewers != 1 {
		t.Errorf("the API shows %+v", streams)
	}
	for _, p := range []*tab{publisher, viewer} {
		if text := eval[string](p, `document.body.innerText`); !strings.Contains(text, "WebSocket") {
			t.Errorf("the page does not say that it goes over a WebSocket: %q", text)
		}
		p.Quiet()
	}
}

// TestUploadPlaysAfterwards: what came over a WebSocket is a recording like any
// other, which plays and seeks in the page that showed the broadcast, once that is
// over, and in the list of recordings.
func TestUploadPlaysAfterwards(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/publish?name=after/upload&transport=websocket")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	viewer := c.Open(t, s.url+"/watch/after/upload?transport=websocket")
	viewer.Wait("4 s of the broadcast", `document.querySelector("#player").currentTime > 4`)
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	recording := waitFinished(t, s.url, "after/upload")

	viewer.Wait("the recording", `document.querySelector("#player").currentSrc.includes("/recordings/")`)
	checkReplays(t, viewer, "#player", recording.DurationMS)
	recordings := c.Open(t, s.url+"/recordings")
	openCard(t, recordings, recording.ID)
	eval[any](recordings, `document.querySelector("#player").play()`)
	checkReplays(t, recordings, "#player", recording.DurationMS)
	for _, p := range []*tab{publisher, viewer, recordings} {
		p.Quiet()
	}
}

// checkReplays checks that a recording plays, from where it is and from another
// place, and that it has an end. It does not look at which picture that place has:
// a busy machine records few of them.
func checkReplays(t *testing.T, p *tab, player string, durationMS int64) {
	t.Helper()
	p.Wait("it plays", fmt.Sprintf(`document.querySelector(%q)?.currentTime > 0.3`, player))
	state := eval[struct {
		Duration float64 `json:"duration"`
		Seekable float64 `json:"seekable"`
	}](p, fmt.Sprintf(`(async () => {
		const video = document.querySelector(%q);
		await new Promise((done) => { video.addEventListener("seeked", done, { once: true }); video.currentTime = 2; });
		video.play();
		return { duration: Number.isFinite(video.duration) ? video.duration : 0, seekable: video.seekable.end(0) };
	})()`, player))
	if wrong := state.Duration - float64(durationMS)/1000; state.Duration < 3 || wrong > 0.2 || wrong < -0.2 || state.Seekable < state.Duration {
		t.Errorf("of a recording of %d ms the player says %+v", durationMS, state)
	}
	p.Wait("it goes on from there", fmt.Sprintf(`document.querySelector(%q).currentTime > 2.5`, player))
}

// TestTellsThatNothingComes: while a publisher is silent a viewer learns of it,
// whichever way its media comes, and again when there are pictures.
func TestTellsThatNothingComes(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/publish?name=away/here&transport=webrtc")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	var viewers []*tab
	for _, path := range []string{"webrtc", "websocket"} {
		v := c.Open(t, s.url+"/recordings") // any page of the server's will do
		eval[any](v, fmt.Sprintf(`(async () => {
			const { Viewer } = await import("/static/client/index.js");
			window.video = document.body.appendChild(document.createElement("video"));
			window.told = [];
			const viewer = new Viewer({ name: "away/here", video, transport: %q });
			viewer.addEventListener("away", ({ detail }) => told.push(detail));
			viewer.start();
		})()`, path))
		v.Wait("picture", `video.videoWidth > 0`)
		viewers = append(viewers, v)
	}
	send := `(async () => { for (const sender of connections.at(-1).getSenders()) {
		const parameters = sender.getParameters();
		for (const encoding of parameters.encodings) encoding.active = %t;
		await sender.setParameters(parameters);
	} })()`
	eval[any](publisher, fmt.Sprintf(send, false))
	for _, v := range viewers {
		v.Wait("told that nothing comes", `told.at(-1) === true`)
	}
	eval[any](publisher, fmt.Sprintf(send, true))
	for _, v := range viewers {
		v.Wait("told that it goes on", `told.at(-1) === false`)
		v.Quiet()
	}
	publisher.Quiet()
}

// TestNameTakenOnTheWebSocket: it is told, and not in the console.
func TestNameTakenOnTheWebSocket(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	first := c.Open(t, s.url+"/publish?name=taken/name&transport=websocket")
	first.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	first.Click("#toggle")
	first.Wait("live", `document.documentElement.dataset.state === "live"`)
	second := c.Open(t, s.url+"/publish?name=taken/name&transport=websocket")
	second.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	second.Click("#toggle")
	second.Wait("failed", `document.documentElement.dataset.state === "failed"`)
	if text := eval[string](second, `document.body.innerText`); !strings.Contains(text, "Somebody else broadcasts under it") {
		t.Errorf("the page says %q", text)
	}
	first.Quiet()
	second.Quiet()
}
