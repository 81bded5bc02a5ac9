package e2e

import (
	"testing"
	"time"
)

// TestPublishCancelled: a broadcast that is called off before it was live leaves no word of
// an end and no error, and however often one asks for it, one broadcast begins.
func TestPublishCancelled(t *testing.T) {
	s := startServer(t)
	p := startChrome(t).Open(t, s.url+"/publish?name=called/off")
	p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	eval[bool](p, `(document.querySelector("#toggle").click(), document.querySelector("#toggle").click(), true)`)
	p.Wait("called off", `document.documentElement.dataset.state === "ended"`)
	p.Wait("ready again", `document.querySelector("#status").textContent === "Ready when you are." && document.querySelector("#toggle").textContent === "Go live"`)
	if eval[bool](p, `document.querySelector("#after").checkVisibility()`) {
		t.Error("it tells of the end of a broadcast that there was not")
	}
	for len(get[streamList](t, s.url+"/api/v1/streams?name=called/off").Streams) > 0 {
		time.Sleep(50 * time.Millisecond)
	}

	eval[bool](p, `(() => {
		const key = () => document.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true}));
		return key() && key() })()`)
	p.Wait("live", `document.documentElement.dataset.state === "live"`)
	p.Quiet()
}
