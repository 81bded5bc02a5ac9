package e2e

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// mostWeight is what a page may be on the wire the first time, with the heads of answers.
const mostWeight = 60_000

// TestVisits: pages are light the first time, and ask for themselves alone the second.
// There are no posters, since a new one between the visits is another page.
func TestVisits(t *testing.T) {
	s := startServer(t, "--posters=false")
	c := startChrome(t)
	goLive(t, c, s, "demo/camera")
	checkVisits(t, c, s.url+"/publish", `document.querySelector("#preview").videoWidth > 0`)
	checkVisits(t, c, s.url+"/watch/demo/camera", `document.querySelector("#player").videoWidth > 0`)
}

// checkVisits visits a page with nothing in the browser's cache, and a second time: first
// it is light, then it asks for itself alone, and hears that it is still right.
func checkVisits(t *testing.T, c chrome, target, ready string) {
	t.Helper()
	first := visit(t, c, target, ready, true)
	if n := first.bytes(); n > mostWeight || n < 10_000 || len(first.fetched()) < 10 {
		t.Errorf("%s is %d bytes in %d answers the first time, of %d", target, n, len(first.fetched()), mostWeight)
	}
	second := visit(t, c, target, ready, false)
	fetched := second.fetched()
	if len(fetched) != 1 || fetched[0].url != target || fetched[0].status != 304 {
		t.Errorf("%s fetches this the second time: %+v", target, fetched)
	}
	if n := second.bytes(); n > 1500 {
		t.Errorf("%s is %d bytes the second time", target, n)
	}
	t.Logf("%s: %d bytes in %d answers, then %d in %d", target, first.bytes(), len(first.fetched()), second.bytes(), len(fetched))
}

// traffic is what a page fetches of pages and assets; what they hold is data, as the
// broadcasts that there are.
type traffic struct {
	mu  sync.Mutex
	all map[network.RequestID]*answer
}

type answer struct {
	url    string
	status int64 // as it came over the wire
	cached bool
	done   bool
	bytes  float64 // over the wire, with its head
}

// visit opens a page in a new tab.
func visit(t *testing.T, c chrome, target, ready string, emptyCache bool) *traffic {
	t.Helper()
	p := c.Open(t, "about:blank")
	defer p.Close()
	tr := &traffic{all: map[network.RequestID]*answer{}}
	if _, err := chromedp.Call(p.Context, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	if emptyCache {
		if _, err := chromedp.Call(p.Context, network.ClearBrowserCache, cdp.Empty{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := chromedp.Listen(p.Context, tr.note); err != nil {
		t.Fatal(err)
	}
	p.Do(chromedp.Navigate(target))
	p.Wait("the page", ready)
	for deadline := time.Now().Add(20 * time.Second); tr.open() > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d answers are not whole", target, tr.open())
		}
	}
	p.Quiet()
	return tr
}

// note takes an event of the page.
func (tr *traffic) note(event any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	at := func(id network.RequestID) *answer {
		if tr.all[id] == nil {
			tr.all[id] = &answer{}
		}
		return tr.all[id]
	}
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		at(e.RequestID).url = e.Request.URL
	case *network.EventRequestServedFromCache:
		at(e.RequestID).cached = true
	case *network.EventResponseReceived:
		at(e.RequestID).cached = at(e.RequestID).cached || e.Response.FromDiskCache && at(e.RequestID).status == 0
	case *network.EventResponseReceivedExtraInfo:
		at(e.RequestID).status = e.StatusCode
		at(e.RequestID).cached = false
	case *network.EventLoadingFinished:
		at(e.RequestID).done, at(e.RequestID).bytes = true, e.EncodedDataLength
	}
}

// ours returns the answers that are pages and assets.
func (tr *traffic) ours() []answer {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	var found []answer
	for _, id := range slices.Sorted(maps.Keys(tr.all)) {
		u, err := url.Parse(tr.all[id].url)
		if err == nil && (strings.HasPrefix(u.Path, "/static/") || u.Path == "/publish" || strings.HasPrefix(u.Path, "/watch/")) {
			found = append(found, *tr.all[id])
		}
	}
	return found
}

// fetched returns those that came over the wire.
func (tr *traffic) fetched() []answer {
	return slices.DeleteFunc(tr.ours(), func(a answer) bool { return a.cached })
}

// open returns how many have begun, and are not there.
func (tr *traffic) open() (n int) {
	for _, a := range tr.ours() {
		if !a.done && !a.cached {
			n++
		}
	}
	return n
}

func (tr *traffic) bytes() (n int) {
	for _, a := range tr.fetched() {
		n += int(a.bytes)
	}
	return n
}
