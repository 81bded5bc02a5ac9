package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"weir/signaling/admin"
)

// crossing is a page that publishes, and goes over to another transport with
// go(transport): the new session takes the place of the one before.
const crossing = `(async () => {
	const { WhipTransport } = await import("/static/client/whip.js");
	const { SocketPublishTransport } = await import("/static/client/ws-publish.js");
	const stream = await navigator.mediaDevices.getUserMedia({ video: { width: 320, height: 240, frameRate: 30 }, audio: true });
	window.now = null;
	window.go = async (transport) => {
		const next = new { webrtc: WhipTransport, websocket: SocketPublishTransport }[transport]({
			name: "goes/over", endpoint: "", tracks: stream.getTracks(), record: true,
			videoBitrate: 1000000, patience: 12000, replaces: now?.session ?? null,
		});
		now?.leave();
		await next.open(AbortSignal.timeout(20000));
		now?.discard();
		now = next;
	};
})()`

// TestGoesOver: a publisher goes from WebRTC to the WebSocket and back, each session in
// the place of the one before. It is one stream: viewers of both kinds stay, their
// pictures and sound go on, and there is one recording. With another codec another
// stream begins, and its recording names the one before.
func TestGoesOver(t *testing.T) {
	s := startServer(t, "--grace", "1m")
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/recordings")
	eval[any](publisher, crossing)
	eval[any](publisher, `go("webrtc")`)
	before := onlyStream(t, s)
	var viewers []*tab
	for _, path := range paths {
		v := c.Open(t, s.url+"/watch/goes/over?transport="+path)
		v.Wait("pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > 20`)
		eval[bool](v, `(window.ends = 0, new MutationObserver(() => { if (document.documentElement.dataset.state !== "live") window.ends++; })
			.observe(document.documentElement, { attributes: true, attributeFilter: ["data-state"] }), true)`)
		viewers = append(viewers, v)
	}
	for _, path := range []string{"websocket", "webrtc"} {
		eval[any](publisher, fmt.Sprintf(`go(%q)`, path))
		for _, v := range viewers {
			from := eval[int](v, `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames`)
			v.Wait("more pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > `+strconv.Itoa(from+40))
			checkSound(t, v)
		}
		if i := onlyStream(t, s); i.ID != before.ID || i.State != "live" || i.Source != path || i.Viewers != 2 {
			t.Errorf("the stream was %+v; over %s it is %+v", before, path, i)
		}
	}
	for _, v := range viewers {
		if ends := eval[int](v, `window.ends`); ends != 0 {
			t.Errorf("a viewer's session ended %d times", ends)
		}
		v.Quiet()
	}
	eval[any](publisher, `(async () => {
		RTCRtpTransceiver.prototype.setCodecPreferences = function () {}; // then the browser's first one is taken
		const offer = RTCPeerConnection.prototype.createOffer;
		RTCPeerConnection.prototype.createOffer = async function (...more) {
			const { type, sdp } = await offer.apply(this, more);
			const vp9 = sdp.match(/a=rtpmap:(\d+) VP9/)[1];
			return { type, sdp: sdp.replace(/(m=video \S+ \S+)/, "$1 " + vp9).replace(/(m=video \S+ \S+ (\d+).*?) \2(?= |\r)/, "$1") };
		};
		await go("webrtc");
	})()`)
	if i := onlyStream(t, s); i.ID == before.ID {
		t.Errorf("with another codec it is the same stream: %+v", i)
	}
	eval[any](publisher, `(async () => {
		const recorded = async () => (await (await fetch("/api/v1/streams/goes/over")).json()).recording;
		while (!await recorded()) await new Promise((done) => setTimeout(done, 50));
		await now.close();
	})()`)
	publisher.Quiet()
	checkWentOver(t, s)
}

// onlyStream returns the only stream of a server.
func onlyStream(t *testing.T, s *testServer) admin.Stream {
	t.Helper()
	list := get[streamList](t, s.url+"/api/v1/streams").Streams
	if len(list) != 1 {
		t.Fatalf("streams %+v, want one", list)
	}
	return list[0]
}

// checkWentOver checks the recording of a stream whose publisher went over to another
// transport, and the one that goes on with it.
func checkWentOver(t *testing.T, s *testServer) {
	t.Helper()
	var list []admin.Recording
	for deadline := time.Now().Add(10 * time.Second); len(list) < 2 && time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		list = get[recordingList](t, s.url+"/api/v1/recordings?state=finished").Recordings
	}
	if len(list) != 2 {
		t.Fatalf("recordings %+v, want two", list)
	}
	next, first := list[0], list[1]
	if next.ID == first.ID || next.Previous != first.ID || next.Tracks[0].Codec == first.Tracks[0].Codec && next.Tracks[1].Codec == first.Tracks[1].Codec {
		t.Errorf("%+v goes on with %+v", next, first)
	}
	if frames := videoFrames(first); frames < 120 || first.DurationMS < 4000 {
		t.Errorf("%d frames of %d ms are in the file", frames, first.DurationMS)
	}
	files, err := filepath.Glob(filepath.Join(s.dataDir, "recordings", first.Stream, "*-"+first.ID+".webm"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files of the recording: %v, %v", files, err)
	}
	if codecs := ffprobe(t, files[0]).codecs(); codecs["vp8"] != 1 || codecs["opus"] != 1 || len(codecs) != 2 {
		t.Errorf("ffprobe finds %v, want VP8 and Opus", codecs)
	}
	checkIndexInFront(t, files[0])
	decode(t, files[0])
	if out, err := exec.Command(builtProgram(t), "recordings", "verify", files[0]).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
}

// TestFallsBackInMidBroadcast: a page whose WebRTC connection breaks, and does not come
// back by WebRTC, goes on over the WebSocket with the same stream.
func TestFallsBackInMidBroadcast(t *testing.T) {
	s := startServer(t, "--grace", "1m")
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/publish?name=falls/back")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	before := onlyStream(t, s)
	viewer := c.Open(t, s.url+"/watch/falls/back?transport=webrtc")
	viewer.Wait("pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > 20`)
	eval[any](publisher, blockMedia)
	eval[any](publisher, `(() => {
		const pc = connections.at(-1);
		Object.defineProperty(pc, "connectionState", { value: "failed" });
		pc.dispatchEvent(new Event("connectionstatechange"));
	})()`)
	publisher.Wait("reconnecting", `document.documentElement.dataset.state !== "live"`)
	publisher.Wait("live again", `document.documentElement.dataset.state === "live"`)
	from := eval[int](viewer, `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames`)
	viewer.Wait("more pictures", `document.querySelector("#player").getVideoPlaybackQuality().totalVideoFrames > `+strconv.Itoa(from+40))
	if i := onlyStream(t, s); i.ID != before.ID || i.State != "live" || i.Source != "websocket" {
		t.Errorf("the stream was %+v, and is %+v", before, i)
	}
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	waitFinished(t, s.url, "falls/back")
	if list := get[recordingList](t, s.url+"/api/v1/recordings").Recordings; len(list) != 1 {
		t.Errorf("recordings %+v, want one", list)
	}
}
