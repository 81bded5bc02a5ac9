package e2e

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
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

// lookAround checks the page at all widths and keeps pictures of it. At twice the size a
// window has half as many pixels of CSS.
func lookAround(t *testing.T, p *tab, state string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{320, 390, 683, 768, 1366, 1920} {
			for _, direction := range []string{"ltr", "rtl"} {
				emulate(p, scheme, width)
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
