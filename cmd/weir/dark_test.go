package main

import (
	"testing"
)

// darkCamera lets a publisher offer its picture and send none of it until lights()
// is called.
const darkCamera = `
const add = RTCPeerConnection.prototype.addTransceiver;
RTCPeerConnection.prototype.addTransceiver = function (track, options) {
	if (track.kind !== "video") return add.call(this, track, options);
	const transceiver = add.call(this, "video", options);
	window.lights = () => transceiver.sender.replaceTrack(track);
	return transceiver;
};`

// TestWatchWhileThePictureIsMissing: a page that watches over the WebSocket plays
// the sound of a publisher whose picture does not come, and both when it does.
func TestWatchWhileThePictureIsMissing(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.open(t, s.url+"/publish?name=dark/here", darkCamera)
	publisher.wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.click("#toggle")
	viewer := c.open(t, s.url+"/watch/dark/here", blockMedia)
	viewer.wait("sound", `document.querySelector("#player").webkitAudioDecodedByteCount > 0 && document.querySelector("#player").currentTime > 1`)
	if width := eval[int](viewer, `document.querySelector("#player").videoWidth`); width != 0 {
		t.Errorf("there is a picture, %d wide, before it was sent", width)
	}
	eval[bool](publisher, `(lights(), true)`)
	viewer.wait("picture", `document.querySelector("#player").videoWidth > 0`)
	checkPlays(t, viewer)
	viewer.quiet()
	publisher.quiet()
}
