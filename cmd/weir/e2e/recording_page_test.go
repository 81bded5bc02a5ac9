package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"weir/signaling/admin"
)

// waitRecorded waits until the one recording of a stream is so many milliseconds long, and
// returns it.
func waitRecorded(t *testing.T, s *testServer, stream string, least int64) admin.Recording {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		list := get[recordingList](t, s.url+"/api/v1/recordings?stream="+stream).Recordings
		if len(list) == 1 && list[0].DurationMS >= least {
			return list[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no recording of %d ms: %+v", least, list)
		}
	}
}

// gappyRecording has a page broadcast whose connection breaks once, and whose recording
// is paused once.
func gappyRecording(t *testing.T, s *testServer, c chrome, name string) admin.Recording {
	t.Helper()
	l := newLine(t, s.url)
	publisher := c.Open(t, l.url+"/publish?name="+name+"&transport=websocket")
	publisher.Wait("preview", `document.querySelector("#preview").videoWidth > 0`)
	publisher.Click("#toggle")
	publisher.Wait("live", `document.documentElement.dataset.state === "live"`)
	order := func(action string) {
		t.Helper()
		r, err := http.Post(s.url+"/api/v1/streams/"+name+"/recording", "application/json", strings.NewReader(`{"action":"`+action+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s", action, r.Status)
		}
	}
	waitRecorded(t, s, name, 2000)
	l.cut()
	publisher.Wait("reconnecting", `document.documentElement.dataset.state !== "live"`)
	publisher.Wait("live again", `document.documentElement.dataset.state === "live"`)
	waitRecorded(t, s, name, 6000)
	order("pause")
	time.Sleep(2 * time.Second) // a pause has a length
	order("resume")
	waitRecorded(t, s, name, 10_000)
	publisher.Click("#toggle")
	publisher.Wait("ended", `document.documentElement.dataset.state === "ended"`)
	publisher.Close()
	return waitFinished(t, s.url, name)
}

// watchDeeds keeps what a page copies, and counts what it deletes.
const watchDeeds = `window.copied = [];
Object.defineProperty(navigator, "clipboard", { value: { writeText: async (text) => { window.copied.push(text); } } });
window.deletions = 0;
const askServer = window.fetch;
window.fetch = (url, how = {}) => { if (how.method === "DELETE") window.deletions++; return askServer(url, how); };`

// openRecording opens the page of a recording, and waits until it can play.
func openRecording(t *testing.T, c chrome, url string) *tab {
	t.Helper()
	p := c.Open(t, url, watchDeeds)
	p.Wait("the recording", `document.querySelector("#player").readyState >= 1 && !document.querySelector("#timeline").hidden`)
	return p
}

// TestRecordingPage: the page of a recording tells what is known about it, goes to the
// places where something is missing, begins where a link says, and deletes only when
// there was time to take that back.
func TestRecordingPage(t *testing.T) {
	s := startServer(t, "--grace", "1m")
	c := startChrome(t)
	r := gappyRecording(t, s, c, "a/gappy")
	p := openRecording(t, c, s.url+"/recordings/"+r.ID)
	p.Do(chromedp.Focus(chromedp.CSS("#start")), chromedp.KeyEvent(kb.Enter))
	p.Wait("that it plays", `document.querySelector("#player").currentTime > 0.2 && document.activeElement.id === "play"`)
	p.Do(chromedp.KeyEvent("k"))
	p.Wait("the pause", `document.querySelector("#player").paused`)
	checkFacts(t, p, r)
	checkGaps(t, p, r)
	checkKeys(t, p)
	p.Accessible("a recording with gaps")
	if same := eval[[]string](p, `[...document.querySelectorAll("button, a[href], input, video")].filter((e) => e.checkVisibility())
		.map((e) => (e.ariaLabel || e.textContent).trim().replace(/\s+/g, " ")).filter((name, n, all) => all.indexOf(name) !== n)`); len(same) > 0 {
		t.Errorf("controls with the same name: %q", same)
	}
	p.Screenshot("recording-gaps")
	p.Quiet()
	p.Close()

	p = openRecording(t, c, s.url+"/recordings/"+r.ID+"?t=0m3s")
	p.Wait("the place of the link", `document.querySelector("#player").currentTime === 3`)
	p.Wait("its own link", `document.querySelector("#copy").innerText === "Copy link at 0:03"`)
	p.Click("#copy")
	p.Wait("the copy", `window.copied.length === 1`)
	if got, want := eval[string](p, `window.copied[0]`), s.url+"/recordings/"+r.ID+"?t=3"; got != want {
		t.Errorf("copied %s, want %s", got, want)
	}
	checkDeletion(t, s, p, r)
	p.Quiet()
	p = c.Open(t, s.url+"/recordings/"+r.ID)
	p.Wait("that it is gone", `document.querySelector("#veil-title").innerText === "There is no such recording"`)
	p.Quiet("404") // the page itself
}

// checkFacts holds the page's table against what the API says.
func checkFacts(t *testing.T, p *tab, r admin.Recording) {
	t.Helper()
	facts := eval[map[string]string](p, `Object.fromEntries([...document.querySelectorAll("#facts > div")].map((row) =>
		[row.querySelector("dt").innerText, row.querySelector("dd").innerText]))`)
	t.Logf("facts: %q", facts)
	for name, part := range map[string]string{
		"From": "WebSocket", "Size": "bit/s on average", "Picture": "VP8, 1280", "Sound": "Opus, ",
		"Frames": "keyframes", "Gaps": "1 pause", "State": "Something is missing at ", "File": "WebM", "Recorded": "Today",
	} {
		if !strings.Contains(facts[name], part) {
			t.Errorf("%s is %q, want %q in it", name, facts[name], part)
		}
	}
	if r.BitRate < 50_000 || r.Source != "websocket" || len(r.Tracks) != 2 || r.Tracks[0].BitRate == 0 {
		t.Errorf("the API says %+v", r)
	}
}

// checkGaps goes to each place in the list, and takes the pictures before it for granted.
func checkGaps(t *testing.T, p *tab, r admin.Recording) {
	t.Helper()
	if len(r.Gaps) < 2 {
		t.Fatalf("the broadcast's gaps are %+v", r.Gaps)
	}
	names := eval[[]string](p, `[...document.querySelectorAll("#gap-list button")].map((b) => b.innerText.replace(/\s+/g, " "))`)
	t.Logf("gaps: %q", names)
	if len(names) < 2 || !strings.Contains(strings.Join(names, ";"), "Paused for ") || !strings.Contains(strings.Join(names, ";"), " missing") {
		t.Errorf("the page lists %q of %+v", names, r.Gaps)
	}
	if marks := eval[int](p, `document.querySelectorAll("#missing rect").length`); marks < 2 {
		t.Errorf("%d places are hatched", marks)
	}
	for n := range names {
		p.Do(chromedp.Focus(chromedp.CSS(fmt.Sprintf("#gap-list li:nth-child(%d) button", n+1))), chromedp.KeyEvent(kb.Enter))
		p.Wait("the place", fmt.Sprintf(`(() => {
			const at = Number(document.querySelector("#gap-list li:nth-child(%d) button").dataset.at);
			return Math.abs(document.querySelector("#player").currentTime - Math.max(0, at - 1000) / 1000) < 0.001;
		})()`, n+1))
	}
}

// checkKeys seeks and plays by the keyboard, on the line and anywhere else.
func checkKeys(t *testing.T, p *tab) {
	t.Helper()
	p.Do(chromedp.Focus(chromedp.CSS("#position")), chromedp.KeyEvent(kb.Home))
	p.Wait("the start", `document.querySelector("#player").currentTime === 0`)
	p.Do(chromedp.KeyEvent(kb.ArrowRight))
	p.Wait("5 s on", `document.querySelector("#player").currentTime === 5`)
	if told := eval[string](p, `document.querySelector("#position").getAttribute("aria-valuetext")`); !strings.HasPrefix(told, "0:05 of 0:") {
		t.Errorf("a screen reader hears %q", told)
	}
	p.Do(chromedp.Focus(chromedp.CSS("#copy")), chromedp.KeyEvent("0"))
	p.Wait("the start", `document.querySelector("#player").currentTime === 0`)
}

// checkDeletion takes a deletion back, and lets the next one happen.
func checkDeletion(t *testing.T, s *testServer, p *tab, r admin.Recording) {
	t.Helper()
	p.Do(chromedp.Focus(chromedp.CSS("#delete")), chromedp.KeyEvent(kb.Enter))
	p.Wait("the way back", `document.activeElement.innerText.startsWith("Undo")`)
	p.Do(chromedp.KeyEvent(kb.Enter))
	p.Wait("that it is taken back", `!document.querySelector(".notice") && document.activeElement.id === "delete" && !document.querySelector("#delete").disabled`)
	time.Sleep(7 * time.Second) // longer than the way back is open
	if n := eval[int](p, `window.deletions`); n != 0 {
		t.Errorf("%d deletions though it was taken back", n)
	}
	get[admin.Recording](t, s.url+"/api/v1/recordings/"+r.ID)
	p.Click("#delete")
	p.Wait("the list", `location.pathname === "/recordings" && document.readyState === "complete"`)
	response, err := http.Get(s.url + "/api/v1/recordings/" + r.ID)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusNotFound {
		t.Errorf("after it was deleted: %s", response.Status)
	}
}
