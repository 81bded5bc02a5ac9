package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// TestPlayerKeys: what people know from other players works on a broadcast: keys, clicks
// on the picture, the list of keys; and the bar goes when nothing is done.
func TestPlayerKeys(t *testing.T) {
	s := startServer(t)
	c := startChrome(t)
	goLive(t, c, s, "keys/live")
	describe(t, s, "keys/live", `{"title": "Slow water", "description": "one\ntwo\nthree\nfour"}`)
	p := c.Open(t, s.url+"/watch/keys/live")
	p.Wait("picture", `document.querySelector("#player").videoWidth > 0 && document.querySelector("#player").currentTime > 0.2`)
	p.Wait("its title", `document.querySelector("h1").textContent === "Slow water" && document.title.endsWith("Slow water: weir")`)

	press(p, "k")
	p.Wait("it stands", `document.querySelector("#player").paused && document.querySelector("#play").innerText === "Play"`)
	p.Wait("and says how far behind", `/0:0[1-9]/.test(document.querySelector("#behind").textContent)`)
	press(p, kb.End)
	p.Wait("the live edge", `!document.querySelector("#player").paused && document.querySelector("#behind").textContent === ""`)
	press(p, " ")
	p.Wait("Space pauses", `document.querySelector("#player").paused`)
	p.Click("#player")
	p.Wait("a click plays", `!document.querySelector("#player").paused`)

	press(p, "m")
	muted := eval[bool](p, `document.querySelector("#player").muted`)
	press(p, "m")
	if after := eval[bool](p, `document.querySelector("#player").muted`); after == muted {
		t.Error("M does not switch the sound")
	}
	press(p, kb.ArrowDown)
	if volume := eval[float64](p, `document.querySelector("#player").volume`); volume != 0.95 {
		t.Errorf("arrow down makes the volume %v, want 0.95", volume)
	}
	press(p, "t")
	p.Wait("theatre", `document.querySelector("#stage").clientWidth === document.documentElement.clientWidth && document.querySelector("#stage").clientHeight === innerHeight`)
	press(p, "t")
	p.Wait("no theatre", `document.querySelector("#stage").clientHeight < innerHeight`)
	press(p, "s")
	p.Wait("statistics", `document.querySelector("#figures").checkVisibility() && /VP8/.test(document.querySelector("#codecs").textContent)`)
	press(p, "s")
	press(p, "?")
	p.Wait("the list of keys", `document.querySelector("#keys").open`)
	press(p, "k")
	press(p, kb.Escape)
	p.Wait("no list", `!document.querySelector("#keys").open`)
	if eval[bool](p, `document.querySelector("#player").paused`) {
		t.Error("a key worked under the list of keys")
	}
	p.Wait("the bar goes", `"quiet" in document.querySelector("#theatre").dataset`)
	press(p, kb.Shift)
	p.Wait("the bar comes", `!("quiet" in document.querySelector("#theatre").dataset)`)

	p.Wait("three lines of a description", `document.querySelector("#more").checkVisibility()`)
	p.Click("#more")
	p.Wait("all of it", `document.querySelector("#description").scrollHeight <= document.querySelector("#description").clientHeight`)
	p.Quiet()
}

// goLive publishes by the page, until the test ends.
func goLive(t *testing.T, c chrome, s *testServer, name string) *tab {
	t.Helper()
	p := c.Open(t, s.url+"/publish?name="+name)
	p.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	p.Click("#toggle")
	p.Wait("live", `document.documentElement.dataset.state === "live"`)
	return p
}

// describe gives a stream its title and description.
func describe(t *testing.T, s *testServer, name, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, s.url+"/api/v1/streams/"+name, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("PATCH of %s: %s", name, answer.Status)
	}
}

// press presses a key, wherever the focus is.
func press(p *tab, key string) {
	p.T.Helper()
	p.Do(chromedp.KeyEvent(key))
}
