package e2e

import (
	"fmt"
	"slices"
	"testing"
)

// holdBack lets a publisher offer a track of that kind and send nothing of it until
// comes() is called.
const holdBack = `
const add = RTCPeerConnection.prototype.addTransceiver;
RTCPeerConnection.prototype.addTransceiver = function (track, options) {
	if (track.kind !== %q) return add.call(this, track, options);
	const transceiver = add.call(this, track.kind, options);
	window.comes = () => transceiver.sender.replaceTrack(track);
	window.stops = () => transceiver.sender.replaceTrack(null);
	return transceiver;
};`

// paths are the ways to a viewer.
var paths = []string{"webrtc", "websocket"}

// publishWithout publishes without what is held back, and returns viewers by path.
func publishWithout(t *testing.T, kind string) (publisher *tab, viewers map[string]*tab) {
	t.Helper()
	s := startServer(t)
	c := startChrome(t)
	publisher = c.Open(t, s.url+"/publish?name=without/"+kind, fmt.Sprintf(holdBack, kind))
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	viewers = map[string]*tab{}
	for _, path := range paths {
		viewers[path] = c.Open(t, fmt.Sprintf("%s/watch/without/%s?transport=%s", s.url, kind, path))
	}
	return publisher, viewers
}

// checkStands checks that where the picture of a publisher stops the sound goes on
// without a break, that pages say so, and that the picture goes on.
func checkStands(t *testing.T, publisher *tab, viewers map[string]*tab) {
	t.Helper()
	for _, v := range viewers {
		eval[any](v, `(() => {
			const player = document.querySelector("#player");
			window.breaks = [];
			player.addEventListener("emptied", () => breaks.push("emptied"));
			window.from = { media: player.currentTime, at: performance.now() };
		})()`)
	}
	eval[any](publisher, `stops()`)
	for path, v := range viewers {
		v.Wait(path+": told that the picture is paused", `document.querySelector("#paused").checkVisibility()`)
		v.Screenshot("watch-paused-" + path)
		behind := eval[float64](v, `(performance.now() - from.at) / 1000 - (document.querySelector("#player").currentTime - from.media)`)
		if breaks := eval[[]string](v, `breaks`); behind > 1.5 || len(breaks) > 0 {
			t.Errorf("%s: the sound is %.1f s behind since the picture has stopped; %q", path, behind, breaks)
		}
	}
	eval[any](publisher, `comes()`)
	for path, v := range viewers {
		v.Wait(path+": it goes on", `!document.querySelector("#paused").checkVisibility()`)
	}
}

// checkAllPlay checks that picture and sound have come, and that no page says otherwise.
func checkAllPlay(t *testing.T, publisher *tab, viewers map[string]*tab) {
	t.Helper()
	for path, v := range viewers {
		v.Wait(path+": picture", `document.querySelector("#player").videoWidth > 0 && !document.querySelector("#veil").checkVisibility()`)
		v.Wait(path+": sound", `!document.querySelector("#silent").checkVisibility()`)
		eval[any](v, `window.shown = document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames`)
		v.Wait(path+": the picture moves", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > shown + 3`)
		checkSound(t, v)
		v.Quiet()
	}
	publisher.Quiet()
}

// TestWatchWhileThePictureIsMissing: the sound of a publisher whose picture does not
// come is heard, the page says that there is no picture, and it is shown when it comes,
// whichever way the media come; when it stops, the sound goes on. Another page learns the same from the library.
func TestWatchWhileThePictureIsMissing(t *testing.T) {
	publisher, viewers := publishWithout(t, "video")
	other := watchByLibrary(t, viewers["webrtc"], "without/video")
	other.Wait("sound", `video.currentTime > 0.5`)
	for path, v := range viewers {
		v.Wait(path+": it plays", `document.querySelector("#player").currentTime > 0.5`)
		checkSound(t, v)
		v.Wait(path+": told that there is no picture",
			`document.querySelector("#veil").checkVisibility() && document.querySelector("#veil-title").innerText === "No picture"`)
		if width := eval[int](v, `document.querySelector("#player").videoWidth`); width != 0 {
			t.Errorf("%s: there is a picture, %d wide, before it was sent", path, width)
		}
		v.Screenshot("watch-no-picture-" + path)
	}
	checkMutedWithoutOutput(t, viewers["websocket"])
	eval[any](publisher, `comes()`)
	checkAllPlay(t, publisher, viewers)
	checkStands(t, publisher, viewers)
	checkAllPlay(t, publisher, viewers)
	other.Wait("picture", `video.videoWidth > 0 && viewer.media.video`)
	if told := eval[string](other, `JSON.stringify(told)`); told != `[{"video":false,"audio":true},{"video":true,"audio":true}]` {
		t.Errorf("the library tells %s", told)
	}
}

// noOutput has the player fail as Firefox's does that has sound alone to play and no
// device to play it on.
const noOutput = `(() => {
	const player = document.querySelector("#player");
	Object.defineProperty(player, "error", { value: { code: 3, message: "OnMediaSinkAudioError" }, configurable: true });
	player.dispatchEvent(new Event("error"));
	delete player.error;
	window.said = [];
	const text = document.querySelector("#veil-text");
	new MutationObserver(() => said.push(text.textContent)).observe(text, { childList: true });
})()`

// checkMutedWithoutOutput checks that a page whose browser finds nothing to play the
// sound on says so once, goes on muted in place of coming back for ever, and offers
// the sound.
func checkMutedWithoutOutput(t *testing.T, v *tab) {
	t.Helper()
	eval[any](v, noOutput)
	v.Wait("it plays muted", `document.documentElement.dataset.state === "live" && document.querySelector("#player").muted &&
		document.querySelector("#player").currentTime > 0.5 && document.querySelector("#unmute").checkVisibility()`)
	if said := eval[[]string](v, `said`); !slices.Contains(said, "The browser found nothing to play the sound on. Trying again…") {
		t.Errorf("the page said %q", said)
	}
	v.Click("#unmute")
	v.Wait("it plays aloud", `!document.querySelector("#player").muted && !document.querySelector("#unmute").checkVisibility()`)
}

// watchByLibrary watches a broadcast a second time in a page, as a page of somebody
// else's does; it returns the page.
func watchByLibrary(t *testing.T, p *tab, name string) *tab {
	t.Helper()
	eval[any](p, fmt.Sprintf(`(async () => {
		const { Viewer } = await import("/static/client/index.js");
		window.video = document.body.appendChild(document.createElement("video"));
		window.told = [];
		window.viewer = new Viewer({ name: %q, video, transport: "webrtc" });
		viewer.addEventListener("media", ({ detail }) => told.push(detail));
		viewer.start();
	})()`, name))
	return p
}

// TestWatchWhileTheSoundIsMissing: the same for sound.
func TestWatchWhileTheSoundIsMissing(t *testing.T) {
	publisher, viewers := publishWithout(t, "audio")
	for path, v := range viewers {
		v.Wait(path+": picture", `document.querySelector("#player").videoWidth > 0 && document.querySelector("#player").currentTime > 0.5`)
	}
	viewers["webrtc"].Wait("told that there is no sound", `document.querySelector("#silent").checkVisibility()`)
	eval[any](publisher, `comes()`)
	checkAllPlay(t, publisher, viewers)
}
