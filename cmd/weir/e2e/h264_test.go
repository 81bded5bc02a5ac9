package e2e

import (
	"fmt"
	"testing"
)

// recordH264 uploads a canvas that moves, and a tone, as Chromium's MediaRecorder makes
// H264 of it. window.canvas can be given another size.
const recordH264 = `(async () => {
	const canvas = window.canvas = document.body.appendChild(document.createElement("canvas"));
	canvas.width = 320; canvas.height = 180;
	let n = 0;
	setInterval(() => {
		const context = canvas.getContext("2d");
		context.fillStyle = "hsl(" + (n++ * 5 %% 360) + " 80%% 50%%)";
		context.fillRect(0, 0, canvas.width, canvas.height);
	}, 40);
	const context = new AudioContext(), tone = context.createOscillator(), out = context.createMediaStreamDestination();
	tone.connect(out);
	tone.start();
	await context.resume();
	const socket = window.socket = new WebSocket(%q);
	await new Promise((done) => socket.addEventListener("open", done, { once: true }));
	const tracks = [...canvas.captureStream(25).getTracks(), ...out.stream.getTracks()];
	const recorder = new MediaRecorder(new MediaStream(tracks), { mimeType: "video/webm;codecs=h264,opus", videoKeyFrameIntervalDuration: 1000 });
	recorder.ondataavailable = ({ data }) => socket.send(data);
	recorder.start(100);
	return true;
})()`

// TestH264OverTheWebSocket: what Chromium records as H264 is seen over a WebSocket,
// with its sound, in the page for viewers, over a change of its size; and over
// WebRTC.
func TestH264OverTheWebSocket(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	socket := "ws" + s.url[len("http"):] + "/ws/publish/"
	publisher := c.Open(t, s.url+"/recordings") // any page of the server's will do
	eval[bool](publisher, fmt.Sprintf(recordH264, socket+"h264/canvas"))
	publisher.Wait("live", `fetch("/api/v1/streams/h264/canvas").then((r) => r.ok && r.json()).then((s) => s?.state === "live")`)
	viewer := c.Open(t, s.url+"/watch/h264/canvas?transport=websocket")
	viewer.Wait("picture", `document.querySelector("#player").videoWidth === 320 && document.querySelector("#player").currentTime > 0.5`)
	if src := eval[bool](viewer, `document.querySelector("#player").srcObject === null`); !src {
		t.Error("it does not come over the WebSocket")
	}
	eval[bool](publisher, `(canvas.width = 200, canvas.height = 120, true)`)
	viewer.Wait("the other size", `document.querySelector("#player").videoWidth === 200`)
	checkPlays(t, viewer)
	other := c.Open(t, s.url+"/watch/h264/canvas?transport=webrtc")
	other.Wait("picture over WebRTC", `document.querySelector("#player").videoWidth === 200`)
	viewer.Quiet()
	other.Quiet()
}
