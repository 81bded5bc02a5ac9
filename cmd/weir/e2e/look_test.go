package e2e

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// looks is for `task looks`: it takes minutes, and what a change breaks shows at the
// narrowest and at a usual width already.
var looks = flag.Bool("looks", false, "look at pages in all of their states, at all widths, in light and in dark")

// TestPagesLook opens every page with real content, in light and dark, on a
// desktop and a phone: nothing may be wider than the screen, every control needs
// a name of its own that a screen reader can say, axe-core must find nothing, and
// the console must be empty. With
// WEIR_SCREENSHOTS set to a folder the pictures are kept, to be looked at.
func TestPagesLook(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	publisher := c.Open(t, s.url+"/publish?name=demo/camera")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state !== "live"`)
	recording := waitFinished(t, s.url, "demo/camera")
	publisher.Click("#toggle") // live again: so each list has something in it
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)

	pages := []struct{ name, path, ready string }{
		{"home", "/", `document.querySelector('[data-stream="demo/camera"]') && document.querySelector("[data-recording]")`},
		{"publish", "/publish?name=demo/second", `document.querySelector("#preview").videoWidth > 0`},
		{"publish-long", "/publish?name=" + longName, `document.querySelector("#preview").videoWidth > 0`},
		{"watch", "/watch/demo/camera", `document.querySelector("#player").videoWidth > 0`},
		{"watch-waiting", "/watch/nobody", `document.documentElement.dataset.state === "waiting"`},
		{"recordings", "/recordings", `document.querySelector("[data-recording]")`},
		{"recording", "/recordings/" + recording.ID, `document.querySelector("video").readyState > 1`},
		{"404", "/nothing-here", `document.querySelector("h1")`},
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1280, 390} {
			if !*looks && (scheme == "light") != (width < 400) {
				continue
			}
			look(t, c, s.url, pages, scheme, width)
			capture(t, publisher, "publish-live", scheme, width)
		}
	}
}

func look(t *testing.T, c chrome, url string, pages []struct{ name, path, ready string }, scheme string, width int64) {
	t.Helper()
	for _, page := range pages {
		p := c.Open(t, "about:blank")
		emulate(p, scheme, width)
		p.Do(chromedp.Navigate(url + page.path))
		p.Wait(page.name, page.ready)
		capture(t, p, page.name, scheme, width)
		if page.name == "404" {
			p.Quiet("404") // the page itself
		} else {
			p.Quiet()
		}
		p.Close()
	}
}

// longName is the longest name that there is, and of letters that are wide.
var longName = strings.Repeat(strings.Repeat("W", 64)+"/", 3) + strings.Repeat("m", 64)

// lowWindow is the width of a window so low that the player is much narrower.
const lowWindow = 780

// emulate sets the screen of a page.
func emulate(p *tab, scheme string, width int64) {
	p.T.Helper()
	height := int64(800)
	if width == lowWindow {
		height = 460
	}
	p.Do(chromedp.EmulateViewport(width, height))
	if _, err := chromedp.Call(p.Context, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // a colour on its way to another one is none of ours
		},
	}); err != nil {
		p.T.Fatal(err)
	}
}

// capture checks a page as it stands and keeps a picture of it.
func capture(t testing.TB, p *tab, name, scheme string, width int64) {
	t.Helper()
	widths := []int64{width}
	if width < 400 { // a phone: there are narrower ones
		widths = []int64{320, 360, width}
	}
	if width > 1000 {
		widths = []int64{lowWindow, 1920, width}
	}
	for _, width := range widths {
		emulate(p, scheme, width)
		if cut := eval[int](p, `Math.max(0, ...[...document.querySelectorAll(".bar")].map((e) => e.scrollWidth - e.clientWidth))`); cut > 0 {
			t.Errorf("%s at %d px: %d px of the player's bar are cut off", name, width, cut)
		}
		if over := eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s at %d px: the page is %d px wider than the screen", name, width, over)
		}
	}
	// What a control is called: its own text, its label, or what ARIA says.
	if nameless := eval[[]string](p, `[...document.querySelectorAll("button, a[href], input, select, video")]
		.filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.type !== "hidden")
		.filter((e) => !(e.innerText?.trim() || e.labels?.length || e.title || e.ariaLabel || e.getAttribute("aria-labelledby")))
		.map((e) => e.outerHTML.slice(0, 120))`); len(nameless) > 0 {
		t.Errorf("%s: controls without a name: %q", name, nameless)
	}
	if twice := eval[[]string](p, namedTwice); len(twice) > 0 {
		t.Errorf("%s: more than one control has the name %q", name, twice)
	}
	if (scheme == "light") == (width < 400) { // each of both is seen once
		p.Accessible(fmt.Sprintf("%s-%s-%d", name, scheme, width))
	}
	p.Screenshot(fmt.Sprintf("%s-%s-%d", name, scheme, width))
}

// namedTwice is the names that controls share, but for links that lead to one place.
const namedTwice = `(() => {
	const byName = {};
	for (const e of document.querySelectorAll("button, a[href], input, select, textarea, summary")) {
		if (!e.checkVisibility({visibilityProperty: true})) continue;
		const by = e.getAttribute("aria-labelledby")?.split(" ").map((id) => document.getElementById(id)?.textContent);
		const name = e.ariaLabel || by?.join(" ") || [...e.labels ?? []].map((l) => l.textContent).join(" ") || e.textContent || e.title;
		(byName[name.trim().replace(/\s+/g, " ")] ??= new Set()).add(e.href ?? e);
	}
	return Object.keys(byName).filter((name) => byName[name].size > 1);
})()`
