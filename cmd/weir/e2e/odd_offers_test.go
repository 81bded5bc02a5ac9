package e2e

import (
	"testing"
)

// oddOffers makes a page offer what other players and publishers do: a data channel
// first of all, to watch a second picture as well, and that it waits for the handshake.
const oddOffers = `
const begin = (method) => async function (...options) {
	if (!this.odd) {
		this.odd = true;
		this.createDataChannel("unused");
		if (this.getTransceivers().every((t) => t.direction === "recvonly")) this.addTransceiver("video", { direction: "recvonly" });
	}
	return method.apply(this, options);
};
for (const name of ["createOffer", "setLocalDescription"]) RTCPeerConnection.prototype[name] = begin(RTCPeerConnection.prototype[name]);
const send = window.fetch;
window.offers = [];
window.answers = [];
window.fetch = async function (url, options = {}) {
	if (typeof options.body === "string" && options.body.startsWith("v=0")) {
		options = { ...options, body: options.body.replaceAll("a=setup:actpass", "a=setup:passive") };
		offers.push(options.body);
		const response = await send(url, options);
		answers.push(await response.clone().text());
		return response;
	}
	return send(url, options);
};`

// TestOddOffersInChromium: pages whose offers have all that publish and watch, and what
// was not taken is seen to be rejected.
func TestOddOffersInChromium(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/publish?name=odd&transport=webrtc", oddOffers)
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	viewer := c.Open(t, s.url+"/watch/odd?transport=webrtc", oddOffers)
	viewer.Wait("picture", `document.querySelector("#player").videoWidth > 0`)
	checkPlays(t, viewer)
	for what, p := range map[string]*tab{"publisher": publisher, "viewer": viewer} {
		answer := eval[string](p, `answers[0]`)
		if !eval[bool](p, `answers[0].includes("m=application 0 ") && answers[0].includes("a=setup:active\r\n") && offers[0].includes("a=setup:passive\r\n")`) {
			t.Errorf("%s: the answer is\n%s", what, answer)
		}
		p.Quiet()
	}
	if !eval[bool](viewer, `answers[0].split("m=video 0 ").length === 2`) {
		t.Errorf("the second picture is answered by\n%s", eval[string](viewer, `answers[0]`))
	}
}
