package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"weir/signaling/admin"
)

// TestPublishLook: the publish page with the longest name and a title of the longest kind,
// before, while it is live and after the end, is never wider than the screen, in either
// direction of writing and at twice the size, and what was broadcast is told after the end,
// without figures that are over.
func TestPublishLook(t *testing.T) {
	s := startServer(t)
	p := startChrome(t).Open(t, "about:blank")
	emulate(p, "light", 1366)
	title := strings.TrimSpace(strings.Repeat("مسيرة نحو البحر 🏝️ ", 6))
	p.Do(chromedp.Navigate(s.url + "/publish?" + url.Values{"name": {longName}, "title": {title}, "description": {arabicText}}.Encode()))
	p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	lookAround(t, p, "before")
	p.Click("#toggle")
	p.Wait("figures", `/[1-9]/.test(document.querySelector("#bitrate").innerText)`)
	lookAround(t, p, "live")
	p.Click("#toggle")
	p.Wait("its recording", `document.querySelector("#after-watch").checkVisibility()`)
	lookAround(t, p, "after")
	recording := waitFinished(t, s.url, longName)
	for _, tt := range []struct{ selector, property, want string }{
		{"#after-watch", "pathname", "/recordings/" + recording.ID},
		{"#after-download", "pathname", recording.URL},
		{"#after-title", "innerText", recording.Title},
	} {
		if got := eval[string](p, fmt.Sprintf(`document.querySelector(%q).%s`, tt.selector, tt.property)); got != tt.want {
			t.Errorf("%s has %q, want %q", tt.selector, got, tt.want)
		}
	}
	if again := eval[string](p, `document.querySelector("#toggle").innerText`); again != "Go live again" {
		t.Errorf("after the end the button says %q", again)
	}
	p.Click("#toggle")
	p.Wait("live again", `document.documentElement.dataset.state === "live" && !document.querySelector("#after").checkVisibility()`)
	p.Quiet()
}

// twice is the width in pixels of CSS of a window of 1366 by 768 at twice the size.
const twice = 683

// lookAround checks the page at all widths and keeps pictures of it.
func lookAround(t *testing.T, p *tab, state string) {
	t.Helper()
	widths := []int64{320, 390, twice, 768, 1366, 1920}
	if !*looks {
		widths = []int64{320, 1366}
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range widths {
			for _, direction := range []string{"ltr", "rtl"} {
				emulate(p, scheme, width)
				if width == twice {
					p.Do(chromedp.EmulateViewport(twice, 384))
				}
				over := eval[int](p, fmt.Sprintf(`(document.documentElement.dir = %q, document.querySelectorAll("details").forEach((d) => d.open = true),
					document.documentElement.scrollWidth - document.documentElement.clientWidth)`, direction))
				if over > 0 {
					t.Errorf("%s at %d px, %s: the page is %d px wider than the screen", state, width, direction, over)
				}
				if cut := eval[[]string](p, `[...document.querySelectorAll(".button, .source, label, dd, h1, h2, .hint")].filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== "inline").map((e) => e.outerHTML.slice(0, 80))`); len(cut) > 0 {
					t.Errorf("%s at %d px, %s: cut off: %q", state, width, direction, cut)
				}
				p.Screenshot(fmt.Sprintf("publish-%s-%s-%d-%s", state, scheme, width, direction))
			}
		}
	}
	eval[bool](p, `(document.documentElement.dir = "ltr", true)`)
	for _, scheme := range []string{"dark", "light"} {
		emulate(p, scheme, 1366)
		p.Accessible(state + ", " + scheme)
	}
	names := eval[[]string](p, `[...document.querySelectorAll("button, a[href], input, select, textarea, summary")].filter((e) => e.checkVisibility())
		.map((e) => (e.ariaLabel || e.labels?.[0]?.innerText || e.innerText || e.title).trim())`)
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			t.Errorf("%s: two controls are called %q", state, name)
		}
	}
}

// TestPublishSettings: what is chosen under Advanced is what is sent, and there again at
// the next visit; the address counts for one visit.
func TestPublishSettings(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	p := c.Open(t, s.url+"/publish?name=e2e/settings&transport=webrtc")
	p.Wait("preview", `document.querySelector("#preview").videoHeight === 720`)
	for field, value := range map[string]string{"quality": "360", "codec": "vp9"} {
		eval[bool](p, fmt.Sprintf(`(() => { const field = document.querySelector("#%s"); field.value = %q;
			field.dispatchEvent(new Event("change", {bubbles: true})); return true })()`, field, value))
	}
	p.Wait("a smaller picture", `document.querySelector("#preview").videoHeight === 360`)
	p.Click("#toggle")
	p.Wait("figures of a minute", `document.querySelector(".trend polyline")?.getAttribute("points")?.includes(" ")`)
	for _, field := range []string{"quality", "codec", "transport", "record", "name"} {
		if !eval[bool](p, fmt.Sprintf(`document.querySelector("#%s").disabled`, field)) {
			t.Errorf("%s can be changed while live", field)
		}
	}
	streams := get[streamList](t, s.url+"/api/v1/streams").Streams
	if len(streams) != 1 || !slices.ContainsFunc(streams[0].Tracks, func(tr admin.StreamTrack) bool { return tr.Codec == "vp9" }) {
		t.Errorf("the streams are %+v", streams)
	}
	next := c.Open(t, s.url+"/publish?transport=websocket")
	if got := eval[string](next, `["name", "quality", "codec", "transport"].map((id) => document.querySelector("#" + id).value).join()`); got != "e2e/settings,360,vp9,websocket" {
		t.Errorf("at the next visit there is %s", got)
	}
	p.Click("#toggle")
	p.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	p.Quiet()
	next.Quiet()
}
