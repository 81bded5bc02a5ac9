package main

import (
	"context"
	"fmt"
	"iter"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// chrome is one headless Chromium with a fake camera and microphone.
type chrome struct{ ctx context.Context }

// startChrome starts a browser that ends with the test.
func startChrome(t *testing.T) chrome {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath("chromium"), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun,
		chromedp.Flag("headless", "new"),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true),
		chromedp.Flag("autoplay-policy", "no-user-gesture-required"),
		chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-fake-ui-for-media-stream", true),
		// Tabs that are not in front must go on playing.
		chromedp.Flag("disable-background-timer-throttling", true),
		chromedp.Flag("disable-backgrounding-occluded-windows", true),
		chromedp.Flag("disable-renderer-backgrounding", true),
	}
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start chromium (apt-get install chromium): %v", err)
	}
	return chrome{ctx}
}

// tab is one page of a browser. What it writes to its console is collected.
type tab struct {
	t     *testing.T
	ctx   context.Context
	close func()

	mu      sync.Mutex
	console []string
}

// watchConnections lets a test see a page's PeerConnections.
const watchConnections = `window.connections = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...args) {
    super(...args);
    window.connections.push(this);
    this.addEventListener("connectionstatechange", () => { if (this.connectionState === "connected") window.connectedAt = performance.now(); });
  }
};`

// open opens url in a new tab. The scripts run ahead of the page's own.
func (c chrome) open(t *testing.T, url string, scripts ...string) *tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(c.ctx)
	t.Cleanup(cancel)
	p := &tab{t: t, ctx: ctx, close: cancel}
	// The first use of a context opens the tab, which lives as long as it does: no
	// timeout here.
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("open a tab: %v", err)
	}
	messages := chromedp.Console(ctx)
	go p.collect(messages) // ends with the tab
	for _, script := range append(scripts, watchConnections) {
		if _, err := chromedp.Call(ctx, page.AddScriptToEvaluateOnNewDocument,
			page.AddScriptToEvaluateOnNewDocumentParams{Source: script}); err != nil {
			t.Fatal(err)
		}
	}
	p.do(chromedp.Navigate(url))
	return p
}

// collect keeps what a user would see in red or yellow in the console.
func (p *tab) collect(messages iter.Seq2[chromedp.ConsoleMessage, error]) {
	for m, err := range messages {
		if err != nil {
			return
		}
		if m.Type == chromedp.ConsoleError || m.Type == chromedp.ConsoleWarning || m.IsException() {
			p.mu.Lock()
			p.console = append(p.console, m.String()+" "+m.URL)
			p.mu.Unlock()
		}
	}
}

// quiet fails the test if the console holds anything but what is expected.
func (p *tab) quiet(expected ...string) {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
lines:
	for _, line := range p.console {
		for _, e := range expected {
			if strings.Contains(line, e) {
				continue lines
			}
		}
		p.t.Errorf("the page's console says: %s", line)
	}
}

// pageTimeout bounds one step in a page.
const pageTimeout = 20 * time.Second

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatalf("in the page: %v", err)
	}
}

// eval returns the value of a JavaScript expression, awaited if it is a promise.
func eval[T any](p *tab, js string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("in the page: %s: %v", js, err)
	}
	return v
}

// wait waits until a JavaScript expression is true.
func (p *tab) wait(what, js string) {
	p.t.Helper()
	deadline := time.Now().Add(pageTimeout)
	for !eval[bool](p, "Boolean("+js+")") {
		if time.Now().After(deadline) {
			p.screenshot("failed")
			p.t.Fatalf("%s: still not so after %v: %s; the page says: %s; state %s", what, pageTimeout, js,
				eval[string](p, `document.querySelector("#status")?.innerText ?? ""`),
				eval[string](p, `document.documentElement.dataset.state ?? ""`))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// click clicks as a user does.
func (p *tab) click(selector string) {
	p.t.Helper()
	p.do(chromedp.Click(chromedp.CSS(selector)))
}

// screenshot keeps a picture if WEIR_SCREENSHOTS names a folder.
func (p *tab) screenshot(name string) {
	dir := os.Getenv("WEIR_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, pageTimeout)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
		return
	}
	if err := os.WriteFile(fmt.Sprintf("%s/%s.png", dir, name), png, 0o644); err != nil {
		p.t.Error(err)
	}
}
