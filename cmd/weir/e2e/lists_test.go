package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"weir/web"
)

// fields is an object of the API's.
type fields = map[string]any

// lists are the answers of a server whose pages are real and whose broadcasts are made up.
type lists struct {
	url                 string
	streams, recordings []fields
	gone                atomic.Bool // it answers nothing of the API
	deletions           atomic.Int32
	asked               atomic.Pointer[url.Values] // of recordings, last
}

// startLists serves pages with these lists.
func startLists(t *testing.T, l *lists) {
	t.Helper()
	pages := web.Handler()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := func(v any) {
			if l.gone.Load() {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(v) // to a page that has gone
		}
		switch {
		case r.Method == http.MethodDelete:
			l.deletions.Add(1)
			w.WriteHeader(http.StatusNoContent)
		case r.URL.Path == "/api/v1/streams":
			answer(fields{"streams": l.streams})
		case r.URL.Path == "/api/v1/recordings":
			query := r.URL.Query()
			l.asked.Store(&query)
			if n, _ := strconv.Atoi(query.Get("limit")); n < len(l.recordings) {
				answer(fields{"recordings": l.recordings[:n], "next": "more"})
				return
			}
			answer(fields{"recordings": l.recordings})
		case strings.HasSuffix(r.URL.Path, ".jpg"):
			w.Header().Set("Content-Type", "image/jpeg")
			_, _ = w.Write(drawnPoster(int(crc32.ChecksumIEEE([]byte(r.URL.Path))) % 256))
		default:
			pages.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	l.url = s.URL
}

// await waits until something is so of which no page tells.
func (l *lists) await(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: still not so", what)
		}
	}
}

// drawnPoster is a picture with light and shade, of one of many hues.
func drawnPoster(hue int) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 320, 180))
	for y := range 180 {
		for x := range 320 {
			picture.Set(x, y, color.RGBA{uint8(hue*3 + x/3), uint8(90 + y/2), uint8(hue*5 + y), 255})
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, picture, nil) // to memory
	return b.Bytes()
}

// hardTitles are of 120 characters where a script has no spaces, or runs the other way.
var hardTitles = []string{
	"", "Harbour cam, all day", strings.Repeat("港からの生中継です。", 12), strings.Repeat("بث مباشر من المرفأ ", 6) + "اليوم", strings.Repeat("🎥🌊🚢", 40),
	strings.Repeat("W", 120), "",
}

// manyStreams are so many broadcasts, of all kinds.
func manyStreams(n int) (list []fields) {
	for i := range n {
		name := fmt.Sprintf("acme/cam-%d", i)
		if i%7 == 5 {
			name = strings.Repeat(strings.Repeat("W", 64)+"/", 3) + fmt.Sprintf("%064d", i)
		}
		s := fields{
			"name": name, "id": fmt.Sprint(i), "state": "live", "viewers": i * 37 % 1000, "title": hardTitles[i%len(hardTitles)],
			"started_at": time.Now().Add(-time.Duration(i*i) * time.Minute),
			"tracks":     []fields{{"kind": "video", "codec": "vp8", "width": 1920, "height": 1080}},
		}
		if i%3 != 2 {
			s["poster"] = "/streams/" + name + "/poster.jpg?v=1"
		}
		if i%5 == 4 {
			s["state"], s["tracks"] = []string{"connecting", "waiting"}[i%2], []fields{}
			delete(s, "poster")
		}
		list = append(list, s)
	}
	return list
}

// manyRecordings are so many recordings, newest first: some with the same name, time and length.
func manyRecordings(n int) (list []fields) {
	for i := range n {
		name, title := fmt.Sprintf("acme/cam-%d", i/3), hardTitles[i/3%len(hardTitles)]
		if i%9 == 8 {
			name = strings.Repeat(strings.Repeat("W", 64)+"/", 3) + fmt.Sprintf("%064d", i)
		}
		at := time.Now().Add(-time.Duration(i/3*5) * time.Hour)
		r := fields{
			"id": fmt.Sprintf("id%d", i), "stream": name, "title": title, "state": "finished", "started_at": at, "ended_at": at.Add(time.Minute),
			"duration_ms": 65_000 * (1 + i/3), "bytes": 12_000_000, "url": fmt.Sprintf("/recordings/id%d.webm", i),
			"tracks":  []fields{{"kind": "video", "codec": "vp8", "width": 1280, "height": 720}},
			"quality": fields{"verdict": []string{"clean", "repaired", "gaps"}[i%3]},
		}
		if i%4 != 3 {
			r["poster"] = fmt.Sprintf("/recordings/id%d.jpg?v=%d", i, i)
		}
		if i%11 == 10 {
			r["state"] = []string{"interrupted", "failed", "recording"}[i/11%3]
		}
		list = append(list, r)
	}
	return list
}

// checkList checks how a list looks at each width, light and dark: nothing is wider than
// the window, nothing touches what it does not belong to, no two controls have a name.
func checkList(t *testing.T, p *tab, name string, widths ...int64) {
	t.Helper()
	for _, width := range widths {
		for _, scheme := range []string{"light", "dark"} {
			emulate(p, scheme, width)
			p.Do(chromedp.EmulateViewport(width, 900))
			p.Wait("rest", atRest)
			p.Screenshot(fmt.Sprintf("%s-%s-%d", name, scheme, width))
		}
		if over := eval[int](p, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s at %d px: %d px wider than the window", name, width, over)
		}
		if out := eval[[]string](p, outOfCards); len(out) > 0 {
			t.Errorf("%s at %d px: out of their cards: %q", name, width, out)
		}
		p.Accessible(fmt.Sprintf("%s at %d px", name, width))
	}
	names := eval[[]string](p, controlNames)
	slices.Sort(names)
	for i, n := range names[1:] {
		if n == names[i] {
			t.Errorf("%s: two controls are called %q", name, n)
		}
	}
}

// atRest: nothing moves that comes to an end.
const atRest = `document.getAnimations().every((a) => a.effect.getComputedTiming().endTime === Infinity)`

const outOfCards = `[...document.querySelectorAll(".card")].flatMap((card) => {
	const box = card.getBoundingClientRect();
	return [...card.querySelectorAll("*")].filter((e) => e.checkVisibility() && !e.closest(".sr-only, [data-open], .card-name > *")).filter((e) => {
		const { left, right, width } = e.getBoundingClientRect();
		return width > 0 && (left < box.left - 12 || right > box.right + 12);
	}).map((e) => e.className.baseVal ?? e.className);
})`

const controlNames = `[...document.querySelectorAll("main :is(a[href], button, input, select)")].filter((e) => e.checkVisibility({ visibilityProperty: true }))
	.map((e) => e.textContent.trim().replace(/\s+/g, " ") && e.tagName !== "SELECT" ? e.textContent.trim().replace(/\s+/g, " ") : e.labels?.[0]?.textContent ?? e.title)`

// TestListsLook looks at the home page and the list of recordings with nothing in them,
// little and much, of titles and names that are hard to set, at all widths.
func TestListsLook(t *testing.T) {
	c := startChrome(t)
	counts := []int{0, 1, 3, 50}
	if !*looks {
		counts = []int{3}
	}
	for _, n := range counts {
		l := &lists{streams: manyStreams(n), recordings: manyRecordings(n)}
		startLists(t, l)
		widths := []int64{320, 390, 768, 1366, 1920}
		switch {
		case !*looks:
			widths = []int64{320, 1366}
		case n == 1 || n == 3:
			widths = []int64{390, 683, 1366} // the second is 1366 px at 200 %
		}
		home := c.Open(t, l.url+"/")
		home.Wait("the streams", fmt.Sprintf(`!document.querySelector("#summary").innerText.startsWith("Looking") && document.querySelectorAll("[data-stream]").length === %d`, n))
		checkList(t, home, fmt.Sprintf("home-%d", n), widths...)
		home.Quiet()
		home.Close()
		page := c.Open(t, l.url+"/recordings")
		page.Wait("the recordings", fmt.Sprintf(`!document.querySelector("#summary").innerText.startsWith("Looking") && document.querySelectorAll("[data-recording]").length === %d`, n))
		checkList(t, page, fmt.Sprintf("recordings-%d", n), widths...)
		page.Click("#list")
		checkList(t, page, fmt.Sprintf("recordings-list-%d", n), widths...)
		eval[any](page, `document.querySelector("#grid").click()`)
		if n == counts[len(counts)-1] {
			eval[any](page, `document.documentElement.dir = "rtl"; document.querySelector(".card-more").click()`)
			checkList(t, page, "recordings-rtl", 390, 1366)
		}
		page.Quiet()
		page.Close()
	}
}

// openCard opens the page of a recording from its card.
func openCard(t *testing.T, p *tab, id string) {
	t.Helper()
	card := fmt.Sprintf(`[data-recording=%q] .card-link`, id)
	p.Wait("card", fmt.Sprintf(`document.querySelector('%s')`, card))
	p.Click(card)
	p.Wait("its page", fmt.Sprintf(`location.pathname.endsWith(%q) && document.querySelector("#player")`, "/recordings/"+id))
}

// TestDeleteWithUndo: what is deleted is gone from the list at once, comes back when that
// is taken back, and is really deleted after a while, or when the page is left.
func TestDeleteWithUndo(t *testing.T) {
	l := &lists{recordings: manyRecordings(4)}
	startLists(t, l)
	p := startChrome(t).Open(t, l.url+"/recordings")
	remove := func() {
		t.Helper()
		p.Wait("the card", `document.querySelector('[data-recording="id1"]')`)
		p.Click(`[data-recording="id1"] .card-more`)
		p.Click(`[data-recording="id1"] [data-action="delete"]`)
		p.Wait("it looks gone", `!document.querySelector('[data-recording="id1"]') && document.activeElement.innerText.startsWith("Undo")`)
	}
	remove()
	checkList(t, p, "recordings-undo", 390, 1366)
	p.Click(".notice button")
	p.Wait("it is back", `document.activeElement.closest('[data-recording="id1"]') && !document.querySelector(".notice")`)
	p.Do(chromedp.Reload()) // would send what is still to be done
	p.Wait("the list", `document.querySelector("[data-recording]")`)
	if n := l.deletions.Load(); n != 0 {
		t.Errorf("%d deletions though it was taken back", n)
	}
	remove()
	p.Do(chromedp.Navigate(l.url + "/publish"))
	l.await(t, "deleted, because the page was left", func() bool { return l.deletions.Load() == 1 })
	p.Do(chromedp.Navigate(l.url + "/recordings"))
	remove()
	l.await(t, "deleted after a while", func() bool { return l.deletions.Load() == 2 })
	p.Wait("the focus is kept", `document.activeElement.id === "heading"`)
	p.Quiet()
}

// TestFilterRecordings: what the fields say is in the address, and is asked of the API.
func TestFilterRecordings(t *testing.T) {
	l := &lists{recordings: manyRecordings(12)}
	startLists(t, l)
	p := startChrome(t).Open(t, l.url+"/recordings?stream=acme/cam-0")
	asks := func(search, key, want string) {
		t.Helper()
		p.Wait("the address", fmt.Sprintf(`location.search === %q`, search))
		l.await(t, "the API is asked for "+key+"="+want, func() bool { q := l.asked.Load(); return q != nil && q.Get(key) == want })
	}
	enter := func(text string) {
		t.Helper()
		eval[any](p, fmt.Sprintf(`(() => { const field = document.querySelector("#search"); field.value = %q; field.dispatchEvent(new Event("input")); })()`, text))
	}
	asks("?stream=acme/cam-0", "stream", "acme/cam-0")
	p.Wait("the list", `document.querySelectorAll("[data-recording]").length === 12`)
	enter("acme/")
	asks("?prefix=acme", "prefix", "acme")
	p.Wait("what it says", `document.querySelector("#summary").innerText.endsWith("below acme/")`)
	enter("harbour")
	asks("?search=harbour", "search", "harbour")
	enter("acme/cam-1") // a name that the list has
	asks("?stream=acme%2Fcam-1", "stream", "acme/cam-1")
	eval[any](p, `(() => { const field = document.querySelector("#quality"); field.value = "gaps"; field.dispatchEvent(new Event("change")); })()`)
	asks("?stream=acme%2Fcam-1&quality=gaps", "quality", "gaps,poor")
	p.Click("#clear")
	asks("", "stream", "")

	names := eval[[]string](p, `[...document.querySelectorAll(".card-link")].map((a) => a.textContent)`)
	for _, name := range names {
		if !strings.Contains(name, "recorded ") || !strings.Contains(name, " min") {
			t.Errorf("a card is called %q", name)
		}
	}
	slices.Sort(names)
	if len(slices.Compact(names)) != 12 {
		t.Errorf("cards share their names: %q", names)
	}
	p.Do(chromedp.Navigate(l.url + "/recordings#id3"))
	p.Wait("an old link leads on", `location.pathname === "/recordings/id3"`)
}

// TestListsOfAServerThatIsGone: what was shown stays, and pages say why it is old.
func TestListsOfAServerThatIsGone(t *testing.T) {
	c := startChrome(t)
	l := &lists{streams: manyStreams(3), recordings: manyRecordings(3)}
	startLists(t, l)
	for _, path := range []string{"/", "/recordings"} {
		l.gone.Store(false)
		p := c.Open(t, l.url+path)
		p.Wait("the cards", `document.querySelector(".card-link")`)
		l.gone.Store(true)
		p.Wait("the trouble", `document.querySelector("#trouble").checkVisibility() && document.querySelector(".card-link")`)
		checkList(t, p, "gone"+strings.ReplaceAll(path, "/", "-"), 390, 1366)
		l.gone.Store(false)
		p.Wait("it goes on", `!document.querySelector("#trouble").checkVisibility()`)
	}
}

// TestOlderRecordings: a long list is shown from its newest on, and more of it when asked for.
func TestOlderRecordings(t *testing.T) {
	l := &lists{recordings: manyRecordings(130)}
	startLists(t, l)
	p := startChrome(t).Open(t, l.url+"/recordings")
	p.Wait("the newest", `document.querySelector("#summary").innerText === "The newest 100 recordings"`)
	p.Click("#more")
	p.Wait("all", `document.querySelectorAll("[data-recording]").length === 130 && !document.querySelector("#more").checkVisibility()`)
	p.Quiet()
}
