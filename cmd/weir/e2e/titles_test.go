package e2e

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
)

const (
	arabicTitle = "بثّ مباشر من الميناء 🏝️"
	arabicText  = "السطر الأول\n\n👩‍👩‍👧‍👦 <b>third</b> line"
)

// TestTitleOfAPublisher: title and description of the publish page, in any script, are
// what the server says of the broadcast, also when they are changed while it is live, by
// the page or by others, over a reload, and by either transport; one that the server
// would refuse is told before.
func TestTitleOfAPublisher(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	for _, transport := range []string{"webrtc", "websocket"} {
		t.Run(transport, func(t *testing.T) {
			name := "titles/" + transport
			p := c.Open(t, s.url+"/publish?"+url.Values{"name": {name}, "title": {arabicTitle}, "transport": {transport}}.Encode())
			p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
			enter(p, "title", strings.Repeat("🎬", 121))
			p.Click("#toggle")
			p.Wait("told", `document.querySelector("#title-hint").innerText.startsWith("121 characters") && document.activeElement.id === "title"`)
			enter(p, "title", arabicTitle)
			enter(p, "description", arabicText)
			p.Click("#toggle")
			p.Wait("live", `document.documentElement.dataset.state === "live"`)
			wantTexts(t, s.url, name, arabicTitle, arabicText)
			p.Wait("its title", fmt.Sprintf(`document.title.includes(%q) && document.querySelector("#heading").innerText === %[1]q`, arabicTitle))

			long := strings.Repeat("語", 2000)
			enter(p, "title", "港から")
			p.Wait("saved", `document.querySelector("#title-hint").innerText === "Saved."`)
			enter(p, "description", long)
			p.Wait("saved", `document.querySelector("#description-hint").textContent === "Saved."`)
			wantTexts(t, s.url, name, "港から", long)
			if transport == "websocket" {
				return // a reload ends it
			}
			p.Reload()
			p.Wait("live again", `document.documentElement.dataset.state === "live"`)
			p.Wait("its title", `document.querySelector("#title").value === "港から" && document.querySelector("#heading").innerText === "港から"`)
			wantTexts(t, s.url, name, "港から", long)

			eval[bool](p, fmt.Sprintf(`fetch("/api/v1/streams/%s", {method: "PATCH", body: JSON.stringify({title: "by another"}),
				headers: {"Content-Type": "application/json"}}).then((r) => r.ok)`, name))
			p.Wait("another's title", `document.querySelector("#title").value === "by another" && document.title.includes("by another")`)
			enter(p, "title", "")
			p.Wait("saved", `document.querySelector("#title-hint").innerText === "Saved." && !document.title.includes("by another")`)
			wantTexts(t, s.url, name, "", long)
			p.Click("#toggle")
			p.Wait("ended", `document.documentElement.dataset.state === "ended"`)
			if r := waitFinished(t, s.url, name); r.Title != "" || r.Description != long {
				t.Errorf("the recording is called %q, %.40q", r.Title, r.Description)
			}
			p.Quiet()
		})
	}
}

// enter types a text into a field, and leaves it.
func enter(p *tab, field, text string) {
	p.T.Helper()
	eval[bool](p, fmt.Sprintf(`(() => { const field = document.querySelector("#%s"); field.value = %q;
		for (const event of ["input", "change"]) field.dispatchEvent(new Event(event, {bubbles: true})); return true })()`, field, text))
}

func wantTexts(t *testing.T, url, name, title, description string) {
	t.Helper()
	streams := get[streamList](t, url+"/api/v1/streams?name="+name).Streams
	if len(streams) != 1 || streams[0].Title != title || streams[0].Description != description {
		t.Errorf("the stream is %+v, want %q and %.40q", streams, title, description)
	}
}
